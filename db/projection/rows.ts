/** Rows as they are written and compared: snake_case column names, JSON values. */

import type { LogEntry, LogHeader } from "../../registry/log-entry.ts";
import type { SchemaRecord } from "../../registry/record.ts";
import { timestamp } from "../../registry/record-view.ts";
import { referenceName } from "../../schema/subject-name.ts";
import type { fields, logEntries, RowOf, scopes, subjects, versionReferences, versions } from "../tables.ts";
import { type DerivedContent, joinedWords } from "./derive.ts";

/** The primary's record with the keys the read model needs. */
export type KeyedRecord = SchemaRecord & { recordKey: number; subjectKey: number };

export type ReadModelSubjectRow = RowOf<typeof subjects, "tenant" | "latest_key">;
export type VersionRow = RowOf<typeof versions, "tenant" | "is_latest">;
export type FieldRow = RowOf<typeof fields>;
export type ReferenceRow = RowOf<typeof versionReferences>;
/** Settings of one scope; a part that is not set is null. */
export type ReadModelScopeRow = RowOf<typeof scopes>;
export type LogEntryRow = RowOf<typeof logEntries>;

/** The columns that `schema.updated` replaces together. */
export const ATTRIBUTE_NAMES = [
  "description",
  "tags",
  "owner",
  "role",
  "metadata",
  "attribute_words",
  "description_words",
] as const satisfies readonly (keyof VersionRow)[];
export type AttributeColumns = Pick<VersionRow, (typeof ATTRIBUTE_NAMES)[number]>;

export function versionRow(record: KeyedRecord, derived: DerivedContent): VersionRow {
  const { contract } = record;
  return {
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
    format: record.format,
    dialect: record.dialect,
    contract: contract.metadata || contract.ruleSet ? contract : null,
    state: record.state,
    deleted: record.deleted,
    ...attributeColumns(record.attributes),
    created_at: timestamp(record.createdAtMs),
    created_by: record.createdBy,
    updated_at: timestamp(record.updatedAtMs),
    updated_seq: record.seq,
    content: derived.content,
    subject_words: joinedWords([record.subject]),
    field_words: derived.fieldWords,
    documentation_words: derived.documentationWords,
    content_words: derived.contentWords,
  };
}

export function attributeColumns({
  description,
  tags,
  owner,
  role,
  metadata,
}: SchemaRecord["attributes"]): AttributeColumns {
  return {
    description,
    tags: [...tags],
    owner,
    role,
    metadata,
    attribute_words: joinedWords([...tags, owner ?? ""]),
    description_words: joinedWords([description ?? ""]),
  };
}

export function fieldRows(recordKey: number, { fields }: DerivedContent): FieldRow[] {
  return fields.map((field, position) => ({ record_key: recordKey, position, ...field }));
}

export function referenceRows({ recordKey, context, references }: KeyedRecord): ReferenceRow[] {
  return references.map(({ name, subject, version }, position) => {
    const target = referenceName(context, subject);
    return {
      record_key: recordKey,
      position,
      name,
      target_context: target.context,
      target_subject: target.subject,
      target_number: version,
    };
  });
}

export function logEntryRow({ seq, header, leafHash }: LogEntry, parsed: LogHeader): LogEntryRow {
  return {
    seq,
    epoch: parsed.epoch,
    at: timestamp(parsed.at),
    type: parsed.type,
    subject: parsed.subject,
    actor: parsed.actor,
    request_id: parsed.request_id,
    header: bytea(header),
    leaf_hash: bytea(leafHash),
  };
}

/** The text form of bytea (https://www.postgresql.org/docs/15/datatype-binary.html). */
export function bytea(bytes: Uint8Array): string {
  return `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")}`;
}

/**
 * JSON that Postgres accepts: it stores neither U+0000 nor lone surrogates, which texts of a registry may contain
 * (https://www.postgresql.org/docs/15/datatype-json.html). Both become U+FFFD in the read model.
 */
export function storableJson(value: unknown): string {
  const json = JSON.stringify(value);
  if (!/\\u(?:0000|d)/.test(json)) return json;
  return json.replace(/\\(?:u[0-9a-f]{4}|.)/g, (part) => (/^\\u(?:0000|d)/.test(part) ? "\ufffd" : part));
}
