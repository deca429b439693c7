/**
 * Sums the counters of every isolate of a deployment. Isolates are short-lived, so the sums are kept here, in SQLite, and only
 * grow. A batch that arrives twice counts once.
 */

import { DurableObject } from "cloudflare:workers";
import { COUNTED, countNumbers, type MetricDefinition, type Series } from "../../observe/metrics.ts";
import { ok, type Result, refuse } from "../../schema/result.ts";
import {
  type Counted,
  MAX_FLUSHED_SERIES,
  MAX_LABEL_CHARACTERS_KEPT,
  MAX_SERIES,
  MAX_VALIDATING_ISOLATES_PER_DAY,
  METRICS_VERSION,
  type Metrics,
  OVERFLOW_LABEL,
} from "./protocol.ts";

/** How long batch numbers are remembered: an isolate repeats a batch within minutes or never. */
export const ISOLATE_MEMORY_MS = 24 * 60 * 60 * 1_000;
const DAY_MS = 24 * 60 * 60 * 1_000;

type SeriesRow = { metric: string; labels: string; numbers: string };

export class MetricsObject extends DurableObject implements Metrics {
  /** Fields, so no caller can reach them over RPC; tests replace them. */
  now = () => Date.now();
  maxSeries = MAX_SERIES;
  maxValidatingIsolates = MAX_VALIDATING_ISOLATES_PER_DAY;

  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env as never);
    ctx.storage.sql.exec(`
      CREATE TABLE IF NOT EXISTS series (
        metric  TEXT NOT NULL,
        labels  TEXT NOT NULL, -- a JSON array, in the order of the definition
        numbers TEXT NOT NULL, -- a JSON array
        PRIMARY KEY (metric, labels)
      ) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS isolates (
        isolate TEXT PRIMARY KEY,
        number  INTEGER NOT NULL, -- of the last batch that was added
        at      INTEGER NOT NULL  -- milliseconds since the Unix epoch
      ) WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS isolates_at ON isolates (at);
      CREATE TABLE IF NOT EXISTS validating_isolates (
        day  INTEGER NOT NULL, -- since the Unix epoch
        hash TEXT NOT NULL,    -- of the isolate's key
        PRIMARY KEY (day, hash)
      ) WITHOUT ROWID;
    `);
  }

  /** Adds one batch. An unknown series refuses the whole batch, so that none is counted in part. */
  async add(counted: Counted): Promise<Result<null, "version" | "invalid">> {
    if (counted.v !== METRICS_VERSION) return refuse("version");
    if (!isCounted(counted)) return refuse("invalid");
    this.ctx.storage.transactionSync(() => {
      if (this.#isRepeated(counted)) return;
      for (const series of counted.series) this.#addSeries(series);
    });
    return ok(null);
  }

  /** All sums. */
  async totals({ v }: { v: number }): Promise<Result<Series[], "version">> {
    if (v !== METRICS_VERSION) return refuse("version");
    const series = this.ctx.storage.sql
      .exec<SeriesRow>("SELECT metric, labels, numbers FROM series ORDER BY metric, labels")
      .toArray()
      .map(({ metric, labels, numbers }) => ({
        metric: metric as Series["metric"],
        labels: JSON.parse(labels) as string[],
        values: JSON.parse(numbers) as number[],
      }))
      // Metrics that this build lacks or defines differently are left out.
      .filter(isSeries);
    return ok(series);
  }

  async admitIsolate({
    v,
    hash,
    day,
  }: {
    v: number;
    hash: string;
    day: number;
  }): Promise<Result<{ admitted: boolean }, "version" | "invalid">> {
    if (v !== METRICS_VERSION) return refuse("version");
    if (!Number.isSafeInteger(day) || !/^[0-9a-f]{64}$/.test(hash)) return refuse("invalid");
    const { sql } = this.ctx.storage;
    const isKnown =
      sql.exec("SELECT 1 FROM validating_isolates WHERE day = ? AND hash = ?", day, hash).toArray().length > 0;
    if (isKnown) return ok({ admitted: true });
    sql.exec("DELETE FROM validating_isolates WHERE day < ?", day - 1);
    if (this.#validatingIsolates(day) >= this.maxValidatingIsolates) return ok({ admitted: false });
    sql.exec("INSERT INTO validating_isolates (day, hash) VALUES (?, ?)", day, hash);
    return ok({ admitted: true });
  }

  async countIsolates({ v }: { v: number }): Promise<Result<{ count: number }, "version">> {
    if (v !== METRICS_VERSION) return refuse("version");
    return ok({ count: this.#validatingIsolates(Math.floor(this.now() / DAY_MS)) });
  }

  #validatingIsolates(day: number): number {
    return this.ctx.storage.sql
      .exec<{ count: number }>("SELECT count(*) AS count FROM validating_isolates WHERE day = ?", day)
      .one().count;
  }

  /** Remembers the batch; true if it was added before. */
  #isRepeated({ isolate, number }: Counted): boolean {
    const { sql } = this.ctx.storage;
    const [last] = sql.exec<{ number: number }>("SELECT number FROM isolates WHERE isolate = ?", isolate).toArray();
    if (last !== undefined && number <= last.number) return true;
    const nowMs = this.now();
    sql.exec(
      "INSERT INTO isolates (isolate, number, at) VALUES (?, ?, ?) ON CONFLICT (isolate) DO UPDATE SET number = excluded.number, at = excluded.at",
      isolate,
      number,
      nowMs,
    );
    sql.exec("DELETE FROM isolates WHERE at < ?", nowMs - ISOLATE_MEMORY_MS);
    return false;
  }

  #addSeries({ metric, labels, values }: Series): void {
    const known = this.#numbersOf(metric, labels);
    if (known !== undefined || this.#count() < this.maxSeries) {
      this.#put(metric, labels, sum(known ?? [], values));
    } else {
      const overflow = labels.map(() => OVERFLOW_LABEL);
      this.#put(metric, overflow, sum(this.#numbersOf(metric, overflow) ?? [], values));
    }
  }

  #numbersOf(metric: string, labels: readonly string[]): number[] | undefined {
    const [row] = this.ctx.storage.sql
      .exec<{ numbers: string }>(
        "SELECT numbers FROM series WHERE metric = ? AND labels = ?",
        metric,
        JSON.stringify(labels),
      )
      .toArray();
    return row && (JSON.parse(row.numbers) as number[]);
  }

  #put(metric: string, labels: readonly string[], values: readonly number[]): void {
    this.ctx.storage.sql.exec(
      "INSERT OR REPLACE INTO series (metric, labels, numbers) VALUES (?, ?, ?)",
      metric,
      JSON.stringify(labels),
      JSON.stringify(values),
    );
  }

  #count(): number {
    return this.ctx.storage.sql.exec<{ count: number }>("SELECT count(*) AS count FROM series").one().count;
  }
}

/** A different number of buckets comes from another build: the series restarts, as a counter may. */
function sum(known: readonly number[], added: readonly number[]): readonly number[] {
  return known.length === added.length ? added.map((value, index) => value + known[index]!) : added;
}

function isCounted({ isolate, number, series }: Counted): boolean {
  return (
    typeof isolate === "string" &&
    isolate.length <= MAX_LABEL_CHARACTERS_KEPT &&
    Number.isSafeInteger(number) &&
    Array.isArray(series) &&
    series.length <= MAX_FLUSHED_SERIES &&
    series.every(isSeries)
  );
}

/** Counters only grow, so negative and non-finite values are invalid. */
function isSeries({ metric, labels, values }: Series): boolean {
  const definition: MetricDefinition | undefined = Object.hasOwn(COUNTED, metric) ? COUNTED[metric] : undefined;
  return (
    definition !== undefined &&
    labels.length === definition.labels.length &&
    labels.every((label) => typeof label === "string" && label.length <= MAX_LABEL_CHARACTERS_KEPT) &&
    values.length === countNumbers(definition) &&
    values.every((value) => Number.isFinite(value) && value >= 0)
  );
}
