/**
 * Brings a tenant's copy in Postgres up to the log: pulls what follows the checkpoint and applies it, page by page. Everybody who
 * wants that calls this, be it a nudge, the cron or a rebuild; two at once are harmless, for the checkpoint is locked.
 */

import { type Advance, advance } from "../../../db/projection/advance.ts";
import { readCheckpoint } from "../../../db/projection/checkpoint.ts";
import { primaryOf } from "../../../durable-objects/primary/client.ts";
import { type LogFields, logLine } from "../../../observe/log-line.ts";
import { MAX_LOG_PAGE_ENTRIES } from "../../../registry/rpc.ts";
import type { Bindings } from "../../edge.ts";
import { ReadCache } from "../../read-path/cache.ts";
import type { TextSource } from "../write/facts.ts";
import { projectEntries } from "./project.ts";

/** One call works no longer than this and leaves the rest to the next: a queue's consumer may take fifteen minutes, a request far less. */
const REPLICATE_FOR_MS = 20_000;
/** Texts that schemas refer to again and again; an invocation keeps no more of them. */
const TEXT_CACHE_BYTES = 16 * 1024 * 1024;

export type Replicated = {
  /** Where the copy is now, and where the log was. */
  seq: number;
  primarySeq: number;
  applied: number;
  parked: number;
} & (
  | { outcome: "current" }
  /** The time was up. */
  | { outcome: "more" }
  /** An entry could not be applied and is to be tried again. */
  | { outcome: "failing"; retryAfterMs: number }
  | { outcome: "emptying" | "diverged" }
);

export type ReplicateOptions = { now?: () => number; forMs?: number; logFields?: LogFields };

/** Throws DatabaseUnreachable or PrimaryUnreachable where one of them does not answer; what was applied before stays. */
export async function replicate(env: Bindings, tenant: string, options: ReplicateOptions = {}): Promise<Replicated> {
  const { now = () => Date.now(), forMs = REPLICATE_FOR_MS, logFields = {} } = options;
  const untilMs = now() + forMs;
  const source = textSource(env, tenant);
  const done = { applied: 0, parked: 0 };
  const checkpoint = await readCheckpoint(env, tenant);
  let { seq } = checkpoint;
  if (checkpoint.rebuild === "emptying") return { outcome: "emptying", seq, primarySeq: seq, ...done };
  for (;;) {
    const page = await source.primary.readLog({ after: seq, limit: MAX_LOG_PAGE_ENTRIES });
    const primarySeq = page.asOf.seq;
    if (primarySeq < seq) return diverged(tenant, { seq, primarySeq, ...done }, logFields);
    if (page.entries.length === 0) return { outcome: "current", seq, primarySeq, ...done };
    for await (const run of projectEntries(source, page.entries)) {
      const advanced = await advance(env, tenant, run, now());
      if (advanced.outcome === "emptying") return { outcome: "emptying", seq, primarySeq, ...done };
      seq = advanced.seq;
      if (advanced.outcome === "diverged") return diverged(tenant, { seq, primarySeq, ...done }, logFields);
      // Another consumer was faster or a rebuild has begun anew: what follows the checkpoint is pulled again.
      if (advanced.outcome === "elsewhere") break;
      done.applied += advanced.applied;
      done.parked += advanced.parked.length;
      tellParked(tenant, advanced, logFields);
      if (advanced.outcome === "failing") {
        const { retryAfterMs, error } = advanced;
        logLine("warn", "A log entry cannot be projected and is tried again.", {
          tenant,
          seq: seq + 1,
          retry_after_ms: retryAfterMs,
          error,
          ...logFields,
        });
        return { outcome: "failing", retryAfterMs, seq, primarySeq, ...done };
      }
    }
    if (now() >= untilMs && seq < primarySeq) return { outcome: "more", seq, primarySeq, ...done };
  }
}

/** What projecting reads texts through; made anew by every invocation. */
export function textSource(env: Bindings, tenant: string): TextSource {
  return {
    env,
    tenant,
    cache: new ReadCache(TEXT_CACHE_BYTES).of(tenant),
    // Made anew for each call: its deadline is that of one request, and an invocation may take minutes.
    get primary() {
      return primaryOf(env, tenant);
    },
  };
}

/** An alert is told by its message (docs/replication.md). */
function tellParked(tenant: string, { parked }: Extract<Advance, { parked: unknown }>, logFields: LogFields): void {
  for (const { seq, type, error } of parked) {
    logLine("error", "A log entry was parked: it could not be projected.", { tenant, seq, type, error, ...logFields });
  }
}

function diverged(tenant: string, where: Omit<Replicated, "outcome">, logFields: LogFields): Replicated {
  const { seq, primarySeq, applied, parked } = where;
  const message = "The copy in Postgres follows another log than the primary's: run npm run rebuild.";
  logLine("error", message, { tenant, seq, primary_seq: primarySeq, ...logFields });
  return { outcome: "diverged", seq, primarySeq, applied, parked };
}
