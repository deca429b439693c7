/** Nudges from the queue: each says that a tenant's log has grown. Nothing is projected from them yet, so a readable one is done. */
import { logLine } from "../../contract/log-line";
import { receivedTrace, sentTrace } from "../../contract/trace-context";
import { EPOCH } from "../../durable-objects/protocol";
import type { Nudge } from "../edge";

/** Acknowledges what can be read; a message that cannot be would fail the same way for ever, so it is reported and dropped. */
export function consumeChanges(batch: Pick<MessageBatch<unknown>, "messages">): void {
  for (const message of batch.messages) {
    const nudge = parseNudge(message.body);
    if (nudge === undefined) {
      logLine("error", "A queue message is no nudge and was dropped.", { message_id: message.id });
    }
    message.ack();
  }
}

/** Undefined where the message is not a nudge that this build understands. */
export function parseNudge(body: unknown): Nudge | undefined {
  const { tenant, epoch, upToSeq, trace } = (body ?? {}) as Partial<Record<keyof Nudge, unknown>>;
  if (typeof tenant !== "string" || tenant === "") return undefined;
  if (epoch !== EPOCH || !Number.isSafeInteger(upToSeq) || (upToSeq as number) < 1) return undefined;
  const received = receivedTrace(trace);
  return { tenant, epoch, upToSeq: upToSeq as number, ...(received && { trace: sentTrace(received) }) };
}
