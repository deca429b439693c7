/**
 * Tells one tenant's endpoints of what was logged. It follows the log like every follower, turns events into deliveries in the
 * same transaction as its place in the log, and sends them from its alarm, so that whatever dies at whatever moment, each is
 * sent at least once. A class of its own beside the feed, for endpoints that hang must not slow those who listen.
 */
import { DurableObject } from "cloudflare:workers";
import { type Refusal, refuse } from "../contract/errors";
import { errorFields, logLine } from "../contract/log-line";
import { migrate } from "./migrations";
import { PrimaryUnreachable, primaryOf } from "./primary-client";
import { MAX_EVENT_PAGE, PROTOCOL_VERSION } from "./protocol";
import { parseUrlRules, readWebhookUrl } from "./webhooks/address";
import { ATTEMPT_TIMEOUT_MS, type Attempted, attempt } from "./webhooks/attempt";
import { Bodies, TEST_TYPE, testBody, testEventId } from "./webhooks/bodies";
import { Deliveries, type DeliveryRow, type EndpointState, KEPT, MAX_REPLAYED } from "./webhooks/deliveries";
import type { HeardEndpoint } from "./webhooks/endpoint";
import type { Delivery, DeliveryStatus, EndpointHealth, Webhooks, WebhooksStatus } from "./webhooks/rpc";
import { afterFailure, CLOSED, circuitState, heldOff, nextAttemptMs, parseRetryAfterMs } from "./webhooks/schedule";
import { parseSigningKey, signedHeaders } from "./webhooks/signing";
import { WEBHOOK_MIGRATIONS } from "./webhooks/tables";

/**
 * Six connections may wait for an answer at once (https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections);
 * one is left for the primary and for tests.
 */
export const MAX_CONCURRENT = 5;
export const MAX_CONCURRENT_PER_ENDPOINT = 2;
/** Endpoints that failed last may hold so many together, one each; the others are left to those that answer. */
export const MAX_CONCURRENT_FAILING = 3;
/** An alarm may run for 15 minutes; after this one starts nothing more and the next takes over. */
const RUN_MS = 5 * 60 * 1_000;
/** Should the object die while it works, it goes on after this. */
const GUARD_MS = 15_000;
/** While the primary is away nothing can be read, and nothing is held against an endpoint. */
const PRIMARY_RETRY_MS = 5_000;
/** A registry with endpoints looks at the log by itself this often: what no nudge has told, since all were lost, is late and not lost. */
const LOOK_EVERY_MS = 60_000;
/** A test is answered within the 10 s that a request to the edge may take. */
export const TEST_TIMEOUT_MS = 8_000;
/** What is due and cannot start yet, since too much is under way, is looked at again after this at the latest. */
const SHORTEST_WAIT_MS = 50;
/** What waits for an endpoint that is not being tried is given up within this after its time, and what is kept is looked through. */
const TIDY_EVERY_MS = 60 * 60 * 1_000;
const USER_AGENT = "llm-schema-registry-webhooks/1";

export type WebhooksBindings = {
  PRIMARIES: { getByName(name: string): unknown };
  WEBHOOK_SIGNING_KEY?: string;
  WEBHOOK_ALLOWED_ORIGINS?: string;
};

export class WebhooksObject extends DurableObject<WebhooksBindings> implements Webhooks {
  /** Fields, so no caller can reach them over RPC; tests replace them. */
  now = () => Date.now();
  /** When the runtime's alarm rings for a time of `now`. */
  alarmAt = (atMs: number) => Date.now() + Math.max(0, atMs - this.now());
  send: (url: string, init: RequestInit) => Promise<Response> = (url, init) => fetch(url, init);
  random = () => Math.random();
  attemptTimeoutMs = ATTEMPT_TIMEOUT_MS;
  testTimeoutMs = TEST_TIMEOUT_MS;
  eventsPerPage = MAX_EVENT_PAGE;
  kept = KEPT;
  maxReplayed = MAX_REPLAYED;

  readonly #deliveries: Deliveries;
  readonly #bodies: Bodies;
  /** Delivery keys on their way, by endpoint. */
  readonly #sending = new Map<string, Set<number>>();
  #pulling: Promise<void> | undefined;
  #lookedAtMs = 0;
  #tidiedAtMs = 0;
  #running = false;
  #wake = Promise.withResolvers<void>();
  /** The endpoint that was served last, so that each gets its turn. */
  #turn = 0;

  constructor(ctx: DurableObjectState, env: WebhooksBindings) {
    super(ctx, env);
    migrate(ctx.storage, WEBHOOK_MIGRATIONS);
    this.#deliveries = new Deliveries(ctx.storage.sql);
    this.#bodies = new Bodies(this.#tenant(), (after, limit) => this.#primary().readEvents({ after, limit }));
  }

  /** Pulls the log up to where it is said to reach. Calls may be lost, doubled or late. */
  async nudge({ v, upToSeq }: { v: number; upToSeq: number }): Promise<void> {
    if (v !== PROTOCOL_VERSION) throw new Error("A deployment is under way: repeat the nudge.");
    if (upToSeq <= this.#deliveries.mark("tip")) return;
    this.#deliveries.raise("wanted", upToSeq);
    if (!this.#running) await this.#setAlarm(this.now() + PRIMARY_RETRY_MS);
    await this.#follow();
  }

  async status(): Promise<WebhooksStatus> {
    const nowMs = this.now();
    const endpoints = this.#deliveries.endpoints();
    const enabled = endpoints.filter(({ webhook }) => webhook.enabled).length;
    const total = (status: DeliveryStatus) =>
      endpoints.reduce((sum, { webhook }) => sum + this.#deliveries.countOf(webhook.id, status), 0);
    const oldest = this.#deliveries.oldestPendingEventMs();
    const counter = (name: keyof WebhooksStatus["counters"]) => this.#deliveries.mark(name);
    return {
      seq: this.#deliveries.mark("tip"),
      endpoints: { enabled, disabled: endpoints.length - enabled },
      circuitsOpen: endpoints.filter(({ circuit }) => circuitState(circuit, nowMs) !== "closed").length,
      pending: total("pending"),
      oldestPendingMs: oldest === null ? null : Math.max(0, nowMs - oldest),
      deadLetters: total("dead"),
      counters: {
        delivered: counter("delivered"),
        failed: counter("failed"),
        retried: counter("retried"),
        dead: counter("dead"),
        replayed: counter("replayed"),
      },
    };
  }

  async health({ webhookId }: { webhookId: string }): Promise<EndpointHealth> {
    const state = this.#deliveries.endpoint(webhookId);
    const circuit = state?.circuit ?? CLOSED;
    const said = circuitState(circuit, this.now());
    return {
      circuit: said,
      consecutiveFailures: circuit.failures,
      openUntilMs: said === "open" ? circuit.openUntilMs : null,
      pending: this.#deliveries.countOf(webhookId, "pending"),
      dead: this.#deliveries.countOf(webhookId, "dead"),
      lastDeliveredAtMs: state?.lastDeliveredAtMs ?? null,
    };
  }

  async deliveries({ webhookId, status, before, limit }: Parameters<Webhooks["deliveries"]>[0]) {
    const rows = this.#deliveries.page(webhookId, status, before, limit);
    const items = rows.map((row) => this.#deliveries.view(row));
    return { items, next: rows.length === limit ? (rows.at(-1)?.delivery_key ?? null) : null };
  }

  async replay({ webhookId, deliveryId }: { webhookId: string; deliveryId: string }): Promise<Delivery | Refusal> {
    const row = this.#deliveries.byId(webhookId, deliveryId);
    if (!row) return refuse("DELIVERY_NOT_FOUND", [deliveryId], `This webhook has no delivery ${deliveryId}.`);
    if (row.seq === null) {
      const detail = "A test is sent once: send another.";
      return refuse("CONFLICT", [detail], detail);
    }
    this.ctx.storage.transactionSync(() => this.#deliveries.makeDue(row, this.now()));
    await this.#soon();
    return this.#deliveries.view(this.#deliveries.byId(webhookId, deliveryId)!);
  }

  async replayDead({ webhookId, sinceSeq, sinceMs }: Parameters<Webhooks["replayDead"]>[0]) {
    const [seq, ms] = [sinceSeq ?? 0, sinceMs ?? 0];
    const replayed = this.ctx.storage.transactionSync(() => {
      const rows = this.#deliveries.deadSince(webhookId, seq, ms, this.maxReplayed);
      for (const row of rows) this.#deliveries.makeDue(row, this.now());
      return rows.length;
    });
    await this.#soon();
    return { replayed, remaining: this.#deliveries.countDeadSince(webhookId, seq, ms) };
  }

  async sendTest({ webhookId, actor, requestId }: Parameters<Webhooks["sendTest"]>[0]): Promise<Delivery | Refusal> {
    const answer = await this.#primary()
      .read("webhook", { id: webhookId })
      .catch((error: unknown) => {
        // A refusal crosses to the edge, an error would lose what it is.
        if (error instanceof PrimaryUnreachable) return error.refusal;
        throw error;
      });
    if ("ok" in answer) return answer;
    const webhook = answer.value;
    if (webhook === null) return refuse("WEBHOOK_NOT_FOUND", [webhookId], `There is no webhook with id ${webhookId}.`);
    const nowMs = this.now();
    const unique = crypto.randomUUID();
    const event = { id: testEventId(unique), nowMs, actor, requestId };
    const body = testBody(this.#tenant(), event);
    const id = `msg_test_${unique}`;
    const attempted = await this.#attempt(webhook, id, body, this.testTimeoutMs);
    const row = this.ctx.storage.transactionSync(() => {
      // An endpoint that answers need not wait for its circuit to close.
      if (attempted.error === null) this.#deliveries.setCircuit(webhookId, CLOSED);
      const test = { id, webhookId, eventId: event.id, type: TEST_TYPE, nowMs };
      return this.#deliveries.addTest(test, attempted);
    });
    await this.#soon();
    return this.#deliveries.view(row);
  }

  /** Follows what was not followed, sends what is due, forgets what is old, and says when to be called again. May run twice. */
  override async alarm(): Promise<void> {
    this.#running = true;
    await this.#setAlarm(this.now() + GUARD_MS);
    let notBeforeMs = 0;
    try {
      await this.#lookAtLog();
      await this.#sendDue();
      await this.#tellGone();
      this.#tidy();
    } catch (error) {
      // What is due stays due, and would fail the same way at once.
      notBeforeMs = this.now() + GUARD_MS;
      logLine("error", "Webhooks' alarm failed and runs again.", { tenant: this.#tenant(), ...errorFields(error) });
    }
    this.#running = false;
    const nextMs = this.#nextAlarmMs();
    if (nextMs === null) await this.ctx.storage.deleteAlarm();
    else await this.#setAlarm(Math.max(nextMs, notBeforeMs));
  }

  /** Gives up what is out of time and not being tried, and forgets what is old or too much. */
  #tidy(): void {
    const nowMs = this.now();
    if (nowMs - this.#tidiedAtMs < TIDY_EVERY_MS) return;
    this.#tidiedAtMs = nowMs;
    for (const state of this.#deliveries.endpoints()) {
      this.ctx.storage.transactionSync(() => {
        if (!isTried(state, nowMs)) this.#deliveries.expire(state.webhook.id, nowMs);
        this.#deliveries.prune(state.webhook.id, nowMs, this.kept);
      });
    }
  }

  // ---- Following the log

  async #follow(): Promise<void> {
    while (this.#deliveries.mark("tip") < this.#deliveries.mark("wanted")) await this.#pullOnce();
  }

  async #lookAtLog(): Promise<void> {
    try {
      const isTime = this.now() - this.#lookedAtMs >= LOOK_EVERY_MS;
      if (isTime && this.#deliveries.endpoints().length > 0) await this.#pullOnce();
      await this.#follow();
    } catch (error) {
      logLine("warn", "Webhooks cannot follow the log yet.", { tenant: this.#tenant(), ...errorFields(error) });
    }
  }

  /** Whoever asks while a page is being pulled waits for that one. */
  async #pullOnce(): Promise<void> {
    this.#pulling ??= this.#pull().finally(() => {
      this.#pulling = undefined;
    });
    await this.#pulling;
  }

  /** One page of the log: its deliveries and the place behind it are written together. */
  async #pull(): Promise<void> {
    const wanted = this.#deliveries.mark("wanted");
    if (this.#deliveries.endpoints().length === 0 && !(await this.#skipAhead(wanted))) return;
    const after = this.#deliveries.mark("tip");
    const { events, asOf } = await this.#primary().readEvents({ after, limit: this.eventsPerPage });
    this.#lookedAtMs = this.now();
    if (events.length === 0) {
      this.#reached(asOf.seq, wanted);
      return;
    }
    this.#bodies.keep(events);
    this.ctx.storage.transactionSync(() => {
      for (const event of events) {
        if (event.webhook) this.#deliveries.change(event.webhook, event.seq, this.now());
        if (!event.restored) this.#deliveries.add(event, this.now());
      }
      this.#deliveries.raise("tip", events.at(-1)!.seq);
      this.#deliveries.raise("wanted", asOf.seq);
    });
    await this.#soon();
  }

  /**
   * Whoever is not there at the log's end need not be told of what came before, so a registry without webhooks costs one
   * question instead of its whole log. Gives whether there is anybody, and then goes to before the first of them.
   */
  async #skipAhead(wanted: number): Promise<boolean> {
    const answer = await this.#primary().read("webhooks", {});
    if ("ok" in answer) throw new Error(answer.detail);
    const { value, asOf } = answer;
    if (value.length === 0) this.#reached(asOf.seq, wanted);
    else this.#deliveries.raise("tip", Math.min(...value.map(({ createdSeq }) => createdSeq)) - 1);
    return value.length > 0;
  }

  /** Nothing followed in the log when it was asked, whatever had been said until then; a nudge since then still counts. */
  #reached(seq: number, wantedWhenAsked: number): void {
    this.#deliveries.raise("tip", seq);
    if (this.#deliveries.mark("wanted") === wantedWhenAsked) this.#deliveries.set("wanted", seq);
  }

  // ---- Sending

  async #sendDue(): Promise<void> {
    const startNothingAfterMs = Date.now() + RUN_MS;
    const running = new Set<Promise<void>>();
    for (;;) {
      this.#wake = Promise.withResolvers<void>();
      while (running.size < MAX_CONCURRENT && Date.now() < startNothingAfterMs) {
        const next = this.#takeNext();
        if (!next) break;
        const work: Promise<void> = this.#deliver(next.state, next.row).finally(() => {
          this.#release(next.row);
          running.delete(work);
        });
        running.add(work);
      }
      if (running.size === 0) return;
      await this.#raceNextDue([...running, this.#wake.promise]);
    }
  }

  /** The next delivery that may be sent, each endpoint in its turn. */
  #takeNext(): { state: EndpointState; row: DeliveryRow } | undefined {
    const nowMs = this.now();
    const states = this.#deliveries.endpoints();
    const failing = states.filter(
      ({ webhook, circuit }) => circuit.failures > 0 && this.#sendingOf(webhook.id).size > 0,
    );
    for (let tried = 0; tried < states.length; tried += 1) {
      this.#turn = (this.#turn + 1) % states.length;
      const state = states[this.#turn]!;
      const { webhook, circuit } = state;
      if (!isTried(state, nowMs)) continue;
      const sending = this.#sendingOf(webhook.id);
      const hasFailed = circuit.failures > 0 || circuit.openUntilMs !== null;
      if (sending.size >= (hasFailed ? 1 : MAX_CONCURRENT_PER_ENDPOINT)) continue;
      if (hasFailed && failing.length >= MAX_CONCURRENT_FAILING) continue;
      const due = this.#deliveries.due(webhook.id, nowMs, sending.size + 1);
      const row = due.find(({ delivery_key }) => !sending.has(delivery_key));
      if (!row) continue;
      sending.add(row.delivery_key);
      return { state, row };
    }
    return undefined;
  }

  /** Sends one delivery and writes down what came of it. Until that is written, dying means sending it again. */
  async #deliver({ webhook }: EndpointState, row: DeliveryRow): Promise<void> {
    let body: string;
    try {
      body = await this.#bodies.of(row.seq!);
    } catch (error) {
      logLine("error", "An event cannot be read yet.", { tenant: this.#tenant(), seq: row.seq, ...errorFields(error) });
      this.#deliveries.postpone(row, this.now() + PRIMARY_RETRY_MS, false);
      return;
    }
    const atMs = this.now();
    const attempted = await this.#attempt(webhook, row.id, body, this.attemptTimeoutMs);
    this.ctx.storage.transactionSync(() => this.#settle(row, webhook, atMs, attempted));
  }

  #settle(row: DeliveryRow, webhook: HeardEndpoint, atMs: number, attempted: Attempted): void {
    const deliveries = this.#deliveries;
    const state = deliveries.endpoint(webhook.id);
    // Deleted meanwhile, with all that was on its way.
    if (!state) return;
    const nowMs = this.now();
    deliveries.addAttempt(row, atMs, attempted);
    if (row.failures > 0) deliveries.count("retried");
    if (attempted.error === null) {
      deliveries.end(row, "delivered", nowMs);
      deliveries.setCircuit(webhook.id, CLOSED);
      deliveries.setLastDelivered(webhook.id, nowMs);
      return;
    }
    deliveries.count("failed");
    const retryAfterMs = parseRetryAfterMs(attempted.retryAfter, nowMs);
    const circuit = afterFailure(state.circuit, nowMs);
    deliveries.setCircuit(webhook.id, retryAfterMs > 0 ? heldOff(circuit, nowMs + retryAfterMs) : circuit);
    if (attempted.status === 410) deliveries.setGone(webhook.id, webhook.seq);
    const again =
      attempted.status === 410
        ? null
        : nextAttemptMs(row.failures + 1, { nowMs, expiresAtMs: row.expires_at, retryAfterMs, random: this.random() });
    if (again === null) deliveries.end(row, "dead", nowMs);
    else deliveries.postpone(row, again, true);
  }

  async #attempt(webhook: HeardEndpoint, id: string, body: string, timeoutMs: number): Promise<Attempted> {
    try {
      const signingKey = parseSigningKey(this.env.WEBHOOK_SIGNING_KEY);
      if (!signingKey) throw new Error("WEBHOOK_SIGNING_KEY is not set.");
      // Looked at again, for the operator may have changed what is allowed since.
      const read = readWebhookUrl(webhook.url, parseUrlRules(this.env.WEBHOOK_ALLOWED_ORIGINS));
      if (!read.ok) throw new Error(read.problem);
      const signed = await signedHeaders(signingKey, this.#tenant(), webhook, { id, body, nowMs: this.now() });
      const headers = { "Content-Type": "application/cloudevents+json", "User-Agent": USER_AGENT, ...signed };
      return await attempt(this.send, { url: read.url, headers, body }, timeoutMs);
    } catch (error) {
      // A setting that is wrong shows in every delivery's log, and is put right before its time is over.
      return { status: null, latencyMs: 0, error: `Not sent: ${(error as Error).message}`, retryAfter: null };
    }
  }

  /** Switches off, in the log, what has answered that it is gone. */
  async #tellGone(): Promise<void> {
    for (const { webhook, goneAtSeq } of this.#deliveries.endpoints()) {
      if (goneAtSeq === null) continue;
      try {
        const { asOf } = await this.#primary().commit({
          commandId: `webhook-gone:${webhook.id}:${goneAtSeq}`,
          caller: { tenant: this.#tenant(), actor: "webhooks", requestId: `webhook-gone:${webhook.id}:${goneAtSeq}` },
          command: {
            type: "updateWebhook",
            id: webhook.id,
            changes: { enabled: false },
            gone: true,
            // Whoever changed it meanwhile has had the last word.
            ifMatchSeq: goneAtSeq,
          },
          facts: [],
          storedTexts: [],
          computeMissing: false,
        });
        // Either way the log says now how it stands with the endpoint.
        this.#deliveries.raise("wanted", asOf.seq);
        await this.#follow();
      } catch (error) {
        logLine("error", "An endpoint that is gone stays enabled.", { tenant: this.#tenant(), ...errorFields(error) });
      }
    }
  }

  // ---- When

  /** Sends what has become due: now, if an alarm is at it, or by the next one. */
  async #soon(): Promise<void> {
    this.#wake.resolve();
    if (!this.#running) await this.#setAlarm(this.#nextAlarmMs() ?? this.now());
  }

  /** Waits for the first of these, or until something else becomes due. */
  async #raceNextDue(promises: readonly Promise<void>[]): Promise<void> {
    const nextMs = this.#nextDueMs();
    if (nextMs === null) return Promise.race(promises);
    const due = Promise.withResolvers<void>();
    const waitMs = Math.max(this.alarmAt(nextMs) - Date.now(), SHORTEST_WAIT_MS);
    const timer = setTimeout(due.resolve, Math.min(waitMs, RUN_MS));
    try {
      await Promise.race([...promises, due.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #nextAlarmMs(): number | null {
    const times = [this.#nextDueMs()];
    const isBehind = this.#deliveries.mark("tip") < this.#deliveries.mark("wanted");
    const isGone = this.#deliveries.endpoints().some(({ goneAtSeq }) => goneAtSeq !== null);
    if (isBehind || isGone) times.push(this.now() + PRIMARY_RETRY_MS);
    if (this.#deliveries.endpoints().length > 0) {
      times.push(Math.max(this.#lookedAtMs + LOOK_EVERY_MS, this.now() + PRIMARY_RETRY_MS));
    }
    const known = times.filter((time) => time !== null);
    return known.length === 0 ? null : Math.min(...known);
  }

  /** When the next delivery may be tried, or looked at to be given up, that is not on its way already. */
  #nextDueMs(): number | null {
    let nextMs: number | null = null;
    for (const { webhook, circuit } of this.#deliveries.endpoints()) {
      if (this.#sendingOf(webhook.id).size > 0) continue;
      const dueMs = this.#deliveries.firstDueMs(webhook.id);
      if (dueMs === null) continue;
      const atMs = webhook.enabled ? Math.max(dueMs, circuit.openUntilMs ?? 0) : Number.POSITIVE_INFINITY;
      const lookedAtMs = Math.min(atMs, this.now() + TIDY_EVERY_MS);
      nextMs = Math.min(nextMs ?? lookedAtMs, lookedAtMs);
    }
    return nextMs;
  }

  #sendingOf(webhookId: string): Set<number> {
    const known = this.#sending.get(webhookId);
    if (known) return known;
    const fresh = new Set<number>();
    this.#sending.set(webhookId, fresh);
    return fresh;
  }

  #release({ webhook_id, delivery_key }: DeliveryRow): void {
    this.#sendingOf(webhook_id).delete(delivery_key);
  }

  async #setAlarm(atMs: number): Promise<void> {
    await this.ctx.storage.setAlarm(this.alarmAt(atMs));
  }

  #primary() {
    return primaryOf(this.env, this.#tenant());
  }

  #tenant(): string {
    const name = this.ctx.id.name;
    if (name === undefined) throw new Error("Webhooks are only ever reached by name.");
    return name.slice(0, name.lastIndexOf("/"));
  }
}

/** Whether deliveries may be sent to an endpoint at all. */
function isTried({ webhook, circuit, goneAtSeq }: EndpointState, nowMs: number): boolean {
  return webhook.enabled && goneAtSeq === null && circuitState(circuit, nowMs) !== "open";
}
