/** Pending and finished deliveries: the only reader and writer of the object's tables. Synchronous, like all SQL in an object. */
import { eventId } from "../../registry/cloud-event.ts";
import type { RegistryEvent } from "../../registry/event.ts";
import { type HeardEndpoint, isHeard, type WebhookChange } from "../../registry/webhook.ts";
import { RememberedNumbers } from "../remembered-numbers.ts";
import type { Attempted } from "./attempt.ts";
import {
  DELIVERY_STATUSES,
  type Delivery,
  type DeliveryAttempt,
  type DeliveryStatus,
  type StoredNotice,
} from "./rpc.ts";
import { type Circuit, CLOSED, DELIVERY_LIFETIME_MS } from "./schedule.ts";

type KeptBounds = Readonly<{
  /** Pending deliveries per endpoint; past this the oldest become dead letters. */
  pending: number;
  /** How many finished deliveries are kept, and for how long. */
  delivered: { count: number; ms: number };
  dead: { count: number; ms: number };
}>;

/** At about 200 bytes a row, an unresponsive endpoint costs 20 MB. */
const MAX_PENDING = 100_000;
export const KEPT: KeptBounds = {
  pending: MAX_PENDING,
  delivered: { count: 1_000, ms: 7 * 24 * 60 * 60 * 1_000 },
  dead: { count: 10_000, ms: 30 * 24 * 60 * 60 * 1_000 },
};
/** A delivery makes 14 attempts; with replays the oldest are dropped. */
export const KEPT_ATTEMPTS = 20;
/** Dead letters replayed by one call. */
export const MAX_REPLAYED = 10_000;

export type DeliveryRow = {
  delivery_key: number;
  id: string;
  webhook_id: string;
  event_id: string;
  seq: number | null;
  type: string;
  subject: string | null;
  event_at: number;
  status: DeliveryStatus;
  failures: number;
  due_at: number;
  expires_at: number;
  ended_at: number | null;
  /** A StoredNotice as JSON; null for a log entry and a test. */
  notice: string | null;
};

type CountName = "tip" | "wanted" | "delivered" | "failed" | "retried" | "dead" | "replayed";

/** An endpoint as of the log's tip, with its health. */
export type EndpointState = {
  webhook: HeardEndpoint;
  circuit: Circuit;
  goneAtSeq: number | null;
  lastDeliveredAtMs: number | null;
};

type EndpointRow = {
  webhook_id: string;
  endpoint: string;
  failures: number;
  opens: number;
  open_until: number | null;
  gone_at_seq: number | null;
  last_delivered_at: number | null;
};

const SINCE = "CASE WHEN notice IS NULL THEN seq ELSE 0 END >= ?";

export class Deliveries {
  readonly marks: RememberedNumbers<CountName>;
  readonly #sql: SqlStorage;
  /** Cached: endpoints are read for every event and delivery and change rarely. */
  readonly #parsed = new Map<string, { text: string; webhook: HeardEndpoint }>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.marks = new RememberedNumbers(sql);
  }

  count(name: CountName, by = 1): void {
    if (by > 0) this.marks.set(name, this.marks.get(name) + by);
  }

  // ---- Endpoints

  endpoints(): EndpointState[] {
    const rows = this.#sql.exec<EndpointRow>("SELECT * FROM endpoints ORDER BY webhook_id").toArray();
    return rows.map((row) => this.#state(row));
  }

  endpoint(webhookId: string): EndpointState | undefined {
    return this.#sql
      .exec<EndpointRow>("SELECT * FROM endpoints WHERE webhook_id = ?", webhookId)
      .toArray()
      .map((row) => this.#state(row))[0];
  }

  #state(row: EndpointRow): EndpointState {
    let parsed = this.#parsed.get(row.webhook_id);
    if (parsed?.text !== row.endpoint) {
      parsed = { text: row.endpoint, webhook: JSON.parse(row.endpoint) as HeardEndpoint };
      this.#parsed.set(row.webhook_id, parsed);
    }
    return {
      webhook: parsed.webhook,
      circuit: { failures: row.failures, opens: row.opens, openUntilMs: row.open_until },
      goneAtSeq: row.gone_at_seq,
      lastDeliveredAtMs: row.last_delivered_at,
    };
  }

  /**
   * Applies an endpoint change from the log. Deleting an endpoint deletes its deliveries; a new URL makes pending
   * deliveries due immediately.
   */
  change({ id, endpoint }: WebhookChange, seq: number, nowMs: number): void {
    if (endpoint === null) {
      this.#forget(id);
      return;
    }
    const known = this.endpoint(id);
    const webhook: HeardEndpoint = { ...endpoint, id, seq };
    this.#sql.exec(
      `INSERT INTO endpoints (webhook_id, endpoint) VALUES (?, ?)
       ON CONFLICT (webhook_id) DO UPDATE SET endpoint = excluded.endpoint, gone_at_seq = NULL`,
      id,
      JSON.stringify(webhook),
    );
    const isOther = known && (known.webhook.url !== webhook.url || known.webhook.enabled !== webhook.enabled);
    if (!isOther) return;
    this.setCircuit(id, CLOSED);
    this.#sql.exec(
      "UPDATE deliveries SET due_at = ?1 WHERE webhook_id = ?2 AND status = 'pending' AND due_at > ?1",
      nowMs,
      id,
    );
  }

  setCircuit(webhookId: string, { failures, opens, openUntilMs }: Circuit): void {
    this.#sql.exec(
      "UPDATE endpoints SET failures = ?, opens = ?, open_until = ? WHERE webhook_id = ?",
      failures,
      opens,
      openUntilMs,
      webhookId,
    );
  }

  setGone(webhookId: string, atSeq: number): void {
    this.#sql.exec("UPDATE endpoints SET gone_at_seq = ? WHERE webhook_id = ?", atSeq, webhookId);
  }

  setLastDelivered(webhookId: string, atMs: number): void {
    this.#sql.exec("UPDATE endpoints SET last_delivered_at = ? WHERE webhook_id = ?", atMs, webhookId);
  }

  #forget(webhookId: string): void {
    this.#sql.exec(
      "DELETE FROM attempts WHERE delivery_key IN (SELECT delivery_key FROM deliveries WHERE webhook_id = ?)",
      webhookId,
    );
    this.#sql.exec("DELETE FROM deliveries WHERE webhook_id = ?", webhookId);
    this.#sql.exec("DELETE FROM endpoints WHERE webhook_id = ?", webhookId);
    this.#parsed.delete(webhookId);
  }

  // ---- Deliveries

  /** Adds a delivery for each endpoint whose filters match; existing ones stay unchanged. */
  add(event: RegistryEvent, nowMs: number): void {
    for (const { webhook } of this.endpoints()) {
      if (!isHeard(webhook, event)) continue;
      this.#insert({
        id: `msg_${event.epoch}_${event.seq}_${webhook.id}`,
        webhookId: webhook.id,
        eventId: eventId(event.epoch, event.seq),
        seq: event.seq,
        type: event.type,
        subject: event.subject,
        eventAtMs: event.atMs,
        nowMs,
        expiresAtMs: nowMs + DELIVERY_LIFETIME_MS,
      });
    }
  }

  /** Whether any endpoint might receive events of this type. */
  isTypeHeard(type: string): boolean {
    return this.endpoints().some(({ webhook }) => isHeard(webhook, { type, subject: null }));
  }

  /** Adds a delivery of a notice for each endpoint whose filters match. */
  addNotice(notice: { id: string; type: string; subject: string; atMs: number; content: StoredNotice }): void {
    const { id, type, subject, atMs, content } = notice;
    for (const { webhook } of this.endpoints()) {
      if (!isHeard(webhook, { type, subject })) continue;
      this.#insert({
        id: `msg_${id}_${webhook.id}`,
        webhookId: webhook.id,
        eventId: id,
        seq: null,
        type,
        subject,
        eventAtMs: atMs,
        nowMs: atMs,
        expiresAtMs: atMs + DELIVERY_LIFETIME_MS,
        notice: JSON.stringify(content),
      });
    }
  }

  /** Records a test delivery, whose only attempt has been made. */
  addTest(
    test: { id: string; webhookId: string; eventId: string; type: string; nowMs: number },
    attempted: Attempted,
  ): DeliveryRow {
    const { nowMs } = test;
    this.#insert({ ...test, seq: null, subject: null, eventAtMs: nowMs, expiresAtMs: nowMs });
    const row = this.byId(test.webhookId, test.id)!;
    this.addAttempt(row, nowMs, attempted);
    this.end(row, attempted.error === null ? "delivered" : "dead", nowMs);
    return this.byId(test.webhookId, test.id)!;
  }

  #insert(row: {
    id: string;
    webhookId: string;
    eventId: string;
    seq: number | null;
    type: string;
    subject: string | null;
    eventAtMs: number;
    nowMs: number;
    expiresAtMs: number;
    notice?: string;
  }): void {
    this.#sql.exec(
      `INSERT OR IGNORE INTO deliveries
         (id, webhook_id, event_id, seq, type, subject, event_at, status, failures, due_at, expires_at, notice)
       VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', 0, ?, ?, ?)`,
      row.id,
      row.webhookId,
      row.eventId,
      row.seq,
      row.type,
      row.subject,
      row.eventAtMs,
      row.nowMs,
      row.expiresAtMs,
      row.notice ?? null,
    );
  }

  byId(webhookId: string, id: string): DeliveryRow | undefined {
    return this.#sql
      .exec<DeliveryRow>("SELECT * FROM deliveries WHERE id = ? AND webhook_id = ?", id, webhookId)
      .toArray()[0];
  }

  /** Due deliveries of an endpoint, longest waiting first. */
  due(webhookId: string, nowMs: number, limit: number): DeliveryRow[] {
    return this.#sql
      .exec<DeliveryRow>(
        `SELECT * FROM deliveries WHERE webhook_id = ? AND status = 'pending' AND due_at <= ?
          ORDER BY due_at, delivery_key LIMIT ?`,
        webhookId,
        nowMs,
        limit,
      )
      .toArray();
  }

  firstDueMs(webhookId: string): number | null {
    return this.#sql
      .exec<{ at: number | null }>(
        "SELECT min(due_at) AS at FROM deliveries WHERE webhook_id = ? AND status = 'pending'",
        webhookId,
      )
      .one().at;
  }

  addAttempt({ delivery_key }: DeliveryRow, atMs: number, { status, latencyMs, error }: Attempted): void {
    this.#sql.exec(
      "INSERT INTO attempts (delivery_key, at, status, latency_ms, error) VALUES (?, ?, ?, ?, ?)",
      delivery_key,
      atMs,
      status,
      latencyMs,
      error,
    );
    this.#sql.exec(
      `DELETE FROM attempts WHERE delivery_key = ?1 AND attempt_key <=
         (SELECT attempt_key FROM attempts WHERE delivery_key = ?1 ORDER BY attempt_key DESC LIMIT 1 OFFSET ?2)`,
      delivery_key,
      KEPT_ATTEMPTS,
    );
  }

  end({ delivery_key }: DeliveryRow, status: "delivered" | "dead", nowMs: number): void {
    this.#sql.exec(
      "UPDATE deliveries SET status = ?, ended_at = ? WHERE delivery_key = ?",
      status,
      nowMs,
      delivery_key,
    );
    this.count(status);
  }

  /** Postpones a delivery; `failed` says whether an attempt was made. */
  postpone({ delivery_key }: DeliveryRow, untilMs: number, failed: boolean): void {
    this.#sql.exec(
      "UPDATE deliveries SET due_at = ?, failures = failures + ? WHERE delivery_key = ?",
      untilMs,
      failed ? 1 : 0,
      delivery_key,
    );
  }

  /** Expires deliveries of endpoints whose circuit is open. */
  expire(webhookId: string, nowMs: number): void {
    this.count(
      "dead",
      this.#sql
        .exec(
          `UPDATE deliveries SET status = 'dead', ended_at = ?1
            WHERE webhook_id = ?2 AND status = 'pending' AND expires_at <= ?1 RETURNING delivery_key`,
          nowMs,
          webhookId,
        )
        .toArray().length,
    );
  }

  makeDue({ delivery_key }: DeliveryRow, nowMs: number): void {
    this.#sql.exec(
      `UPDATE deliveries SET status = 'pending', failures = 0, due_at = ?1, expires_at = ?2, ended_at = NULL
        WHERE delivery_key = ?3`,
      nowMs,
      nowMs + DELIVERY_LIFETIME_MS,
      delivery_key,
    );
    this.count("replayed");
  }

  /** Dead letters from a seq or time on, oldest first, without tests. Notices have no seq, so only a time includes them. */
  deadSince(webhookId: string, sinceSeq: number, sinceMs: number, limit: number): DeliveryRow[] {
    return this.#sql
      .exec<DeliveryRow>(
        `SELECT * FROM deliveries WHERE webhook_id = ? AND status = 'dead' AND ${SINCE} AND event_at >= ?
          ORDER BY delivery_key LIMIT ?`,
        webhookId,
        sinceSeq,
        sinceMs,
        limit,
      )
      .toArray();
  }

  countDeadSince(webhookId: string, sinceSeq: number, sinceMs: number): number {
    return this.#sql
      .exec<{ n: number }>(
        `SELECT count(*) AS n FROM deliveries WHERE webhook_id = ? AND status = 'dead' AND ${SINCE} AND event_at >= ?`,
        webhookId,
        sinceSeq,
        sinceMs,
      )
      .one().n;
  }

  /** Newest first. */
  page(webhookId: string, status: DeliveryStatus | null, before: number | null, limit: number): DeliveryRow[] {
    if (status === null) {
      // Three scans of one index cost less than another index on every row.
      const pages = DELIVERY_STATUSES.flatMap((each) => this.page(webhookId, each, before, limit));
      return pages.sort((one, other) => other.delivery_key - one.delivery_key).slice(0, limit);
    }
    return this.#sql
      .exec<DeliveryRow>(
        `SELECT * FROM deliveries WHERE webhook_id = ? AND status = ? AND delivery_key < ?
          ORDER BY delivery_key DESC LIMIT ?`,
        webhookId,
        status,
        before ?? Number.MAX_SAFE_INTEGER,
        limit,
      )
      .toArray();
  }

  view(row: DeliveryRow): Delivery {
    const attempts = this.#sql
      .exec<{ at: number; status: number | null; latency_ms: number; error: string | null }>(
        "SELECT at, status, latency_ms, error FROM attempts WHERE delivery_key = ? ORDER BY attempt_key",
        row.delivery_key,
      )
      .toArray()
      .map(({ at, latency_ms, ...attempt }): DeliveryAttempt => ({ ...attempt, atMs: at, latencyMs: latency_ms }));
    return {
      id: row.id,
      webhookId: row.webhook_id,
      eventId: row.event_id,
      seq: row.seq,
      type: row.type,
      subject: row.subject,
      status: row.status,
      eventAtMs: row.event_at,
      nextAttemptAtMs: row.status === "pending" ? row.due_at : null,
      expiresAtMs: row.expires_at,
      attempts,
    };
  }

  // ---- Bounds and counts

  /** Enforces the limits: expires the oldest pending deliveries and deletes old finished ones. */
  prune(webhookId: string, nowMs: number, kept: KeptBounds): void {
    const overflowing = this.#keyAfterNewest(webhookId, "pending", kept.pending);
    if (overflowing !== null) {
      const given = this.#sql.exec(
        `UPDATE deliveries SET status = 'dead', ended_at = ?
          WHERE webhook_id = ? AND status = 'pending' AND delivery_key <= ? RETURNING delivery_key`,
        nowMs,
        webhookId,
        overflowing,
      );
      this.count("dead", given.toArray().length);
    }
    for (const status of ["delivered", "dead"] as const) {
      const { count, ms } = kept[status];
      const which = "webhook_id = ?1 AND status = ?2 AND (delivery_key <= ?3 OR ended_at <= ?4)";
      const bindings = [webhookId, status, this.#keyAfterNewest(webhookId, status, count) ?? -1, nowMs - ms];
      this.#sql.exec(
        `DELETE FROM attempts WHERE delivery_key IN (SELECT delivery_key FROM deliveries WHERE ${which})`,
        ...bindings,
      );
      this.#sql.exec(`DELETE FROM deliveries WHERE ${which}`, ...bindings);
    }
  }

  /** The newest key over the limit; null within it. */
  #keyAfterNewest(webhookId: string, status: DeliveryStatus, count: number): number | null {
    const [row] = this.#sql
      .exec<{ delivery_key: number }>(
        `SELECT delivery_key FROM deliveries WHERE webhook_id = ? AND status = ?
          ORDER BY delivery_key DESC LIMIT 1 OFFSET ?`,
        webhookId,
        status,
        count,
      )
      .toArray();
    return row?.delivery_key ?? null;
  }

  countOf(webhookId: string, status: DeliveryStatus): number {
    return this.#sql
      .exec<{ n: number }>(
        "SELECT count(*) AS n FROM deliveries WHERE webhook_id = ? AND status = ?",
        webhookId,
        status,
      )
      .one().n;
  }

  oldestPendingEventMs(): number | null {
    return this.#sql
      .exec<{ at: number | null }>("SELECT min(event_at) AS at FROM deliveries WHERE status = 'pending'")
      .one().at;
  }
}
