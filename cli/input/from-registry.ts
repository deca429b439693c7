/** Registered versions as inputs, with their references. */

import type { FormatName, ResolvedReference } from "../../schema/format.ts";
import { ApiError } from "../../sdks/typescript/src/errors.ts";
import type { SchemaRecord } from "../../sdks/typescript/src/models.ts";
import { printVersionPath, type Registry } from "../registry.ts";
import { locateInJson, locateInProtobuf } from "./locate.ts";
import type { SchemaText } from "./schema-text.ts";

/** Deeper chains are refused by the registry itself. */
const MAX_REFERENCE_DEPTH = 64;

/** `subject@version`: the version after the last @, because a subject's name may hold one. */
export function splitVersion(reference: string): { subject: string; version: string } | undefined {
  const at = reference.lastIndexOf("@");
  return at <= 0 || at === reference.length - 1
    ? undefined
    : { subject: reference.slice(0, at), version: reference.slice(at + 1) };
}

export function readRecord(registry: Registry, subject: string, version: string | number): Promise<SchemaRecord> {
  return registry.get<SchemaRecord>(printVersionPath(subject, version), { content: "text" });
}

/** A registered version; undefined where the registry has none. */
export async function readRegistered(
  registry: Registry,
  subject: string,
  version: string | number,
): Promise<SchemaText | undefined> {
  try {
    const record = await readRecord(registry, subject, version);
    const text = record.content as string;
    const format = record.format as FormatName;
    return {
      place: `${record.subject}@${record.version ?? record.id}`,
      name: record.subject,
      format,
      text,
      ...(record.role === null ? {} : { role: record.role as SchemaText["role"] & string }),
      notes: [],
      references: await readReferences(registry, record, 0),
      locate: format === "protobuf" ? locateInProtobuf(text) : locateInJson(text),
    };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

/** The references of a registered version with their texts. */
export async function readReferences(
  registry: Registry,
  record: SchemaRecord,
  depth: number,
): Promise<ResolvedReference[]> {
  if (depth > MAX_REFERENCE_DEPTH) return [];
  return Promise.all(
    record.references.map(async ({ name, subject, version }) => {
      const qualified = record.context === "." || subject.startsWith(":.") ? subject : `:${record.context}:${subject}`;
      return { name, subject, version, source: await readSource(registry, qualified, version, depth + 1) };
    }),
  );
}

async function readSource(
  registry: Registry,
  subject: string,
  version: string | number,
  depth = 0,
): Promise<{ text: string; references: ResolvedReference[] }> {
  const record = await readRecord(registry, subject, version);
  return { text: record.content as string, references: await readReferences(registry, record, depth) };
}
