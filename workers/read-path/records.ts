/** The record class: from the primary, or from memory up to 60 seconds old for callers that allow it. */

import type { Refusal } from "../../contract/errors.ts";
import type { AsOf } from "../../registry/log-entry.ts";
import type { VersionSelector } from "../../registry/questions.ts";
import type { SchemaRecord } from "../../registry/record.ts";
import { sha256Hex } from "../../schema/content-hash.ts";
import { ok, type Result } from "../../schema/result.ts";
import { printSubjectName, type SubjectName } from "../../schema/subject-name.ts";
import type { Edge } from "../edge.ts";
import { isHiddenArtefact } from "./hidden-artefacts.ts";
import {
  type Absent,
  ageMs,
  type CacheClass,
  type Cached,
  FLOOR_BYTES,
  type Found,
  readThrough,
  type Source,
} from "./read-through.ts";
import { isOlder, recordSatisfies } from "./token.ts";

export const RECORD_MAX_AGE_MS = 60 * 1_000;

export type Consistency = {
  token: AsOf | undefined;
  /** 0 means that the primary is always queried. */
  maxAgeMs: number;
  /**
   * Whether the age also applies to `latest`, as for clients of the Confluent API; natively `latest` queries the
   * primary.
   */
  coversLatest?: boolean;
};

export type RecordAnswer = { record: SchemaRecord; asOf: AsOf; source: Source };
type MissingVersion = { missing: "subject" | "version"; asOf: AsOf };

/** A record by its native id, or null. */
export async function readRecordById(
  edge: Edge,
  { id, deleted }: { id: string; deleted: boolean },
  consistency: Consistency,
): Promise<Result<RecordAnswer | { missing: "record"; asOf: AsOf }, Refusal>> {
  const ask = () => edge.tenantPrimary.read("recordById", { id, deleted });
  const found = await readRecord(edge, `record/id/${id}/${deleted}`, consistency, ask);
  if (!found.ok) return found;
  if ("absent" in found.value || isHidden(edge, found.value.value))
    return ok({ missing: "record", asOf: found.value.asOf });
  return ok(answered(found.value));
}

/** The version that a Confluent id denotes within a subject. */
export async function readRecordOfId(
  edge: Edge,
  wanted: { name: SubjectName; confluentId: number },
  consistency: Consistency,
): Promise<Result<RecordAnswer | { missing: "record"; asOf: AsOf }, Refusal>> {
  const ask = () => edge.tenantPrimary.read("recordByConfluentId", wanted);
  const key = `record/confluent/${sha256Hex(printSubjectName(wanted.name))}/${wanted.confluentId}`;
  const found = await readRecord(edge, key, consistency, ask);
  if (!found.ok) return found;
  if ("absent" in found.value || isHidden(edge, found.value.value))
    return ok({ missing: "record", asOf: found.value.asOf });
  return ok(answered(found.value));
}

/** A version of a subject. Semvers and ranges always query the primary. */
export async function readVersion(
  edge: Edge,
  version: { name: SubjectName; selector: VersionSelector; deleted: boolean; anyContext?: boolean },
  consistency: Consistency,
): Promise<Result<RecordAnswer | MissingVersion, Refusal>> {
  const { name, selector, deleted, anyContext = false } = version;
  let missing: "subject" | "version" = "version";
  const ask = async () => {
    const answer = await edge.tenantPrimary.read("record", version);
    if (!answer.ok) return answer;
    if ("found" in answer.value.value) return ok({ asOf: answer.value.asOf, value: answer.value.value.found });
    missing = answer.value.value.missing;
    return ok({ asOf: answer.value.asOf, value: null });
  };
  // A subject may be longer than a KV key allows.
  const key = `record/subject/${sha256Hex(printSubjectName(name))}/${selector}/${deleted}${anyContext ? "/any" : ""}`;
  const isCovered = typeof selector === "number" || (selector === "latest" && consistency.coversLatest === true);
  if (selector === "latest") dropOutrunLatest(edge, key, name);
  const found = await readRecord(edge, key, isCovered ? consistency : { ...consistency, maxAgeMs: 0 }, ask);
  if (typeof selector !== "number") edge.readClass = "head";
  if (!found.ok) return found;
  if ("absent" in found.value) return ok({ missing, asOf: found.value.asOf });
  return ok(isHidden(edge, found.value.value) ? { missing: "subject", asOf: found.value.asOf } : answered(found.value));
}

/** A cached answer to a lookup or repeated registration, if it is recent enough for the caller. */
export function readKnownRecord(
  edge: Edge,
  key: string,
  { token, maxAgeMs }: Consistency,
): { record: SchemaRecord; asOf: AsOf } | undefined {
  if (maxAgeMs === 0) return undefined;
  const known = edge.cache.get(`record/${key}`) as Cached<SchemaRecord> | undefined;
  if (known === undefined || ageMs(edge, known) > maxAgeMs || !recordSatisfies(known.asOf, token)) return undefined;
  return isHidden(edge, known.value) ? undefined : { record: known.value, asOf: known.asOf };
}

export function keepKnownRecord(
  edge: Edge,
  key: string,
  { maxAgeMs }: Consistency,
  { record, asOf, readAtMs }: { record: SchemaRecord; asOf: AsOf; readAtMs: number },
): void {
  if (maxAgeMs === 0) return;
  const cached: Cached<SchemaRecord> = { readAtMs, asOf, value: record };
  edge.cache.put(`record/${key}`, cached, 2 * JSON.stringify(record).length);
}

/**
 * Makes this isolate's own writes visible immediately: cached values of `latest` under either name from before
 * `writtenAsOf` are ignored.
 */
export function outrunLatest(edge: Edge, name: SubjectName, writtenAsOf: AsOf): void {
  edge.cache.put(latestFloorKey(name), writtenAsOf, FLOOR_BYTES);
}

/** The name may be an alias, so the record's own subject is checked as well. */
function dropOutrunLatest(edge: Edge, key: string, name: SubjectName): void {
  const known = edge.cache.get(key) as Cached<SchemaRecord> | undefined;
  if (known === undefined) return;
  const isOutrun = [name, known.value].some((subject) => {
    const floor = edge.cache.get(latestFloorKey(subject)) as AsOf | undefined;
    return floor !== undefined && isOlder(known.asOf, floor);
  });
  if (isOutrun) edge.cache.delete(key);
}

function latestFloorKey(name: SubjectName): string {
  return `latest-floor/${printSubjectName(name)}`;
}

/** Drops records by id after a write about them; copies in other isolates expire after sixty seconds. */
export function forgetRecords(edge: Edge, ids: readonly string[]): void {
  const gone = new Set(ids);
  edge.cache.deleteWhere((key, value) => {
    const record = key.startsWith("record/") ? (value as { value?: SchemaRecord }).value : undefined;
    return record?.id !== undefined && gone.has(record.id);
  });
  for (const id of ids) for (const deleted of [false, true]) edge.cache.delete(`record/id/${id}/${deleted}`);
}

async function readRecord(
  edge: Edge,
  key: string,
  { token, maxAgeMs }: Consistency,
  ask: () => Promise<Result<{ asOf: AsOf; value: SchemaRecord | null }, Refusal>>,
): Promise<Result<Found<SchemaRecord> | Absent, Refusal>> {
  edge.readClass = "record";
  if (maxAgeMs > 0) {
    const cacheClass = recordClass(Math.min(maxAgeMs, RECORD_MAX_AGE_MS));
    return readThrough(edge, { key, cacheClass, token, allowCachedAbsence: false, ask });
  }
  const readAtMs = edge.now();
  const answer = await ask();
  if (!answer.ok) return answer;
  const { asOf, value } = answer.value;
  return value === null ? ok({ absent: true, asOf }) : ok({ readAtMs, asOf, value, source: "primary", stale: false });
}

function recordClass(maxAgeMs: number): CacheClass<SchemaRecord> {
  return {
    freshMs: maxAgeMs,
    staleMs: maxAgeMs,
    inKv: false,
    satisfies: recordSatisfies,
    bytes: (record) => 2 * JSON.stringify(record).length,
  };
}

/** Callers share the cache, so each access is checked against the caller's grants. */
function isHidden(edge: Edge, record: SchemaRecord): boolean {
  return (edge.access !== undefined && !edge.access.mayRead(record)) || isHiddenArtefact(edge, record);
}

function answered({ value, asOf, source }: Found<SchemaRecord>): RecordAnswer {
  return { record: value, asOf, source };
}
