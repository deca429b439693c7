/**
 * Request bodies of deliveries. They are never stored: an event is read again from the primary, which knows what has
 * been hard-deleted since, and cached in memory, where deliveries made immediately after their log entry find it.
 */
import { cloudEvent, EVENT_TYPE_PREFIX } from "../../registry/cloud-event.ts";
import type { EventPage, RegistryEvent } from "../../registry/event.ts";
import type { SchemaRecord } from "../../registry/record.ts";
import { recordView, timestamp } from "../../registry/record-view.ts";
import type { PortabilityChange } from "../../schema/projection/portability.ts";

/** An object has 128 MB for everything. */
const MAX_KEPT_CHARACTERS = 4 * 1024 * 1024;
/** Waiting deliveries are often of neighbouring entries, so a whole page is read. */
const READ_AHEAD = 50;

export class Bodies {
  readonly #kept = new Map<number, string>();
  #characters = 0;

  readonly tenant: string;
  readonly readEvents: (after: number, limit: number) => Promise<EventPage>;

  constructor(tenant: string, readEvents: (after: number, limit: number) => Promise<EventPage>) {
    this.tenant = tenant;
    this.readEvents = readEvents;
  }

  /** The CloudEvent of a log entry, as JSON. */
  async of(seq: number): Promise<string> {
    const kept = this.#kept.get(seq);
    if (kept !== undefined) return kept;
    const { events } = await this.readEvents(seq - 1, READ_AHEAD);
    this.keep(events);
    const [event] = events;
    if (event?.seq !== seq) throw new Error(`The log has no entry ${seq}.`);
    return this.#kept.get(seq) ?? printBody(this.tenant, event);
  }

  keep(events: readonly RegistryEvent[]): void {
    // Any cached body may contain what was hard-deleted.
    if (events.some(({ type }) => type === "schema.erased")) this.#forgetAll();
    for (const event of events) {
      const body = printBody(this.tenant, event);
      this.#forget(event.seq);
      this.#kept.set(event.seq, body);
      this.#characters += body.length;
    }
    for (const seq of this.#kept.keys()) {
      if (this.#characters <= MAX_KEPT_CHARACTERS) break;
      this.#forget(seq);
    }
  }

  #forget(seq: number): void {
    this.#characters -= this.#kept.get(seq)?.length ?? 0;
    this.#kept.delete(seq);
  }

  #forgetAll(): void {
    this.#kept.clear();
    this.#characters = 0;
  }
}

function printBody(tenant: string, event: RegistryEvent): string {
  return JSON.stringify(cloudEvent(tenant, event));
}

/** A test delivery has no log entry, so its event id is that of a notice. */
export function testEventId(unique: string): string {
  return `test-${unique}`;
}

export const TEST_TYPE = "webhook.tested";
export const PORTABILITY_CHANGED = "portability.changed";

type NoticeHead = { id: string; type: string; subject: string | null; atMs: number; actor: string; requestId: string };

/** The event of a test delivery. */
export function testBody(tenant: string, head: Omit<NoticeHead, "type" | "subject">): string {
  return noticeBody(tenant, { ...head, type: TEST_TYPE, subject: null }, { record: null });
}

/** The event of a notice about a version; null if it was hard-deleted since. */
export function portabilityBody(
  tenant: string,
  head: Omit<NoticeHead, "type">,
  record: SchemaRecord | null,
  changes: readonly PortabilityChange[],
): string {
  return noticeBody(
    tenant,
    { ...head, type: PORTABILITY_CHANGED },
    {
      record: record === null ? null : recordView(record),
      portability_changes: changes.map(({ profile, readiness, previousProfile, previousReadiness }) => ({
        profile,
        readiness,
        previous_profile: previousProfile,
        previous_readiness: previousReadiness,
      })),
    },
  );
}

function noticeBody(tenant: string, head: NoticeHead, data: Readonly<Record<string, unknown>>): string {
  const { id, type, subject, atMs, actor, requestId } = head;
  return JSON.stringify({
    specversion: "1.0",
    id,
    source: `/registries/${encodeURIComponent(tenant)}`,
    type: `${EVENT_TYPE_PREFIX}${type}`,
    ...(subject === null ? {} : { subject }),
    time: timestamp(atMs),
    datacontenttype: "application/json",
    data: { notice_id: id, ...data, actor, request_id: requestId },
  });
}
