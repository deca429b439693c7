/**
 * Consumes isolates' denied attempts: aggregates them once more, signs one batch per tenant into R2, and counts them in
 * Postgres. A message may come twice; Postgres counts it once, and a batch in R2 names its messages.
 */
import { DatabaseUnreachable } from "../../db/client.ts";
import { countDenials, uncountedMessages } from "../../db/denials.ts";
import { errorFields, logLine } from "../../observe/log-line.ts";
import { type Denial, type DenialMessage, parseDenialMessage } from "../../registry/denial.ts";
import { storeBatch } from "../access-record/batches.ts";
import type { Bindings } from "../edge.ts";
import { retryDelaySeconds } from "./changes.ts";

type Received = { id: string; denials: Denial[] };
type Batch = { messages: readonly Pick<Message<unknown>, "id" | "body" | "attempts" | "ack" | "retry">[] };

/** The whole batch is retried if part of it fails; messages that are already recorded are skipped. */
export async function consumeDenials(batch: Batch, env: Bindings, nowMs: number): Promise<void> {
  const messages: DenialMessage[] = [];
  const understood: Batch["messages"][number][] = [];
  for (const message of batch.messages) {
    const parsed = parseDenialMessage(message.body);
    if (parsed === "newer") {
      // The build that understands it is being deployed.
      message.retry({ delaySeconds: retryDelaySeconds(message.attempts, 0) });
      continue;
    }
    understood.push(message);
    if (parsed !== undefined) messages.push(parsed);
    else logLine("error", "A queue message was dropped: it holds no denied attempts.", { message_id: message.id });
  }
  const dropped = messages.reduce((sum, message) => sum + message.dropped, 0);
  if (dropped > 0) logLine("warn", "Isolates had no room for some denied attempts.", { dropped });
  const results = await Promise.allSettled(
    [...byTenant(messages)].map(([tenant, received]) => recordDenials(env, tenant, received, nowMs)),
  );
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) {
    logLine("warn", "Denied attempts could not be recorded and are retried.", errorFields(failed.reason));
  }
  for (const message of understood) {
    if (failed === undefined) message.ack();
    else message.retry({ delaySeconds: retryDelaySeconds(message.attempts, 0) });
  }
}

function byTenant(messages: readonly DenialMessage[]): Map<string, Received[]> {
  const tenants = new Map<string, Map<string, Received>>();
  for (const { id, denials } of messages) {
    for (const denial of denials) {
      const received = tenants.get(denial.tenant) ?? new Map<string, Received>();
      tenants.set(denial.tenant, received);
      const part = received.get(id) ?? { id, denials: [] };
      received.set(id, part);
      part.denials.push(denial);
    }
  }
  return new Map([...tenants].map(([tenant, received]) => [tenant, [...received.values()]]));
}

async function recordDenials(
  env: Bindings,
  tenant: string,
  received: readonly Received[],
  nowMs: number,
): Promise<void> {
  const fresh = env.DATABASE_URL ? await uncounted(env, tenant, received) : received;
  if (fresh.length === 0) return;
  // First, so that nothing is counted that no batch proves.
  await storeBatch(env, tenant, fresh);
  if (env.DATABASE_URL) await countDenials(env, tenant, fresh, nowMs);
}

/**
 * Those that are not yet counted. While Postgres is away the batch is stored all the same, because the queue gives a message
 * up after some retries; when the same messages come again, their batch replaces itself.
 */
async function uncounted(env: Bindings, tenant: string, received: readonly Received[]): Promise<readonly Received[]> {
  try {
    return await uncountedMessages(env, tenant, received);
  } catch (error) {
    if (error instanceof DatabaseUnreachable) await storeBatch(env, tenant, received);
    throw error;
  }
}
