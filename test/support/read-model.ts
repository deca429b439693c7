/** Writes versions into the read model without a registry, in the projection's form. */
import { sql } from "drizzle-orm";
import { type DatabaseAccess, inTransaction } from "../../db/client.ts";
import { foldEntries } from "../../db/projection/changes.ts";
import { deriveContent } from "../../db/projection/derive.ts";
import { fieldRows, type KeyedRecord, referenceRows, versionRow } from "../../db/projection/rows.ts";
import { writeChanges } from "../../db/projection/write.ts";
import type { SchemaRecord } from "../../registry/record.ts";
import type { SchemaReference } from "../../schema/format.ts";

export type IndexedVersion = Partial<SchemaRecord["attributes"]> & {
  subject: string;
  context?: string;
  format?: SchemaRecord["format"];
  state?: SchemaRecord["state"];
  text: string;
  references?: readonly SchemaReference[];
};

/** Writes versions in order after the existing ones; returns their keys. Versions of one subject follow each other. */
export async function writeSearchable(
  access: DatabaseAccess,
  tenant: string,
  versions: readonly IndexedVersion[],
): Promise<number[]> {
  return inTransaction(access, async (transaction) => {
    const { rows } = await transaction.execute<{ seq: string }>(
      sql`INSERT INTO tenants (tenant, epoch, seq, updated_at, projection_version) VALUES (${tenant}, 1, 0, now(), 1)
        ON CONFLICT (tenant) DO UPDATE SET tenant = excluded.tenant RETURNING seq`,
    );
    const first = Number(rows[0]!.seq) + 1;
    const changes = foldEntries([]);
    const known = new Map<string, { key: number; numbers: number }>();
    versions.forEach((version, at) => {
      const key = first + at;
      const name = `${version.context ?? "."}:${version.subject}`;
      const subject = known.get(name) ?? { key, numbers: 0 };
      subject.numbers += 1;
      known.set(name, subject);
      const record = recordOf(version, key, subject.key, subject.numbers);
      const derived = deriveContent(record.format, { text: version.text, references: [] }, "2020-12");
      changes.subjects.set(subject.key, {
        subject_key: subject.key,
        context: record.context,
        subject: record.subject,
        default_policy: "semantic",
      });
      changes.versions.set(key, versionRow(record, derived));
      changes.fields.set(key, fieldRows(key, derived));
      changes.references.set(key, referenceRows(record));
    });
    await writeChanges(transaction, tenant, changes);
    await transaction.execute(sql`UPDATE tenants SET seq = ${first + versions.length - 1} WHERE tenant = ${tenant}`);
    return versions.map((_, at) => first + at);
  });
}

function recordOf(version: IndexedVersion, key: number, subjectKey: number, number: number): KeyedRecord {
  const { subject, context = ".", format = "avro", state = "active", references = [] } = version;
  const isDraft = state === "draft";
  return {
    recordKey: key,
    subjectKey,
    id: `00000000-0000-7000-8000-${String(key).padStart(12, "0")}`,
    context,
    subject,
    versionNumber: isDraft ? null : number,
    semver: isDraft ? null : `${number}.0.0`,
    confluentId: isDraft ? null : key,
    state,
    deleted: false,
    format,
    dialect: format === "json-schema" ? "2020-12" : null,
    contentHash: key.toString(16).padStart(64, "0") as KeyedRecord["contentHash"],
    guid: `00000000-0000-4000-8000-${String(key).padStart(12, "0")}`,
    references,
    contract: { metadata: null, ruleSet: null },
    attributes: {
      description: version.description ?? null,
      tags: version.tags ?? [],
      owner: version.owner ?? null,
      metadata: version.metadata ?? {},
      role: version.role ?? null,
    },
    createdAtMs: 1_764_000_000_000 + key,
    createdBy: "local",
    updatedAtMs: 1_764_000_000_000 + key,
    seq: key,
  };
}

/** An Avro record with these fields, each optionally with documentation. */
export function avroText(name: string, fields: Readonly<Record<string, string | null>>, doc?: string): string {
  return JSON.stringify({
    type: "record",
    name,
    ...(doc === undefined ? {} : { doc }),
    fields: Object.entries(fields).map(([field, documentation]) => ({
      name: field,
      type: "string",
      ...(documentation === null ? {} : { doc: documentation }),
    })),
  });
}
