/** `/events`: the registry's events by WebSocket, as server-sent events, or page by page. */
import { type ErrorItem, makeRefusal } from "../../../contract/errors.ts";
import { parseFilter } from "../../../durable-objects/feed/filter.ts";
import type { Subscription } from "../../../durable-objects/feed/protocol.ts";
import { EPOCH } from "../../../registry/log-entry.ts";
import { listEvents, subscribe } from "../../registry/follow/events.ts";
import { type Answer, jsonAnswer, provenance } from "../answer.ts";
import { accepts } from "../body.ts";
import { RegistryError, requireValue } from "../errors.ts";
import { eventStream } from "./event-stream.ts";
import { textParameter } from "./fields.ts";
import type { NativeRequest } from "./request.ts";

const EVENT_STREAM = "text/event-stream";

export async function readEvents(request: NativeRequest): Promise<Answer> {
  const { edge, query } = request;
  const subscription = parseSubscription(request);
  const { headers } = request.request;
  if (headers.get("Upgrade")?.toLowerCase() === "websocket") {
    const { socket } = requireValue(await subscribe(edge, subscription));
    return { status: 101, headers: {}, body: null, webSocket: socket };
  }
  if (asksForStream(headers.get("Accept"))) {
    const { socket } = requireValue(await subscribe(edge, subscription));
    return {
      status: 200,
      // Keeps proxies from compressing the stream, which would delay it.
      headers: { "Content-Type": EVENT_STREAM, "Cache-Control": "no-store, no-transform" },
      body: eventStream(socket, () => edge.now()),
    };
  }
  const limit = query.limit as number;
  const page = requireValue(await listEvents(edge, { ...subscription, limit }));
  const body = { items: page.items, next_after: page.nextAfter, more: page.more };
  return jsonAnswer(200, body, provenance(page.asOf, "primary"));
}

function parseSubscription(request: NativeRequest): Subscription {
  const items: ErrorItem[] = [];
  const after = parseAfter(request, items);
  const parsed = parseFilter(textParameter(request, "subjects"), textParameter(request, "types"));
  if (!parsed.ok) items.push(...parsed.refusal);
  if (!parsed.ok || items.length > 0) {
    const { message } = items[0]!;
    throw new RegistryError(makeRefusal("BAD_REQUEST", [message], message, { items }));
  }
  return { after, filter: parsed.value };
}

/** On reconnecting, a client repeats its first URL, `after` included, and sends its position in the header. */
function parseAfter({ query, header }: NativeRequest, items: ErrorItem[]): number | null {
  const id = header["Last-Event-ID"];
  if (typeof id !== "string") return (query.after as number | undefined) ?? null;
  const [, epoch, seq] = /^(\d+)\.(\d+)$/.exec(id) ?? [];
  if (Number(epoch) === EPOCH && Number.isSafeInteger(Number(seq))) return Number(seq);
  items.push({ rule: "after", message: `Header "Last-Event-ID" must be the id of an event of this log, not "${id}".` });
  return null;
}

/** JSON is the default for any other Accept header that allows it. */
function asksForStream(accept: string | null): boolean {
  return accept?.toLowerCase().includes(EVENT_STREAM) === true && accepts(accept, [EVENT_STREAM]);
}
