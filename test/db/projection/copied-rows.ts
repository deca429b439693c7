/** The rows of a tenant's copy, as in Postgres and as expected from a simulated registry's state. */
import { sql } from "drizzle-orm";
import { type DatabaseAccess, readDatabase } from "../../../db/client.ts";
import type { MadeRegistry } from "./made-registry.ts";

export type CopiedRows = Record<string, unknown[]>;

const QUERIES: Readonly<Record<string, string>> = {
  versions: `SELECT record_key::int, id, subject_key::int, context, subject, number::int, semver, confluent_id::int, guid,
    content_hash, format, dialect, contract, state, deleted, is_latest, description, tags, owner, role, metadata,
    (extract(epoch from created_at) * 1000)::float8 AS created_ms, created_by,
    (extract(epoch from updated_at) * 1000)::float8 AS updated_ms, updated_seq::int, content`,
  subjects: "SELECT subject_key::int, context, subject, default_policy, latest_key::int",
  fields: "SELECT record_key::int, position, path, name, type, documentation, required",
  version_references: "SELECT record_key::int, position, name, target_context, target_subject, target_number::int",
  version_tags: "SELECT record_key::int, tag",
  scopes: "SELECT context, subject, config, mode, rules, associations",
  log_entries: `SELECT seq::int, epoch, type, subject, actor, request_id, convert_from(header, 'UTF8') AS header,
    encode(leaf_hash, 'hex') AS leaf_hash`,
};

/** Every table, each row as JSON, in one order. */
export async function copiedRows(access: DatabaseAccess, tenant: string): Promise<CopiedRows> {
  const tables = Object.entries(QUERIES).map(async ([table, select]) => {
    const { rows } = await readDatabase(access, (db) =>
      db.execute<{ own: unknown }>(
        sql`SELECT row_to_json(own) AS own FROM (${sql.raw(select)} FROM ${sql.identifier(table)} WHERE tenant = ${tenant}) AS own`,
      ),
    );
    return [table, inOrder(rows.map(({ own }) => own))] as const;
  });
  return Object.fromEntries(await Promise.all(tables));
}

export async function readCheckpointOf(access: DatabaseAccess, tenant: string): Promise<number | undefined> {
  const { rows } = await readDatabase(access, (db) =>
    db.execute<{ seq: string }>(sql`SELECT seq FROM tenants WHERE tenant = ${tenant}`),
  );
  return rows[0] && Number(rows[0].seq);
}

/** Derived from the simulated registry's state, up to the requested entries. */
export function expectedRows(registry: MadeRegistry): CopiedRows {
  const records = [...registry.records.values()];
  return {
    versions: inOrder(
      records.map((record) => ({
        record_key: record.recordKey,
        id: record.id,
        subject_key: record.subjectKey,
        context: record.context,
        subject: record.subject,
        number: record.versionNumber,
        semver: record.semver,
        confluent_id: record.confluentId,
        guid: record.guid,
        content_hash: record.contentHash,
        format: "avro",
        dialect: null,
        contract: null,
        state: record.state,
        deleted: record.deleted,
        is_latest: registry.latestOf(record.subjectKey) === record.recordKey,
        description: stored(record.attributes.description),
        tags: record.attributes.tags.map(stored),
        owner: record.attributes.owner,
        role: record.attributes.role,
        metadata: record.attributes.metadata,
        created_ms: record.createdAtMs,
        created_by: record.createdBy,
        updated_ms: record.updatedAtMs,
        updated_seq: record.seq,
        content: registry.texts.get(record.contentHash),
      })),
    ),
    subjects: inOrder(
      [...registry.subjects.values()].map(({ subjectKey, context, subject, defaultPolicy }) => ({
        subject_key: subjectKey,
        context,
        subject,
        default_policy: defaultPolicy,
        latest_key: registry.latestOf(subjectKey),
      })),
    ),
    fields: inOrder(
      records.flatMap(({ recordKey, fieldNames }) =>
        fieldNames.map((name, position) => ({
          record_key: recordKey,
          position,
          path: name,
          name,
          type: "string",
          documentation: `What ${name} says.`,
          required: true,
        })),
      ),
    ),
    version_references: inOrder(
      records.flatMap(({ recordKey, context, references }) =>
        references.map(({ name, subject, version }, position) => ({
          record_key: recordKey,
          position,
          name,
          target_context: context,
          target_subject: subject,
          target_number: version,
        })),
      ),
    ),
    version_tags: inOrder(
      records.flatMap(({ recordKey, attributes }) =>
        [...new Set(attributes.tags.map(stored))].map((tag) => ({ record_key: recordKey, tag })),
      ),
    ),
    scopes: inOrder([...registry.scopes.values()].map((scope) => ({ ...scope }))),
    log_entries: inOrder(
      registry.entries.map(({ seq, header, leafHash }) => {
        const text = new TextDecoder().decode(header);
        const { epoch, type, subject, actor, request_id } = JSON.parse(text) as Record<string, unknown>;
        return { seq, epoch, type, subject, actor, request_id, header: text, leaf_hash: hex(leafHash) };
      }),
    ),
  };
}

/** Postgres stores neither U+0000 nor lone surrogates. */
function stored<T extends string | null>(text: T): T {
  return (text?.replaceAll("\0", "\ufffd").toWellFormed() ?? null) as T;
}

function inOrder(rows: readonly unknown[]): unknown[] {
  return rows.map((row) => JSON.stringify(sorted(row))).sort();
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
