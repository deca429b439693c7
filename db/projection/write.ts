/**
 * Writes the net effect of entries in a constant number of statements, each covering all its rows, because a round trip to
 * the database costs more than the rows.
 */
import { and, eq, type SQL, sql } from "drizzle-orm";
import type { Transaction } from "../client.ts";
import { fields, logEntries, readColumns, scopes, subjects, versionReferences, versions } from "../tables.ts";
import type { RowChanges, VersionPatch } from "./changes.ts";
import {
  ATTRIBUTE_NAMES,
  type FieldRow,
  type LogEntryRow,
  type ReadModelScopeRow,
  type ReadModelSubjectRow,
  type ReferenceRow,
  storableJson,
  type VersionRow,
} from "./rows.ts";

export const VERSION_COLUMNS = readColumns(versions, ["tenant", "is_latest"]);
const ATTRIBUTE_COLUMNS = pickColumns(ATTRIBUTE_NAMES);
const PATCH_COLUMNS = pickColumns([
  "record_key",
  "state",
  "deleted",
  "number",
  "semver",
  "confluent_id",
  "updated_at",
  "updated_seq",
] satisfies (keyof Omit<VersionPatch, "attributes">)[]);
export const SUBJECT_COLUMNS = readColumns(subjects, ["tenant", "latest_key"]);
export const FIELD_COLUMNS = readColumns(fields);
export const REFERENCE_COLUMNS = readColumns(versionReferences);
export const SCOPE_COLUMNS = readColumns(scopes);
const SCOPE_PARTS = ["config", "mode", "rules", "associations"] as const satisfies readonly (keyof ReadModelScopeRow)[];
export const LOG_ENTRY_COLUMNS = readColumns(logEntries);

function pickColumns(picked: readonly (keyof VersionRow)[]): Record<string, string> {
  return Object.fromEntries(picked.map((name) => [name, VERSION_COLUMNS[name]]));
}

/** The caller has locked the tenant's row. Writing the same changes again has no effect. */
export async function writeChanges(transaction: Transaction, tenant: string, changes: RowChanges): Promise<void> {
  await writeLogEntries(transaction, tenant, changes.logEntries);
  const touched = new Set<number>();
  const touch = ({ rows }: { rows: { subject_key: number | string }[] }) => {
    for (const { subject_key } of rows) touched.add(Number(subject_key));
  };
  if (changes.hardDeleted.size > 0) touch(await deleteVersions(transaction, tenant, [...changes.hardDeleted]));
  if (changes.goneSubjects.size > 0) await removeSubjects(transaction, tenant, [...changes.goneSubjects]);
  if (changes.subjects.size > 0) await writeSubjects(transaction, tenant, [...changes.subjects.values()]);
  if (changes.versions.size > 0) {
    await insertVersions(transaction, tenant, [...changes.versions.values()]);
    for (const { subject_key } of changes.versions.values()) touched.add(subject_key);
  }
  await insertFields(transaction, tenant, [...changes.fields.values()].flat());
  await insertReferences(transaction, tenant, [...changes.references.values()].flat());
  const patches = [...changes.patches.values()];
  const described = patches.filter(({ attributes }) => attributes !== undefined);
  const moved = patches.filter(({ attributes }) => attributes === undefined);
  if (described.length > 0) touch(await patchVersions(transaction, tenant, described, true));
  if (moved.length > 0) touch(await patchVersions(transaction, tenant, moved, false));
  const tagged = [...changes.versions.values()].filter(({ tags }) => tags.length > 0);
  await writeVersionTags(transaction, tenant, {
    added: tagged.map(({ record_key }) => record_key),
    replaced: described.map(({ record_key }) => record_key),
  });
  await writeScopes(transaction, tenant, changes);
  await setLatest(transaction, tenant, [...touched]);
}

export async function writeLogEntries(
  transaction: Transaction,
  tenant: string,
  rows: readonly LogEntryRow[],
): Promise<void> {
  await transaction.execute(sql`INSERT INTO log_entries (tenant, ${names(LOG_ENTRY_COLUMNS)})
    SELECT ${tenant}::text, ${names(LOG_ENTRY_COLUMNS)} FROM ${recordset(rows, LOG_ENTRY_COLUMNS)}
    ON CONFLICT (tenant, seq) DO UPDATE SET ${assignments(LOG_ENTRY_COLUMNS)}
      WHERE log_entries.header <> excluded.header OR log_entries.leaf_hash <> excluded.leaf_hash`);
}

export async function writeSubjects(
  transaction: Transaction,
  tenant: string,
  rows: readonly ReadModelSubjectRow[],
): Promise<void> {
  await transaction.execute(sql`INSERT INTO subjects (tenant, ${names(SUBJECT_COLUMNS)})
    SELECT ${tenant}::text, ${names(SUBJECT_COLUMNS)} FROM ${recordset(rows, SUBJECT_COLUMNS)}
    ON CONFLICT (tenant, subject_key) DO NOTHING`);
}

export async function removeSubjects(transaction: Transaction, tenant: string, keys: readonly number[]): Promise<void> {
  await transaction
    .delete(subjects)
    .where(and(eq(subjects.tenant, tenant), sql`${subjects.subjectKey} = ANY(${keyList(keys)}::bigint[])`));
}

/** Keeps rows that a repair wrote from a later state, which already includes these changes. */
export async function insertVersions(
  transaction: Transaction,
  tenant: string,
  rows: readonly VersionRow[],
): Promise<void> {
  await transaction.execute(sql`INSERT INTO versions (tenant, ${names(VERSION_COLUMNS)})
    SELECT ${tenant}::text, ${names(VERSION_COLUMNS)} FROM ${recordset(rows, VERSION_COLUMNS)}
    ON CONFLICT (tenant, record_key) DO UPDATE SET ${assignments(VERSION_COLUMNS)}
      WHERE versions.updated_seq < excluded.updated_seq`);
}

export async function insertFields(transaction: Transaction, tenant: string, rows: readonly FieldRow[]): Promise<void> {
  if (rows.length === 0) return;
  await transaction.execute(sql`INSERT INTO fields (tenant, ${names(FIELD_COLUMNS)})
    SELECT ${tenant}::text, ${names(FIELD_COLUMNS)} FROM ${recordset(rows, FIELD_COLUMNS)}
    ON CONFLICT (tenant, record_key, position) DO NOTHING`);
}

export async function insertReferences(
  transaction: Transaction,
  tenant: string,
  rows: readonly ReferenceRow[],
): Promise<void> {
  if (rows.length === 0) return;
  await transaction.execute(sql`INSERT INTO version_references (tenant, ${names(REFERENCE_COLUMNS)})
    SELECT ${tenant}::text, ${names(REFERENCE_COLUMNS)} FROM ${recordset(rows, REFERENCE_COLUMNS)}
    ON CONFLICT (tenant, record_key, position) DO NOTHING`);
}

/** Returns the subjects of the deleted versions. */
export function deleteVersions(transaction: Transaction, tenant: string, keys: readonly number[]) {
  const these = sql`tenant = ${tenant} AND record_key = ANY(${keyList(keys)}::bigint[])`;
  return transaction.execute<{ subject_key: string }>(sql`
    WITH fields_gone AS (DELETE FROM fields WHERE ${these}),
         references_gone AS (DELETE FROM version_references WHERE ${these}),
         tags_gone AS (DELETE FROM version_tags WHERE ${these})
    DELETE FROM versions WHERE ${these} RETURNING subject_key`);
}

/** Sets word columns only if they change: an assigned column causes index work. */
function patchVersions(transaction: Transaction, tenant: string, patches: readonly VersionPatch[], described: boolean) {
  const columns = described ? { ...PATCH_COLUMNS, ...ATTRIBUTE_COLUMNS } : PATCH_COLUMNS;
  const rows = patches.map(({ attributes, ...patch }) => ({ ...patch, ...attributes }));
  const attributes = described
    ? sql`, ${sql.raw(
        Object.keys(ATTRIBUTE_COLUMNS)
          .map((name) => `${name} = patch.${name}`)
          .join(", "),
      )}`
    : sql``;
  return transaction.execute<{ subject_key: string }>(sql`UPDATE versions SET
      state = coalesce(patch.state, versions.state), deleted = coalesce(patch.deleted, versions.deleted),
      number = coalesce(patch.number, versions.number), semver = coalesce(patch.semver, versions.semver),
      confluent_id = coalesce(patch.confluent_id, versions.confluent_id),
      updated_at = patch.updated_at, updated_seq = patch.updated_seq ${attributes}
    FROM json_to_recordset(${storableJson(rows)}::json) AS patch(${typed(columns)})
    WHERE versions.tenant = ${tenant} AND versions.record_key = patch.record_key
      AND versions.updated_seq < patch.updated_seq
    RETURNING versions.subject_key`);
}

/** Derives tags from the current versions, so the order of two writers does not matter. */
export async function writeVersionTags(
  transaction: Transaction,
  tenant: string,
  { added, replaced }: { added: readonly number[]; replaced: readonly number[] },
): Promise<void> {
  if (replaced.length > 0) {
    await transaction.execute(sql`DELETE FROM version_tags USING versions
      WHERE version_tags.tenant = ${tenant} AND version_tags.record_key = ANY(${keyList(replaced)}::bigint[])
        AND versions.tenant = version_tags.tenant AND versions.record_key = version_tags.record_key
        AND NOT EXISTS (SELECT 1 FROM unnest(versions.tags) AS tag WHERE ${STORED_TAG} = version_tags.tag)`);
  }
  const keys = [...added, ...replaced];
  if (keys.length === 0) return;
  await transaction.execute(sql`INSERT INTO version_tags (tenant, record_key, tag)
    SELECT DISTINCT tenant, record_key, ${STORED_TAG} FROM versions, unnest(tags) AS tag
      WHERE tenant = ${tenant} AND record_key = ANY(${keyList(keys)}::bigint[])
    ON CONFLICT DO NOTHING`);
}

/** A btree index row holds at most 2,704 bytes. */
const MAX_TAG_CHARACTERS = 255;

/** The stored prefix of an unnested tag. */
export const STORED_TAG = sql.raw(`left(tag, ${MAX_TAG_CHARACTERS})`);

async function writeScopes(
  transaction: Transaction,
  tenant: string,
  { goneContexts, scopes }: Pick<RowChanges, "goneContexts" | "scopes">,
): Promise<void> {
  if (goneContexts.size > 0) {
    await transaction.execute(
      sql`DELETE FROM scopes WHERE tenant = ${tenant}
        AND context IN (SELECT json_array_elements_text(${storableJson([...goneContexts])}::json))`,
    );
  }
  if (scopes.size === 0) return;
  const rows = [...scopes.values()].map((scope) => ({
    ...scope,
    ...Object.fromEntries(SCOPE_PARTS.map((part) => [`sets_${part}`, scope[part] !== undefined])),
  }));
  const columns = { ...SCOPE_COLUMNS, ...Object.fromEntries(SCOPE_PARTS.map((part) => [`sets_${part}`, "boolean"])) };
  const merged = SCOPE_PARTS.map(
    (part) => `${part} = CASE WHEN given.sets_${part} THEN given.${part} ELSE scopes.${part} END`,
  );
  await transaction.execute(sql`WITH given AS (SELECT * FROM ${recordset(rows, columns)}),
      known AS (UPDATE scopes SET ${sql.raw(merged.join(", "))} FROM given
        WHERE scopes.tenant = ${tenant} AND scopes.context = given.context AND scopes.subject = given.subject
        RETURNING scopes.context, scopes.subject)
    INSERT INTO scopes (tenant, ${names(SCOPE_COLUMNS)}) SELECT ${tenant}::text, ${names(SCOPE_COLUMNS)} FROM given
      WHERE NOT EXISTS (SELECT 1 FROM known WHERE known.context = given.context AND known.subject = given.subject)`);
  await transaction.execute(sql`DELETE FROM scopes WHERE tenant = ${tenant}
    AND config IS NULL AND mode IS NULL AND rules IS NULL AND associations IS NULL`);
}

/** Sets what `latest` resolves to in some subjects: the newest live version that is not archived, active before deprecated. */
export async function setLatest(
  transaction: Transaction,
  tenant: string,
  subjectKeys: readonly number[],
): Promise<void> {
  if (subjectKeys.length === 0) return;
  const newest = (state: string) => sql`(SELECT record_key FROM versions
    WHERE versions.tenant = subjects.tenant AND versions.subject_key = subjects.subject_key
      AND state = ${state} AND NOT deleted AND number IS NOT NULL ORDER BY number DESC LIMIT 1)`;
  await transaction.execute(sql`WITH latest AS (
      SELECT subject_key, latest_key AS before, coalesce(${newest("active")}, ${newest("deprecated")}) AS now
        FROM subjects WHERE tenant = ${tenant} AND subject_key = ANY(${keyList(subjectKeys)}::bigint[])),
      moved AS (UPDATE subjects SET latest_key = latest.now FROM latest
        WHERE subjects.tenant = ${tenant} AND subjects.subject_key = latest.subject_key
          AND latest.before IS DISTINCT FROM latest.now)
    UPDATE versions SET is_latest = versions.record_key IS NOT DISTINCT FROM latest.now FROM latest
      WHERE versions.tenant = ${tenant} AND versions.record_key IN (latest.before, latest.now)
        AND versions.is_latest <> (versions.record_key IS NOT DISTINCT FROM latest.now)`);
}

/** Rows as a relation in one parameter of any length. JSON text keeps the digits of numbers. */
export function recordset(rows: readonly object[], columns: Record<string, string>): SQL {
  return sql`json_to_recordset(${storableJson(rows)}::json) AS input(${typed(columns)})`;
}

/** Keys as the text form of a Postgres array. */
export function keyList(keys: readonly number[]): string {
  return `{${keys.join(",")}}`;
}

export function names(columns: Record<string, string>, table?: string): SQL {
  return sql.raw(
    Object.keys(columns)
      .map((name) => (table === undefined ? name : `${table}.${name}`))
      .join(", "),
  );
}

function typed(columns: Record<string, string>): SQL {
  return sql.raw(
    Object.entries(columns)
      .map(([name, type]) => `${name} ${type}`)
      .join(", "),
  );
}

function assignments(columns: Record<string, string>): SQL {
  return sql.raw(
    Object.keys(columns)
      .map((name) => `${name} = excluded.${name}`)
      .join(", "),
  );
}
