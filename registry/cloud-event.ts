/** The envelope of events, notices and webhooks: CloudEvents 1.0 (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md). */
import type { RegistryEvent } from "./event.ts";
import { recordView, timestamp } from "./record-view.ts";

export const EVENT_TYPE_PREFIX = "dev.llm-schema-registry.";
/** Location of the schema of `data`. */
const DATA_SCHEMA = "/api/v1/openapi.json#/components/schemas/EventData";

export type CloudEvent = {
  specversion: "1.0";
  /** `<epoch>.<seq>`: an entry keeps its id in every delivery. */
  id: string;
  source: string;
  type: string;
  /** The subject's qualified name; absent if the entry concerns several subjects. */
  subject?: string;
  /** RFC 3339. */
  time: string;
  datacontenttype: "application/json";
  dataschema: string;
  data: Readonly<Record<string, unknown>>;
};

/** A log entry as a CloudEvent. `record` is its record, `records` are all of them if it concerns several. */
export function cloudEvent(tenant: string, event: RegistryEvent): CloudEvent {
  const {
    epoch,
    seq,
    type,
    subject,
    atMs,
    actor,
    requestId,
    records,
    recordCount,
    trimmed,
    reason,
    changeSet,
    plan,
    plans,
    alias,
  } = event;
  return {
    specversion: "1.0",
    id: eventId(epoch, seq),
    source: `/registries/${encodeURIComponent(tenant)}`,
    type: `${EVENT_TYPE_PREFIX}${type}`,
    ...(subject === null ? {} : { subject }),
    time: timestamp(atMs),
    datacontenttype: "application/json",
    dataschema: DATA_SCHEMA,
    data: {
      seq,
      record: records[0] === undefined ? null : recordView(records[0]),
      ...(recordCount > 1 ? { records: records.map(recordView), record_count: recordCount } : {}),
      ...(trimmed ? { trimmed: true } : {}),
      actor,
      ...(reason === null ? {} : { reason }),
      ...(changeSet === undefined ? {} : { change_set: changeSet }),
      ...(plan === undefined ? {} : { plan }),
      ...(plans === undefined ? {} : { plans }),
      ...(alias === undefined ? {} : { alias }),
      request_id: requestId,
    },
  };
}

export function eventId(epoch: number, seq: number): string {
  return `${epoch}.${seq}`;
}
