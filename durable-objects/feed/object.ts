/**
 * Fans one tenant's log out to subscribers. The feed pulls from the primary, so a nudge may be lost, duplicated or late.
 * Each connection receives every event after its cursor once and in order; unacknowledged events limit what is sent next.
 * Without subscribers the feed stores and reads nothing.
 */

import { DurableObject } from "cloudflare:workers";
import { ERRORS, makeRefusal, type Refusal } from "../../contract/errors.ts";
import { errorFields, logLine } from "../../observe/log-line.ts";
import { cloudEvent } from "../../registry/cloud-event.ts";
import { type EventPage, MAX_EVENT_PAGE, type RegistryEvent } from "../../registry/event.ts";
import { EPOCH } from "../../registry/log-entry.ts";
import { PROTOCOL_VERSION } from "../../registry/rpc.ts";
import type { ObjectNamespace } from "../placement.ts";
import { openPrimary, PrimaryUnreachable } from "../primary/client.ts";
import { purgeObject } from "../purge.ts";
import { matchesFilter } from "./filter.ts";
import {
  CLOSE_CODES,
  type ControlMessage,
  type FeedStatus,
  MAX_SUBSCRIBERS,
  MAX_UNACKED_BYTES_TOGETHER,
  type Nudged,
  PING,
  PONG,
  POSITION_EVERY_EVENTS,
  readClientMessage,
  readSubscriptionRequest,
  STALL_GRACE_MS,
  SUBSCRIPTION_LIFETIME_MS,
  type Subscription,
} from "./protocol.ts";
import { type FeedEvent, type FeedMarks, Ring } from "./ring.ts";
import { type Attachment, MAX_UNACKED_BYTES, Subscriber } from "./subscriber.ts";

/** Events per page for subscribers that are behind: a quarter of the credit window. */
const CATCH_UP_EVENTS = 250;
/** How often stalled subscribers are checked and a failed pull is retried. */
const WATCH_EVERY_MS = 5_000;
const FULL_RETRY_SECONDS = 30;

export type { FeedStatus } from "./protocol.ts";

type FeedBindings = { PRIMARIES: ObjectNamespace };

export class FeedObject extends DurableObject<FeedBindings> {
  /** Fields, so no caller can reach them over RPC; tests replace them. */
  now = () => Date.now();
  maxSubscribers = MAX_SUBSCRIBERS;

  readonly #ring: Ring;
  readonly #subscribers = new Map<WebSocket, Subscriber>();
  /** Subscribers behind the tip, served in turn. */
  readonly #behind = new Set<WebSocket>();
  /** Connections being accepted; they count as subscribers. */
  #arriving = 0;
  #marks: FeedMarks;
  #pulling: Promise<void> | null = null;
  #pullAfter: Promise<void> | null = null;
  #catchingUp = false;
  #watching = false;

  constructor(ctx: DurableObjectState, env: FeedBindings) {
    super(ctx, env);
    this.#ring = new Ring(ctx.storage.sql);
    this.#marks = this.#ring.readMarks();
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
    for (const socket of ctx.getWebSockets()) {
      const attachment = socket.deserializeAttachment() as Attachment | null;
      if (attachment === null || socket.readyState !== WebSocket.OPEN) continue;
      const subscriber = new Subscriber(attachment);
      this.#subscribers.set(socket, subscriber);
      if (this.#isBehind(subscriber)) this.#behind.add(socket);
    }
  }

  /** Nudge: the log has grown to `upToSeq`. May arrive twice, late, or never. */
  async nudge({ v, upToSeq }: { v: number; upToSeq: number }): Promise<Nudged> {
    requireKnownVersion(v);
    if (!Number.isSafeInteger(upToSeq)) throw new Error("A nudge must carry the seq up to which the log has grown.");
    if (!this.#isListening()) {
      this.#forget();
      return { listening: false };
    }
    if (this.#marks.tip !== null && upToSeq <= this.#marks.tip) return { listening: true };
    try {
      await this.#pull();
      return { listening: true };
    } catch (error) {
      // The next nudge may be a long time away, and subscribers are waiting.
      await this.#watch();
      throw error;
    }
  }

  /** For the cron, once the tenant has been deleted. */
  purge(_: { v: number }): Promise<void> {
    return purgeObject(this.ctx);
  }

  /** Figures for the operator's metrics. */
  status({ v }: { v: number }): FeedStatus {
    requireKnownVersion(v);
    return {
      subscribers: this.#subscribers.size,
      stalled: [...this.#subscribers.values()].filter(({ stalledAtMs }) => stalledAtMs !== null).length,
      tip: this.#marks.tip,
      kept: this.#ring.count,
      sent: this.#marks.sent,
      droppedSlow: this.#marks.droppedSlow,
    };
  }

  /** Takes a subscriber's socket (feed/protocol.ts, `subscriptionRequest`). */
  override async fetch(request: Request): Promise<Response> {
    const subscription = readSubscriptionRequest(request);
    if (!subscription.ok) return refused(subscription.refusal);
    this.#arriving += 1;
    try {
      const refusal = await this.#readyFor(subscription.value);
      return refusal === undefined ? this.#accept(subscription.value) : refused(refusal);
    } finally {
      this.#arriving -= 1;
    }
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    const subscriber = this.#subscribers.get(socket);
    if (subscriber === undefined) return;
    const problem = takeAcknowledgement(subscriber, message);
    if (problem !== undefined) {
      this.#close(socket, CLOSE_CODES.badMessage, problem);
      return;
    }
    if (subscriber.stalledAtMs !== null && subscriber.hasCredit(0, this.#windowBytes())) {
      subscriber.stalledAtMs = null;
      this.#behind.add(socket);
      // Not awaited: the next message of this socket comes only after this one is done with.
      this.ctx.waitUntil(this.#catchUp());
    }
    socket.serializeAttachment(subscriber.attachment());
  }

  override webSocketClose(socket: WebSocket): void {
    this.#remove(socket);
  }

  override webSocketError(socket: WebSocket): void {
    this.#remove(socket);
  }

  /** Closes subscribers that stalled for too long and resumes interrupted work. */
  override async alarm(): Promise<void> {
    this.#watching = false;
    const nowMs = this.now();
    for (const [socket, { stalledAtMs }] of this.#subscribers) {
      if (stalledAtMs === null || nowMs - stalledAtMs < STALL_GRACE_MS) continue;
      this.#marks.droppedSlow += 1;
      this.#close(
        socket,
        CLOSE_CODES.slow,
        "Too many events are unacknowledged: reconnect after the last event you received.",
      );
    }
    this.#ring.writeMarks(this.#marks);
    if (!this.#isListening()) return;
    try {
      await this.#pull();
      await this.#catchUp();
    } catch (error) {
      if (!(error instanceof PrimaryUnreachable)) throw error;
      await this.#watch();
    }
    if (this.#someoneWaits()) await this.#watch();
  }

  /** Undefined once the feed has reached the end the log had when the subscriber arrived. */
  async #readyFor({ after }: Subscription): Promise<Refusal | undefined> {
    // Concurrent arrivals are counted before any is accepted.
    if (this.#subscribers.size + this.#arriving > this.maxSubscribers) {
      const detail = `A registry has at most ${this.maxSubscribers} subscribers at a time.`;
      return makeRefusal("RATE_LIMITED", [], detail, { retryAfterSeconds: FULL_RETRY_SECONDS });
    }
    try {
      await this.#pull();
      if (this.#marks.tip === null) await this.#pull();
    } catch (error) {
      if (error instanceof PrimaryUnreachable) return error.refusal;
      throw error;
    }
    if (after === null || after <= this.#marks.tip!) return undefined;
    const message = `The log ends at ${this.#marks.tip}, so it cannot be resumed after ${after}.`;
    return makeRefusal("BAD_REQUEST", [message], message, { items: [{ rule: "after", message }] });
  }

  #accept({ filter, after }: Subscription): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    const tip = this.#marks.tip!;
    const subscriber = Subscriber.after(after ?? tip, filter, this.now());
    this.ctx.acceptWebSocket(server);
    this.#subscribers.set(server, subscriber);
    this.#send(server, control({ control: "started", epoch: EPOCH, after: subscriber.cursor, seq: tip }));
    server.serializeAttachment(subscriber.attachment());
    if (this.#isBehind(subscriber)) {
      this.#behind.add(server);
      this.ctx.waitUntil(this.#catchUp());
    }
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Pulls to the current end of the log. A pull already running may have read an earlier end, so another follows it. */
  #pull(): Promise<void> {
    if (this.#pulling === null) return this.#startPull();
    this.#pullAfter ??= this.#pulling
      .catch(() => undefined)
      .then(() => {
        this.#pullAfter = null;
        return this.#startPull();
      });
    return this.#pullAfter;
  }

  #startPull(): Promise<void> {
    const pulling = this.#readToEnd().finally(() => {
      this.#pulling = null;
    });
    this.#pulling = pulling;
    return pulling;
  }

  async #readToEnd(): Promise<void> {
    for (;;) {
      const tip = this.#marks.tip;
      // No subscriber needs events from before the first one arrived; only the end of the log matters.
      const page = await this.#readEvents(tip ?? Number.MAX_SAFE_INTEGER, MAX_EVENT_PAGE);
      if (this.#marks.tip !== tip) continue;
      if (tip === null) this.#start(page);
      else if (page.events.length > 0) this.#take(page);
      if (page.events.length === 0 || this.#marks.tip === null || this.#marks.tip >= page.asOf.seq) return;
    }
  }

  #start({ asOf }: EventPage): void {
    this.#ring.clear();
    this.#marks.tip = asOf.seq;
    this.#marks.lastHardDelete = asOf.lastHardDelete;
    this.#ring.writeMarks(this.#marks);
  }

  /** Handles new events, which start at the tip. Sends before writing: a write delays every later send. */
  #take({ events, asOf }: EventPage): void {
    const page = events.map((event) => this.#feedEvent(event));
    const hardDeleted = asOf.lastHardDelete > this.#marks.lastHardDelete;
    const after = this.#marks.tip!;
    this.#marks.tip = page.at(-1)!.seq;
    for (const [socket, subscriber] of this.#subscribers) {
      // Subscribers further behind catch up in turn; those without credit continue when they acknowledge.
      if (subscriber.cursor >= after && !this.#behind.has(socket)) this.#deliver(socket, subscriber, page);
    }
    this.ctx.storage.transactionSync(() => {
      // Events read before a hard delete may contain what it removed.
      if (hardDeleted) this.#ring.clear();
      this.#marks.lastHardDelete = asOf.lastHardDelete;
      this.#ring.append(page);
      this.#ring.writeMarks(this.#marks);
    });
    if (this.#someoneWaits()) this.ctx.waitUntil(this.#watch());
  }

  /** Clears the ring when the last subscriber leaves: kept events would escape later hard deletes. */
  #forget(): void {
    if (this.#marks.tip === null) return;
    this.#marks.tip = null;
    this.#ring.clear();
    this.#ring.writeMarks(this.#marks);
  }

  /** Brings subscribers that are behind to the tip, page by page; one page serves every subscriber whose cursor lies in it. */
  async #catchUp(): Promise<void> {
    if (this.#catchingUp) return;
    this.#catchingUp = true;
    try {
      for (const [first] of this.#behind.entries()) {
        const subscriber = this.#subscribers.get(first);
        if (subscriber === undefined) {
          this.#behind.delete(first);
          continue;
        }
        const after = subscriber.cursor;
        const page = await this.#pageAfter(after);
        for (const socket of this.#behind) this.#deliverWithin(socket, after, page);
        // A subscriber that is still behind goes to the end of the queue.
        if (this.#behind.delete(first) && this.#isBehind(subscriber) && page.length > 0) this.#behind.add(first);
        this.#ring.writeMarks(this.#marks);
      }
    } catch (error) {
      // The subscriber stays behind; the alarm retries.
      logLine("error", "The feed cannot read the log.", { tenant: this.#tenant(), ...errorFields(error) });
    } finally {
      this.#catchingUp = false;
    }
    if (this.#someoneWaits()) await this.#watch();
  }

  #deliverWithin(socket: WebSocket, after: number, page: readonly FeedEvent[]): void {
    const subscriber = this.#subscribers.get(socket);
    if (subscriber === undefined) this.#behind.delete(socket);
    else if (subscriber.cursor >= after && subscriber.cursor < (page.at(-1)?.seq ?? 0)) {
      this.#deliver(socket, subscriber, page);
      if (!this.#isBehind(subscriber)) this.#behind.delete(socket);
    }
  }

  async #pageAfter(seq: number): Promise<FeedEvent[]> {
    if (this.#ring.covers(seq)) {
      // Yields to acknowledgements and new events between pages.
      await scheduler.wait(0);
      if (this.#ring.covers(seq)) return this.#ring.after(seq, CATCH_UP_EVENTS);
    }
    const { events } = await this.#readEvents(seq, CATCH_UP_EVENTS);
    return events.map((event) => this.#feedEvent(event));
  }

  /** Sends the events of a page that match the filter, as far as credit allows. The page starts at or before the cursor. */
  #deliver(socket: WebSocket, subscriber: Subscriber, page: readonly FeedEvent[]): void {
    const windowBytes = this.#windowBytes();
    for (const event of page) {
      if (event.seq <= subscriber.cursor) continue;
      if (matchesFilter(subscriber.filter, event)) {
        if (this.now() - subscriber.startedAtMs > SUBSCRIPTION_LIFETIME_MS) {
          this.#close(socket, CLOSE_CODES.renew, "Connect again after the last event you received.");
          return;
        }
        if (!subscriber.hasCredit(event.bytes, windowBytes)) {
          subscriber.stalledAtMs ??= this.now();
          break;
        }
        if (!this.#send(socket, event.text)) return;
        subscriber.noteSent(event.seq, event.bytes, windowBytes);
        this.#marks.sent += 1;
      }
      subscriber.cursor = event.seq;
    }
    if (subscriber.silentFor >= POSITION_EVERY_EVENTS && subscriber.stalledAtMs === null) {
      const text = control({ control: "position", epoch: EPOCH, seq: subscriber.cursor });
      if (!this.#send(socket, text)) return;
      subscriber.noteSent(subscriber.cursor, text.length, windowBytes);
    }
    socket.serializeAttachment(subscriber.attachment());
  }

  /** False if the socket is already closed; the subscriber is then removed. */
  #send(socket: WebSocket, text: string): boolean {
    try {
      socket.send(text);
      return true;
    } catch {
      this.#remove(socket);
      return false;
    }
  }

  #close(socket: WebSocket, code: number, reason: string): void {
    this.#remove(socket);
    try {
      socket.close(code, reason);
    } catch {
      // The other side closed it at the same time.
    }
  }

  #remove(socket: WebSocket): void {
    this.#subscribers.delete(socket);
    this.#behind.delete(socket);
  }

  /** Bytes one subscriber may leave unacknowledged, so that all of them together fit in memory. */
  #windowBytes(): number {
    return Math.min(MAX_UNACKED_BYTES, MAX_UNACKED_BYTES_TOGETHER / this.#subscribers.size);
  }

  #isListening(): boolean {
    return this.#subscribers.size + this.#arriving > 0;
  }

  #isBehind({ cursor, stalledAtMs }: Subscriber): boolean {
    return stalledAtMs === null && this.#marks.tip !== null && cursor < this.#marks.tip;
  }

  #someoneWaits(): boolean {
    if (this.#behind.size > 0) return true;
    for (const { stalledAtMs } of this.#subscribers.values()) if (stalledAtMs !== null) return true;
    return false;
  }

  /** Schedules the alarm that resumes work after hibernation or a move. */
  async #watch(): Promise<void> {
    if (this.#watching) return;
    this.#watching = true;
    // An alarm set before hibernation must not be postponed.
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(this.now() + WATCH_EVERY_MS);
  }

  #readEvents(after: number, limit: number): Promise<EventPage> {
    return openPrimary(this.env, this.#tenant()).readEvents({ after, limit });
  }

  #feedEvent(event: RegistryEvent): FeedEvent {
    const text = JSON.stringify(cloudEvent(this.#tenant(), event));
    return {
      seq: event.seq,
      type: event.type,
      subject: event.subject,
      text,
      bytes: Buffer.byteLength(text),
    };
  }

  #tenant(): string {
    const name = this.ctx.id.name;
    if (name === undefined) throw new Error("A feed object must be addressed by name.");
    return name.slice(0, name.lastIndexOf("/"));
  }
}

/** The problem with a client's message, if there is one. */
function takeAcknowledgement(subscriber: Subscriber, message: string | ArrayBuffer): string | undefined {
  const seq = readClientMessage(message);
  if (typeof seq !== "number") return seq.problem;
  return subscriber.acknowledge(seq) ? undefined : "An event that was not sent cannot be acknowledged.";
}

function control(message: ControlMessage): string {
  return JSON.stringify(message);
}

/** Returned as a value; the edge renders it. */
function refused(refusal: Refusal): Response {
  return Response.json(refusal, { status: ERRORS[refusal.error].status });
}

function requireKnownVersion(v: number): void {
  if (v !== PROTOCOL_VERSION) throw new Error(`The feed speaks version ${PROTOCOL_VERSION}, not ${v}.`);
}
