/**
 * Delivers one tenant's log to webhook endpoints. Events become deliveries in the same transaction as the checkpoint and are
 * sent from the alarm, so a crash at any moment still delivers each at least once. Separate from the feed, because endpoints
 * that hang must not slow down subscribers.
 */

import { DurableObject } from "cloudflare:workers";
import { makeRefusal, type Refusal } from "../../contract/errors.ts";
import { errorFields, logLine } from "../../observe/log-line.ts";
import { MAX_EVENT_PAGE } from "../../registry/event.ts";
import { PROTOCOL_VERSION } from "../../registry/rpc.ts";
import type { HeardEndpoint } from "../../registry/webhook.ts";
import { comparePortability } from "../../schema/projection/portability.ts";
import { ok, type Result, refuse } from "../../schema/result.ts";
import type { ObjectNamespace } from "../placement.ts";
import { openPrimary, PrimaryUnreachable } from "../primary/client.ts";
import { migrate } from "../primary/state/migrations.ts";
import { purgeObject } from "../purge.ts";
import { parseUrlRules, readWebhookUrl, type UrlRules } from "./address.ts";
import { ATTEMPT_TIMEOUT_MS, type Attempted, attempt } from "./attempt.ts";
import { Bodies, PORTABILITY_CHANGED, portabilityBody, TEST_TYPE, testBody, testEventId } from "./bodies.ts";
import { Deliveries, type DeliveryRow, type EndpointState, KEPT, MAX_REPLAYED } from "./deliveries.ts";
import { Outcomes } from "./outcomes.ts";
import { KnownPortability } from "./portability.ts";
import { parseResolver, Resolution } from "./resolution.ts";
import type {
  Delivery,
  DeliveryStatus,
  EndpointHealth,
  PortabilityCheckpoint,
  StoredNotice,
  Webhooks,
  WebhooksStatus,
} from "./rpc.ts";
import { afterFailure, CLOSED, circuitState, heldOff, nextAttemptMs, parseRetryAfterMs } from "./schedule.ts";
import { isTried, Sender } from "./sender.ts";
import { parseSigningKey, signedHeaders } from "./signing.ts";
import { WEBHOOK_MIGRATIONS } from "./tables.ts";

/** Alarm that resumes the work if the object dies. */
const GUARD_MS = 15_000;
/** Pause while the primary is unreachable; endpoints are not blamed for it. */
const PRIMARY_RETRY_MS = 5_000;
/** How often a registry with endpoints polls the log, so that lost nudges only delay deliveries. */
const LOOK_EVERY_MS = 60_000;
/** Deadline of a test, within the 10 s of an edge request. */
const TEST_TIMEOUT_MS = 8_000;
/** How often expired deliveries are given up and old ones deleted. */
const TIDY_EVERY_MS = 60 * 60 * 1_000;
/** Notices come from the registry itself, not from a caller. */
const NOTICE_ACTOR = "registry";
const USER_AGENT = "llm-schema-registry-webhooks/1";

type WebhooksBindings = {
  PRIMARIES: ObjectNamespace;
  WEBHOOK_SIGNING_KEY?: string;
  WEBHOOK_ALLOWED_ORIGINS?: string;
  WEBHOOK_RESOLVER?: string;
};

export class WebhooksObject extends DurableObject<WebhooksBindings> implements Webhooks {
  /** Fields, so no caller can reach them over RPC; tests replace them. */
  now = () => Date.now();
  /** Converts a time of `now` to the runtime's clock. */
  alarmAt = (atMs: number) => Date.now() + Math.max(0, atMs - this.now());
  send: (url: string, init: RequestInit) => Promise<Response> = (url, init) => fetch(url, init);
  random = () => Math.random();
  attemptTimeoutMs = ATTEMPT_TIMEOUT_MS;
  testTimeoutMs = TEST_TIMEOUT_MS;
  eventsPerPage = MAX_EVENT_PAGE;
  kept = KEPT;
  maxReplayed = MAX_REPLAYED;

  readonly #deliveries: Deliveries;
  readonly #outcomes: Outcomes;
  readonly #portability: KnownPortability;
  readonly #bodies: Bodies;
  readonly #sender: Sender;
  readonly #resolution = new Resolution();
  #pulling: Promise<void> | undefined;
  #lookedAtMs = 0;
  #tidiedAtMs = 0;
  #running = false;

  constructor(ctx: DurableObjectState, env: WebhooksBindings) {
    super(ctx, env);
    migrate(ctx.storage, WEBHOOK_MIGRATIONS);
    this.#deliveries = new Deliveries(ctx.storage.sql);
    this.#outcomes = new Outcomes(ctx.storage.sql);
    this.#portability = new KnownPortability(ctx.storage.sql);
    this.#bodies = new Bodies(this.#tenant(), (after, limit) => this.#primary().readEvents({ after, limit }));
    this.#sender = new Sender(this.#deliveries, {
      now: () => this.now(),
      alarmAt: (atMs) => this.alarmAt(atMs),
      deliver: (state, row) => this.#deliver(state, row),
    });
  }

  /** Nudge: pulls the log up to `upToSeq`. May be lost, duplicated or late. */
  async nudge({ v, upToSeq }: { v: number; upToSeq: number }): Promise<void> {
    if (v !== PROTOCOL_VERSION) throw new Error("A deployment is in progress: retry the nudge.");
    if (upToSeq <= this.#deliveries.marks.get("tip")) return;
    this.#deliveries.marks.raise("wanted", upToSeq);
    if (!this.#running) await this.#setAlarm(this.now() + PRIMARY_RETRY_MS);
    await this.#follow();
  }

  /** For the cron, once the tenant has been deleted. */
  purge(_: { v: number }): Promise<void> {
    return purgeObject(this.ctx);
  }

  async portabilityCheckpoint(_: { v: number }): Promise<PortabilityCheckpoint | null> {
    if (this.#deliveries.isTypeHeard(PORTABILITY_CHANGED)) return this.#portability.checkpoint();
    this.ctx.storage.transactionSync(() => this.#portability.forget());
    return null;
  }

  async reportPortability({ from, to, linted }: Parameters<Webhooks["reportPortability"]>[0]): Promise<boolean> {
    const isStored = this.ctx.storage.transactionSync(() => {
      if (!this.#portability.isAt(from)) return false;
      for (const { recordId, subject, portability } of linted) {
        const before = this.#portability.replace(recordId, portability);
        const changes = before === undefined ? [] : comparePortability(before, portability);
        if (changes.length === 0) continue;
        const id = `portability-${crypto.randomUUID()}`;
        const content: StoredNotice = { recordId, changes };
        this.#deliveries.addNotice({ id, type: PORTABILITY_CHANGED, subject, atMs: this.now(), content });
      }
      this.#portability.moveTo(to);
      return true;
    });
    if (isStored) await this.#soon();
    return isStored;
  }

  async status(): Promise<WebhooksStatus> {
    const nowMs = this.now();
    const endpoints = this.#deliveries.endpoints();
    const enabled = endpoints.filter(({ webhook }) => webhook.enabled).length;
    const total = (status: DeliveryStatus) =>
      endpoints.reduce((sum, { webhook }) => sum + this.#deliveries.countOf(webhook.id, status), 0);
    const oldest = this.#deliveries.oldestPendingEventMs();
    const counter = (name: keyof WebhooksStatus["counters"]) => this.#deliveries.marks.get(name);
    return {
      seq: this.#deliveries.marks.get("tip"),
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

  replay({ once, ...args }: Parameters<Webhooks["replay"]>[0]): Promise<Result<Delivery, Refusal>> {
    return this.#outcomes.once(once, this.now, () => this.#replay(args));
  }

  replayDead({ once, ...args }: Parameters<Webhooks["replayDead"]>[0]): ReturnType<Webhooks["replayDead"]> {
    return this.#outcomes.once(once, this.now, () => this.#replayDead(args));
  }

  sendTest({ once, ...args }: Parameters<Webhooks["sendTest"]>[0]): Promise<Result<Delivery, Refusal>> {
    return this.#outcomes.once(once, this.now, () => this.#sendTest(args));
  }

  async #replay({
    webhookId,
    deliveryId,
  }: {
    webhookId: string;
    deliveryId: string;
  }): Promise<Result<Delivery, Refusal>> {
    const row = this.#deliveries.byId(webhookId, deliveryId);
    if (!row)
      return refuse(makeRefusal("DELIVERY_NOT_FOUND", [deliveryId], `This webhook has no delivery ${deliveryId}.`));
    if (row.seq === null && row.notice === null) {
      const detail = "A test delivery cannot be replayed; send a new test.";
      return refuse(makeRefusal("CONFLICT", [detail], detail));
    }
    this.ctx.storage.transactionSync(() => this.#deliveries.makeDue(row, this.now()));
    await this.#soon();
    return ok(this.#deliveries.view(this.#deliveries.byId(webhookId, deliveryId)!));
  }

  async #replayDead({ webhookId, sinceSeq, sinceMs }: Parameters<Webhooks["replayDead"]>[0]) {
    const [seq, ms] = [sinceSeq ?? 0, sinceMs ?? 0];
    const replayed = this.ctx.storage.transactionSync(() => {
      const rows = this.#deliveries.deadSince(webhookId, seq, ms, this.maxReplayed);
      for (const row of rows) this.#deliveries.makeDue(row, this.now());
      return rows.length;
    });
    await this.#soon();
    return ok({ replayed, remaining: this.#deliveries.countDeadSince(webhookId, seq, ms) });
  }

  async #sendTest({
    webhookId,
    actor,
    requestId,
  }: Parameters<Webhooks["sendTest"]>[0]): Promise<Result<Delivery, Refusal>> {
    const answer = await this.#primary()
      .read("webhook", { id: webhookId })
      .catch((error: unknown) => {
        // An error would lose its class over RPC; a refusal does not.
        if (error instanceof PrimaryUnreachable) return refuse(error.refusal);
        throw error;
      });
    if (!answer.ok) return answer;
    const webhook = answer.value.value;
    if (webhook === null)
      return refuse(makeRefusal("WEBHOOK_NOT_FOUND", [webhookId], `There is no webhook with id ${webhookId}.`));
    const nowMs = this.now();
    const unique = crypto.randomUUID();
    const event = { id: testEventId(unique), atMs: nowMs, actor, requestId };
    const body = testBody(this.#tenant(), event);
    const id = `msg_test_${unique}`;
    const attempted = await this.#attempt(webhook, id, body, this.testTimeoutMs);
    const row = this.ctx.storage.transactionSync(() => {
      // A successful test closes the circuit immediately.
      if (attempted.error === null) this.#deliveries.setCircuit(webhookId, CLOSED);
      const test = { id, webhookId, eventId: event.id, type: TEST_TYPE, nowMs };
      return this.#deliveries.addTest(test, attempted);
    });
    await this.#soon();
    return ok(this.#deliveries.view(row));
  }

  /** Catches up with the log, sends due deliveries, deletes old ones and schedules the next alarm. May run twice. */
  override async alarm(): Promise<void> {
    this.#running = true;
    await this.#setAlarm(this.now() + GUARD_MS);
    let notBeforeMs = 0;
    try {
      await this.#lookAtLog();
      await this.#sender.sendDue();
      await this.#reportGone();
      this.#tidy();
    } catch (error) {
      // Due deliveries stay due; an immediate retry would fail the same way.
      notBeforeMs = this.now() + GUARD_MS;
      logLine("error", "Webhooks' alarm failed and runs again.", { tenant: this.#tenant(), ...errorFields(error) });
    }
    this.#running = false;
    const nextMs = this.#nextAlarmMs();
    if (nextMs === null) await this.ctx.storage.deleteAlarm();
    else await this.#setAlarm(Math.max(nextMs, notBeforeMs));
  }

  /** Expires overdue deliveries and enforces the limits. */
  #tidy(): void {
    const nowMs = this.now();
    if (nowMs - this.#tidiedAtMs < TIDY_EVERY_MS) return;
    this.#tidiedAtMs = nowMs;
    this.#outcomes.prune(nowMs);
    for (const state of this.#deliveries.endpoints()) {
      this.ctx.storage.transactionSync(() => {
        if (!isTried(state, nowMs)) this.#deliveries.expire(state.webhook.id, nowMs);
        this.#deliveries.prune(state.webhook.id, nowMs, this.kept);
      });
    }
  }

  // ---- Following the log

  async #follow(): Promise<void> {
    while (this.#deliveries.marks.get("tip") < this.#deliveries.marks.get("wanted")) await this.#pullOnce();
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

  /** Concurrent callers share one pull. */
  async #pullOnce(): Promise<void> {
    this.#pulling ??= this.#pull().finally(() => {
      this.#pulling = undefined;
    });
    await this.#pulling;
  }

  /** Applies one page of the log: its deliveries and the checkpoint are written together. */
  async #pull(): Promise<void> {
    const wanted = this.#deliveries.marks.get("wanted");
    if (this.#deliveries.endpoints().length === 0 && !(await this.#skipAhead(wanted))) return;
    const after = this.#deliveries.marks.get("tip");
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
      this.#deliveries.marks.raise("tip", events.at(-1)!.seq);
      this.#deliveries.marks.raise("wanted", asOf.seq);
    });
    await this.#soon();
  }

  /**
   * Endpoints receive only events after their creation, so a registry without webhooks skips its log with one query. Returns
   * whether there are endpoints, and moves the checkpoint to before the oldest.
   */
  async #skipAhead(wanted: number): Promise<boolean> {
    const answer = await this.#primary().read("webhooks", {});
    if (!answer.ok) throw new Error(answer.refusal.detail);
    const { value, asOf } = answer.value;
    if (value.length === 0) this.#reached(asOf.seq, wanted);
    else this.#deliveries.marks.raise("tip", Math.min(...value.map(({ createdSeq }) => createdSeq)) - 1);
    return value.length > 0;
  }

  /** The log had ended when it was read; later nudges still count. */
  #reached(seq: number, wantedWhenAsked: number): void {
    this.#deliveries.marks.raise("tip", seq);
    if (this.#deliveries.marks.get("wanted") === wantedWhenAsked) this.#deliveries.marks.set("wanted", seq);
  }

  // ---- Sending

  /** Sends one delivery and records the result. A crash before that sends it again. */
  async #deliver({ webhook }: EndpointState, row: DeliveryRow): Promise<void> {
    let body: string;
    try {
      body = row.notice === null ? await this.#bodies.of(row.seq!) : await this.#noticeBody(row, row.notice);
    } catch (error) {
      logLine("error", "An event cannot be read yet.", { tenant: this.#tenant(), seq: row.seq, ...errorFields(error) });
      this.#deliveries.postpone(row, this.now() + PRIMARY_RETRY_MS, false);
      return;
    }
    const atMs = this.now();
    const attempted = await this.#attempt(webhook, row.id, body, this.attemptTimeoutMs);
    this.ctx.storage.transactionSync(() => this.#settle(row, webhook, atMs, attempted));
  }

  /** With the record in its current state, so that a notice shows nothing that was hard-deleted. */
  async #noticeBody(row: DeliveryRow, notice: string): Promise<string> {
    const { recordId, changes } = JSON.parse(notice) as StoredNotice;
    const answer = await this.#primary().read("recordById", { id: recordId, deleted: true });
    if (!answer.ok) throw new Error(answer.refusal.detail);
    const { event_id: id, subject, event_at: atMs } = row;
    const head = { id, subject, atMs, actor: NOTICE_ACTOR, requestId: id };
    return portabilityBody(this.#tenant(), head, answer.value.value, changes);
  }

  #settle(row: DeliveryRow, webhook: HeardEndpoint, atMs: number, attempted: Attempted): void {
    const deliveries = this.#deliveries;
    const state = deliveries.endpoint(webhook.id);
    // The endpoint was deleted meanwhile, with its deliveries.
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
      // Checked again: the operator may have changed the allowed origins.
      const rules = parseUrlRules(this.env.WEBHOOK_ALLOWED_ORIGINS);
      const read = readWebhookUrl(webhook.url, rules);
      if (!read.ok) throw new Error(read.refusal);
      const began = Date.now();
      await this.#requirePublic(read.value, rules);
      const signed = await signedHeaders(signingKey, this.#tenant(), webhook, { id, body, nowMs: this.now() });
      const headers = { "Content-Type": "application/cloudevents+json", "User-Agent": USER_AGENT, ...signed };
      const restMs = timeoutMs - (Date.now() - began);
      return await attempt(this.send, { url: read.value, headers, body }, restMs);
    } catch (error) {
      // A wrong setting shows in every delivery until the operator fixes it.
      return { status: null, latencyMs: 0, error: `Not sent: ${(error as Error).message}`, retryAfter: null };
    }
  }

  /** With a resolver, throws if the URL's name has an address that is not public. Listed origins may have any. */
  async #requirePublic(url: string, { origins }: UrlRules): Promise<void> {
    const resolver = parseResolver(this.env.WEBHOOK_RESOLVER);
    if (resolver === undefined || origins.has(new URL(url).origin)) return;
    const problem = await this.#resolution.problem(url, resolver, { send: this.send, nowMs: this.now() });
    if (problem !== undefined) throw new Error(problem);
  }

  /** Disables an endpoint that answered 410, through the log. */
  async #reportGone(): Promise<void> {
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
            // A concurrent change wins.
            ifMatchSeq: goneAtSeq,
          },
          facts: [],
          storedTexts: [],
          computeMissing: false,
        });
        // Either way the log has the endpoint's current state.
        this.#deliveries.marks.raise("wanted", asOf.seq);
        await this.#follow();
      } catch (error) {
        logLine("error", "An endpoint that is gone stays enabled.", { tenant: this.#tenant(), ...errorFields(error) });
      }
    }
  }

  // ---- When

  /** Sends due deliveries: in the running alarm, or in the next. */
  async #soon(): Promise<void> {
    this.#sender.wake();
    if (!this.#running) await this.#setAlarm(this.#nextAlarmMs() ?? this.now());
  }

  #nextAlarmMs(): number | null {
    const times = [this.#sender.nextDueMs()];
    const isBehind = this.#deliveries.marks.get("tip") < this.#deliveries.marks.get("wanted");
    const isGone = this.#deliveries.endpoints().some(({ goneAtSeq }) => goneAtSeq !== null);
    if (isBehind || isGone) times.push(this.now() + PRIMARY_RETRY_MS);
    if (this.#deliveries.endpoints().length > 0) {
      times.push(Math.max(this.#lookedAtMs + LOOK_EVERY_MS, this.now() + PRIMARY_RETRY_MS));
    }
    const known = times.filter((time) => time !== null);
    return known.length === 0 ? null : Math.min(...known);
  }

  async #setAlarm(atMs: number): Promise<void> {
    await this.ctx.storage.setAlarm(this.alarmAt(atMs));
  }

  #primary() {
    return openPrimary(this.env, this.#tenant());
  }

  #tenant(): string {
    const name = this.ctx.id.name;
    if (name === undefined) throw new Error("A webhooks object must be addressed by name.");
    return name.slice(0, name.lastIndexOf("/"));
  }
}
