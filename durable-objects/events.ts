/** Log entries as events: what those hear who follow the registry (specs: native API, Events). */
import type { Payloads } from "./apply";
import { parseHeader } from "./log";
import { type EntryType, type LogEntry, MAX_EVENT_RECORDS, type RegistryEvent, type SchemaRecord } from "./protocol";
import { type State, toRecord } from "./state";

/** The records are as they are now and not as they were: an event says what was done, and a late reader must not be shown what was erased since. */
export function eventOf(state: State, { header, payload }: LogEntry): RegistryEvent {
  const { epoch, seq, at, type, subject, actor, request_id } = parseHeader(header);
  const said: unknown = payload === null ? null : JSON.parse(new TextDecoder().decode(payload.bytes));
  const keys = said === null ? [] : recordKeysOf(seq, type, said);
  return {
    epoch,
    seq,
    atMs: at,
    type,
    subject,
    actor,
    requestId: request_id,
    records: existingRecords(state, keys),
    recordCount: keys.length,
    reason: said !== null && typeof said === "object" && "reason" in said ? (said.reason as string | null) : null,
  };
}

function recordKeysOf(seq: number, type: EntryType, said: unknown): readonly number[] {
  switch (type) {
    case "schema.registered":
      return [seq];
    case "schema.activated":
    case "schema.updated":
    case "schema.deprecated":
    case "schema.archived":
      return [(said as Payloads[typeof type]).recordKey];
    case "schema.deleted":
    case "schema.undeleted":
    case "schema.erased":
      return (said as Payloads[typeof type]).recordKeys;
    default:
      return [];
  }
}

function existingRecords(state: State, keys: readonly number[]): SchemaRecord[] {
  const records: SchemaRecord[] = [];
  for (const key of keys) {
    if (records.length === MAX_EVENT_RECORDS) break;
    const row = state.recordByKey(key);
    if (row !== undefined) records.push(toRecord(row));
  }
  return records;
}
