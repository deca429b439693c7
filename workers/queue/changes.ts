/**
 * Consumes nudges from the queue: each says that a tenant's log has grown. Every follower is nudged and Postgres is brought up to
 * date; failures are retried with the same message and growing delays. Nothing depends on a message arriving: followers keep
 * their own checkpoints, and the cron nudges those that lag.
 */

import type { DatabaseAccess } from "../../db/client.ts";
import { errorFields, type LogFields, logLine } from "../../observe/log-line.ts";
import {
  nextSpan,
  printTraceparent,
  receivedTrace,
  sentTrace,
  type TraceContext,
  traceFields,
} from "../../observe/trace-context.ts";
import { EPOCH } from "../../registry/log-entry.ts";
import type { Bindings, Nudge } from "../edge.ts";
import { listFollowers } from "../registry/follow/followers.ts";
import { type ReplicateOptions, replicate } from "../registry/read-model/replicate.ts";
import { newSpanId } from "../trace.ts";

/** Delay before the first retry; doubles each time, up to the cron's interval. */
export const FIRST_RETRY_SECONDS = 2;
export const MAX_RETRY_SECONDS = 300;

type Batch = { messages: readonly Pick<Message<unknown>, "id" | "body" | "attempts" | "ack" | "retry">[] };

/** Acknowledges finished messages. One that cannot be parsed would never succeed, so it is logged and dropped. */
export async function consumeChanges(batch: Batch, env: Bindings, options: ReplicateOptions = {}): Promise<void> {
  const byTenant = new Map<string, { nudge: Nudge; messages: Batch["messages"][number][] }>();
  for (const message of batch.messages) {
    const nudge = parseNudge(message.body);
    if (nudge === undefined) {
      logLine("error", "A queue message was dropped: it is not a nudge.", { message_id: message.id });
      message.ack();
      continue;
    }
    const known = byTenant.get(nudge.tenant);
    // The furthest nudge of a tenant covers the others.
    const furthest = known && known.nudge.upToSeq >= nudge.upToSeq ? known.nudge : nudge;
    byTenant.set(nudge.tenant, { nudge: furthest, messages: [...(known?.messages ?? []), message] });
  }
  await Promise.all(
    [...byTenant.values()].map(async ({ nudge, messages }) => {
      const retryAfterMs = await followUp(nudge, env, options);
      for (const message of messages) {
        if (retryAfterMs === undefined) message.ack();
        else message.retry({ delaySeconds: retryDelaySeconds(message.attempts, retryAfterMs) });
      }
    }),
  );
}

/** Nudges all followers and replicates, independently of each other. Undefined when all succeeded, else the earliest retry time. */
export async function followUp(
  nudge: Nudge,
  env: Bindings,
  options: ReplicateOptions = {},
): Promise<number | undefined> {
  const received = receivedTrace(nudge.trace);
  const trace = received && nextSpan(received, newSpanId());
  const logFields = { ...traceFields(trace), ...options.logFields };
  const waits = await Promise.all([
    nudgeFollowers(nudge, env, logFields),
    env.DATABASE_URL ? replicateTenant(nudge, tracedDatabase(env, trace), { ...options, logFields }) : undefined,
  ]);
  const due = waits.filter((wait) => wait !== undefined);
  return due.length === 0 ? undefined : Math.min(...due);
}

/** The trace as the database's application name: 61 of the 63 bytes it keeps. */
function tracedDatabase(env: Bindings, trace: TraceContext | undefined): Bindings & DatabaseAccess {
  return trace === undefined ? env : { ...env, APPLICATION_NAME: `trace ${printTraceparent(trace)}` };
}

async function nudgeFollowers(nudge: Nudge, env: Bindings, logFields: LogFields): Promise<number | undefined> {
  const { tenant, upToSeq } = nudge;
  const nudged = await Promise.all(
    Object.entries(listFollowers(env, nudge)).map(async ([follower, call]) => {
      try {
        await call();
        return true;
      } catch (error) {
        const fields = { tenant, follower, up_to_seq: upToSeq, ...errorFields(error), ...logFields };
        logLine("warn", "A follower of the log could not be nudged.", fields);
        return false;
      }
    }),
  );
  return nudged.every(Boolean) ? undefined : 0;
}

async function replicateTenant(nudge: Nudge, env: Bindings, options: ReplicateOptions): Promise<number | undefined> {
  const { tenant } = nudge;
  try {
    const done = await replicate(env, tenant, options);
    if (done.outcome === "failing") return done.retryAfterMs;
    if (isWritingLogged(env)) {
      const { outcome, seq, applied } = done;
      logLine("info", "Replicated", { tenant, outcome, seq, applied, ...options.logFields });
    }
    // A separate message: this one's attempts are counted.
    if (done.outcome === "more") await env.CHANGES.send({ ...nudge, upToSeq: done.primarySeq });
    return undefined;
  } catch (error) {
    logLine("warn", "The copy in Postgres could not catch up with the log.", {
      tenant,
      ...errorFields(error),
      ...options.logFields,
    });
    return 0;
  }
}

/** The results of replication are logged under the settings that log writes. */
function isWritingLogged({ REQUEST_LOG }: Bindings): boolean {
  return REQUEST_LOG === "writes" || REQUEST_LOG === "all";
}

/** `attempts` includes the one that has just failed. */
export function retryDelaySeconds(attempts: number, retryAfterMs: number): number {
  const backOff = Math.min(FIRST_RETRY_SECONDS * 2 ** (attempts - 1), MAX_RETRY_SECONDS);
  return Math.max(backOff, Math.ceil(retryAfterMs / 1_000));
}

/** Undefined if the message is not a nudge this build understands. */
export function parseNudge(body: unknown): Nudge | undefined {
  const { tenant, epoch, upToSeq, trace } = (body ?? {}) as Partial<Record<keyof Nudge, unknown>>;
  if (typeof tenant !== "string" || tenant === "") return undefined;
  if (epoch !== EPOCH || !Number.isSafeInteger(upToSeq) || (upToSeq as number) < 1) return undefined;
  const received = receivedTrace(trace);
  return { tenant, epoch, upToSeq: upToSeq as number, ...(received && { trace: sentTrace(received) }) };
}
