/**
 * Advances a tenant's read model to the end of the log, page by page from its checkpoint. Nudges, the cron and rebuilds all
 * call this; concurrent calls are safe, because the checkpoint is locked.
 */

import { type Advance, advance } from "../../../db/projection/advance.ts";
import { readCheckpoint } from "../../../db/projection/checkpoint.ts";
import { openPrimary } from "../../../durable-objects/primary/client.ts";
import { type LogFields, logLine } from "../../../observe/log-line.ts";
import { MAX_LOG_PAGE_ENTRIES } from "../../../registry/rpc.ts";
import type { Bindings } from "../../edge.ts";
import { ReadCache } from "../../read-path/cache.ts";
import type { TextSource } from "../write/facts.ts";
import { projectEntries } from "./project.ts";

/** Duration of a call; the rest is left to the next. A queue consumer may take fifteen minutes, a request far less. */
const REPLICATE_FOR_MS = 20_000;
/** Cache for texts that many schemas reference, per invocation. */
const TEXT_CACHE_BYTES = 16 * 1024 * 1024;

export type Replicated = {
  /** The new checkpoint and the end of the log. */
  seq: number;
  primarySeq: number;
  applied: number;
  parked: number;
} & (
  | { outcome: "current" }
  /** The time limit was reached. */
  | { outcome: "more" }
  /** An entry failed and will be retried. */
  | { outcome: "failing"; retryAfterMs: number }
  | { outcome: "emptying" | "diverged" }
);

export type ReplicateOptions = { now?: () => number; forMs?: number; logFields?: LogFields };

/** Throws DatabaseUnreachable or PrimaryUnreachable; entries applied before stay applied. */
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
      // Another consumer was faster, or a rebuild has restarted: read again from the new checkpoint.
      if (advanced.outcome === "elsewhere") break;
      done.applied += advanced.applied;
      done.parked += advanced.parked.length;
      logParked(tenant, advanced, logFields);
      if (advanced.outcome === "failing") {
        const { retryAfterMs, error } = advanced;
        logLine("warn", "A log entry could not be projected and will be retried.", {
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

/** Reads texts for projection; created per invocation. */
export function textSource(env: Bindings, tenant: string): TextSource {
  return {
    env,
    tenant,
    cache: new ReadCache(TEXT_CACHE_BYTES).of(tenant),
    // A new client per call: its deadline covers one request, and an invocation may take minutes.
    get primary() {
      return openPrimary(env, tenant);
    },
  };
}

/** Alerts match on this message (docs/replication.md). */
function logParked(tenant: string, { parked }: Extract<Advance, { parked: unknown }>, logFields: LogFields): void {
  for (const { seq, type, error } of parked) {
    logLine("error", "A log entry was parked: it could not be projected.", { tenant, seq, type, error, ...logFields });
  }
}

function diverged(tenant: string, where: Omit<Replicated, "outcome">, logFields: LogFields): Replicated {
  const { seq, primarySeq, applied, parked } = where;
  const message = "The copy in Postgres follows a different log than the primary's: run npm run rebuild.";
  logLine("error", message, { tenant, seq, primary_seq: primarySeq, ...logFields });
  return { outcome: "diverged", seq, primarySeq, applied, parked };
}
