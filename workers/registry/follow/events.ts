/** A registry's events: paged, or as a subscription. */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import { matchesFilter } from "../../../durable-objects/feed/filter.ts";
import { type Subscription, subscriptionRequest } from "../../../durable-objects/feed/protocol.ts";
import { type CloudEvent, cloudEvent } from "../../../registry/cloud-event.ts";
import { MAX_EVENT_PAGE, type RegistryEvent } from "../../../registry/event.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { parseSubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { openFeed } from "./followers.ts";

/** Entries scanned per page. A caller whose filter excludes most of them still learns how far the page advanced. */
export const MAX_PAGE_SCAN = 5_000;

type EventList = {
  items: CloudEvent[];
  /** Start of the next page. */
  nextAfter: number;
  /** Whether the log continues after this page. */
  more: boolean;
  asOf: AsOf;
};

/** Events after a seq that match the filter. `after` null: no events, only the position from which new ones follow. */
export async function listEvents(
  edge: Edge,
  { after, filter, limit }: Subscription & { limit: number },
): Promise<Result<EventList, Refusal>> {
  const primary = edge.primary;
  if (after === null) {
    const { asOf } = await primary.readEvents({ after: Number.MAX_SAFE_INTEGER, limit: 1 });
    return ok({ items: [], nextAfter: asOf.seq, more: false, asOf });
  }
  const items: CloudEvent[] = [];
  const filters = filter.subjects !== null || filter.types !== null || edge.access !== undefined;
  let nextAfter = after;
  for (;;) {
    const wanted = filters ? MAX_EVENT_PAGE : limit - items.length;
    const { events, asOf } = await primary.readEvents({ after: nextAfter, limit: wanted });
    if (after > asOf.seq) return refuse(beyondTheLog(after, asOf.seq));
    for (const event of events) {
      if (items.length === limit) break;
      if (matchesFilter(filter, event) && mayHear(edge, event)) items.push(cloudEvent(edge.tenant, event));
      nextAfter = event.seq;
    }
    const more = nextAfter < asOf.seq;
    if (!more || items.length === limit || nextAfter - after >= MAX_PAGE_SCAN)
      return ok({ items, nextAfter, more, asOf });
  }
}

/** Whether the caller may know all subjects of the event. An event about several subjects names none of them. */
function mayHear({ access }: Edge, { subject, records }: RegistryEvent): boolean {
  if (access === undefined || access.coversTenant("subject:read")) return true;
  if (subject === null || !access.mayKnow(parseSubjectName(subject))) return false;
  return records.every((record) => access.mayRead(record));
}

/** A WebSocket to the tenant's feed (protocol: durable-objects/feed/protocol.ts). */
export async function subscribe(
  edge: Edge,
  subscription: Subscription,
): Promise<Result<{ socket: WebSocket }, Refusal>> {
  if (edge.access?.coversTenant("subject:read") === false) return refuse(onlyByPage());
  const response = await openFeed(edge.env, edge.tenant)
    .fetch(subscriptionRequest(subscription))
    .catch(() => undefined);
  if (response === undefined) {
    const detail = "The feed is currently unreachable. Reconnect after the last event you received.";
    return refuse(makeRefusal("NOT_READY", [detail], detail, { retryAfterSeconds: 1 }));
  }
  return response.webSocket === null ? refuse((await response.json()) as Refusal) : ok({ socket: response.webSocket });
}

/** The feed broadcasts events without evaluating grants. */
function onlyByPage(): Refusal {
  const detail =
    'A subscription needs "subject:read" in the whole tenant. Read /events page by page, which leaves out what this credential may not see.';
  return makeRefusal("FORBIDDEN", [detail], detail);
}

function beyondTheLog(after: number, end: number): Refusal {
  const message = `The log ends at ${end}, so it cannot be resumed after ${after}.`;
  return makeRefusal("BAD_REQUEST", [message], message, { items: [{ rule: "after", message }] });
}
