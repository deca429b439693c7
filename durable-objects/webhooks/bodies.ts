/**
 * Request bodies of deliveries. They are never stored: an event is read again from the primary, which knows what has
 * been hard-deleted since, and cached in memory, where deliveries made immediately after their log entry find it.
 */
import { cloudEvent, EVENT_TYPE_PREFIX } from "../../registry/cloud-event.ts";
import type { EventPage, RegistryEvent } from "../../registry/event.ts";
import { timestamp } from "../../registry/record-view.ts";

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
    return this.#kept.get(seq) ?? bodyOf(this.tenant, event);
  }

  keep(events: readonly RegistryEvent[]): void {
    // Any cached body may contain what was hard-deleted.
    if (events.some(({ type }) => type === "schema.erased")) this.#forgetAll();
    for (const event of events) {
      const body = bodyOf(this.tenant, event);
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

function bodyOf(tenant: string, event: RegistryEvent): string {
  return JSON.stringify(cloudEvent(tenant, event));
}

/** A test delivery has no log entry, so its event id is that of a notice. */
export function testEventId(unique: string): string {
  return `test-${unique}`;
}

export const TEST_TYPE = "webhook.tested";

/** The event of a test delivery. */
export function testBody(
  tenant: string,
  { id, nowMs, actor, requestId }: { id: string; nowMs: number; actor: string; requestId: string },
): string {
  return JSON.stringify({
    specversion: "1.0",
    id,
    source: `/registries/${encodeURIComponent(tenant)}`,
    type: `${EVENT_TYPE_PREFIX}${TEST_TYPE}`,
    time: timestamp(nowMs),
    datacontenttype: "application/json",
    data: { notice_id: id, record: null, actor, request_id: requestId },
  });
}
