/** Converts log entries to events for followers of the registry (docs/feed.md). */

import { MAX_EVENT_RECORDS, type RegistryEvent } from "../../../registry/event.ts";
import { type EntryType, type LogEntry, parseHeader } from "../../../registry/log-entry.ts";
import type { Payloads } from "../../../registry/payloads.ts";
import { NO_ATTRIBUTES, type SchemaRecord } from "../../../registry/record.ts";
import { MAX_LOG_PAGE_BYTES } from "../../../registry/rpc.ts";
import type { WebhookChange } from "../../../registry/webhook.ts";
import type { Plan } from "../../../schema/plan.ts";
import { readChangeSetAt } from "../state/change-sets.ts";
import { type StateReader, toRecord } from "../state/reader.ts";
import { readGroupedPlans } from "./change-set-plans.ts";

/**
 * JSON size of an event's records together; records beyond it are shown without their free-form parts. A contract and
 * references may take megabytes each, and an event goes to every subscriber.
 */
export const MAX_EVENT_RECORDS_BYTES = 64 * 1024;

type EventSource = { sql: SqlStorage; state: StateReader };

/** The events of these entries, as many from the first on as fit into one response. */
export function toEvents(
  from: EventSource,
  entries: readonly LogEntry[],
  maxBytes = MAX_LOG_PAGE_BYTES,
): RegistryEvent[] {
  const events: RegistryEvent[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const event = toEvent(from, entry);
    bytes += jsonBytes(event);
    if (bytes > maxBytes && events.length > 0) break;
    events.push(event);
  }
  return events;
}

/**
 * Records in their current state, not as of the entry. The entry records the change, and a late reader must not see
 * data that has been hard-deleted since.
 */
function toEvent({ sql, state }: EventSource, { header, payload }: LogEntry): RegistryEvent {
  const { epoch, seq, at, type, subject, actor, request_id } = parseHeader(header);
  const said: unknown = payload === null ? null : JSON.parse(new TextDecoder().decode(payload.bytes));
  const keys = said === null ? [] : listRecordKeys(seq, type, said);
  const changeSet = readChangeSetAt(sql, seq);
  const plans =
    changeSet && type === "change_set.committed" ? readGroupedPlans(sql, changeSet.firstSeq, seq) : undefined;
  const plan = readPlan(type, said);
  const alias = type === "alias.moved" && said !== null ? aliasChange(said as Payloads[typeof type]) : undefined;
  return {
    epoch,
    seq,
    atMs: at,
    type,
    subject,
    actor,
    requestId: request_id,
    ...existingRecords(state, keys),
    recordCount: keys.length,
    reason: said !== null && typeof said === "object" && "reason" in said ? (said.reason as string | null) : null,
    ...(changeSet === undefined ? {} : { changeSet: changeSet.id }),
    ...(plans === undefined ? {} : { plans }),
    ...(plan === undefined ? {} : { plan }),
    ...(alias === undefined ? {} : { alias }),
    ...(type === "webhook.changed" && said !== null ? { webhook: webhookChange(said as Payloads[typeof type]) } : {}),
  };
}

function readPlan(type: EntryType, said: unknown): Plan | undefined {
  if (said === null || (type !== "schema.registered" && type !== "schema.activated")) return undefined;
  return (said as Payloads[typeof type]).numbering?.plan;
}

function aliasChange({ alias, from, target }: Payloads["alias.moved"]): NonNullable<RegistryEvent["alias"]> {
  return { name: alias, from, to: target?.number ?? null };
}

function webhookChange({ id, endpoint }: Payloads["webhook.changed"]): WebhookChange {
  return { id, endpoint };
}

function listRecordKeys(seq: number, type: EntryType, said: unknown): readonly number[] {
  switch (type) {
    case "schema.registered":
      return [seq];
    case "schema.activated":
    case "schema.updated":
    case "schema.deprecated":
    case "schema.archived":
      return [(said as Payloads[typeof type]).recordKey];
    case "alias.moved": {
      const { target } = said as Payloads[typeof type];
      return target === null ? [] : [target.recordKey];
    }
    case "evidence.attached":
      return [(said as Payloads[typeof type]).recordKey];
    case "schema.deleted":
    case "schema.undeleted":
    case "schema.erased":
    case "proposal.applied":
      return (said as Payloads[typeof type]).recordKeys;
    // Settings, webhooks and most of change management do not concern a record.
    case "config.changed":
    case "mode.changed":
    case "rule.changed":
    case "context.deleted":
    case "association.changed":
    case "webhook.changed":
    case "change_set.committed":
    case "governance.changed":
    case "proposal.opened":
    case "proposal.commented":
    case "proposal.approved":
    case "proposal.rejected":
    case "proposal.expired":
    case "change.overridden":
      return [];
  }
}

function existingRecords(state: StateReader, keys: readonly number[]): Pick<RegistryEvent, "records" | "trimmed"> {
  const records: SchemaRecord[] = [];
  let bytes = 0;
  let trimmed = false;
  for (const key of keys) {
    if (records.length === MAX_EVENT_RECORDS) break;
    const row = state.recordByKey(key);
    if (row === undefined) continue;
    const record = toRecord(row);
    const size = jsonBytes(record);
    if (bytes + size <= MAX_EVENT_RECORDS_BYTES) {
      bytes += size;
      records.push(record);
    } else {
      trimmed = true;
      records.push(withoutFreeParts(record));
    }
  }
  return { records, trimmed };
}

/** The remaining members identify the version and its state, and their size is limited. */
function withoutFreeParts(record: SchemaRecord): SchemaRecord {
  const { owner, role } = record.attributes;
  return {
    ...record,
    references: [],
    contract: { metadata: null, ruleSet: null },
    attributes: { ...NO_ATTRIBUTES, owner, role },
  };
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
