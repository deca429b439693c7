/** The envelope of events, notices and webhooks: CloudEvents 1.0 (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md). */
import type { RegistryEvent } from "./event.ts";
import { recordView, timestamp } from "./record-view.ts";

export const EVENT_TYPE_PREFIX = "dev.llm-schema-registry.";
/** Where the document lies that describes `data`. */
const DATA_SCHEMA = "/api/v1/openapi.json#/components/schemas/EventData";

export type CloudEvent = {
  specversion: "1.0";
  /** `<epoch>.<seq>`: the same entry has the same id for ever, however often it is delivered. */
  id: string;
  source: string;
  type: string;
  /** The subject's qualified name; absent where the entry is about more than one subject. */
  subject?: string;
  /** RFC 3339. */
  time: string;
  datacontenttype: "application/json";
  dataschema: string;
  data: Readonly<Record<string, unknown>>;
};

/** One log entry of a tenant as an event. `record` is the one it was about, `records` are all of them where it was about more. */
export function cloudEvent(tenant: string, event: RegistryEvent): CloudEvent {
  const { epoch, seq, type, subject, atMs, actor, requestId, records, recordCount, trimmed, reason } = event;
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
      request_id: requestId,
    },
  };
}

export function eventId(epoch: number, seq: number): string {
  return `${epoch}.${seq}`;
}
