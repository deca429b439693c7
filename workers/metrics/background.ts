/** Counts background work: queue batches and cron runs. */
import { errorFields, logLine } from "../../observe/log-line.ts";
import type { Bindings } from "../edge.ts";
import type { Counters } from "./counters.ts";
import type { Flusher } from "./flush.ts";

export class Background {
  readonly #counters: Counters;
  readonly #flusher: Flusher;
  readonly #now: () => number;

  constructor(counters: Counters, flusher: Flusher, now: () => number = () => Date.now()) {
    this.#counters = counters;
    this.#flusher = flusher;
    this.#now = now;
  }

  /** Runs a consumer over a batch and counts how it settled each message. */
  async batch(
    batch: MessageBatch<unknown>,
    env: Bindings,
    ctx: Pick<ExecutionContext, "waitUntil">,
    consume: (batch: MessageBatch<unknown>) => Promise<void> | void,
  ): Promise<void> {
    let retried = 0;
    const messages = batch.messages.map((message) => watched(message, () => (retried += 1)));
    const retryAll = (options?: QueueRetryOptions) => {
      retried = messages.length;
      batch.retryAll(options);
    };
    try {
      await consume({ queue: batch.queue, metadata: batch.metadata, messages, ackAll: () => batch.ackAll(), retryAll });
      this.#counters.add("registry_queue_batches_total", [retried > 0 ? "retried" : "done"]);
    } catch (error) {
      // The platform redelivers the batch.
      retried = messages.length;
      this.#counters.add("registry_queue_batches_total", ["failed"]);
      logLine("error", "A queue batch failed and will be redelivered.", errorFields(error));
      throw error;
    } finally {
      if (retried > 0) this.#counters.add("registry_queue_messages_total", ["retried"], retried);
      const done = messages.length - retried;
      if (done > 0) this.#counters.add("registry_queue_messages_total", ["done"], done);
      this.#flush(env, ctx);
    }
  }

  /** Runs the cron jobs. */
  async cron(env: Bindings, ctx: Pick<ExecutionContext, "waitUntil">, run: () => Promise<void> | void): Promise<void> {
    try {
      await run();
      this.#counters.add("registry_cron_runs_total", ["done"]);
    } catch (error) {
      this.#counters.add("registry_cron_runs_total", ["failed"]);
      logLine("error", "A cron run failed.", errorFields(error));
      throw error;
    } finally {
      this.#flush(env, ctx);
    }
  }

  #flush(env: Bindings, ctx: Pick<ExecutionContext, "waitUntil">): void {
    // Always flush: an isolate that only consumes has no later request to do it.
    ctx.waitUntil(this.#flusher.flush(env, this.#now()));
  }
}

/** The message, with its retry counted once. */
function watched(message: Message<unknown>, onRetry: () => void): Message<unknown> {
  let isRetried = false;
  return {
    id: message.id,
    timestamp: message.timestamp,
    body: message.body,
    attempts: message.attempts,
    ack: () => message.ack(),
    retry: (options) => {
      if (!isRetried) onRetry();
      isRetried = true;
      message.retry(options);
    },
  };
}
