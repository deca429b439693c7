/** The Worker's entry point: the runtime's handlers, and the object classes. */
import { runScheduled } from "./cron/scheduled.ts";
import type { Bindings } from "./edge.ts";
import { createApp } from "./http/app.ts";
import { Background } from "./metrics/background.ts";
import { Counters } from "./metrics/counters.ts";
import { Flusher } from "./metrics/flush.ts";
import { consumeChanges } from "./queue/changes.ts";
import { consumeDenials } from "./queue/denials.ts";

export { DirectoryObject } from "../durable-objects/directory/object.ts";
export { FeedObject } from "../durable-objects/feed/object.ts";
export { MetricsObject } from "../durable-objects/metrics/object.ts";
export { PrimaryObject } from "../durable-objects/primary/object.ts";
export { WebhooksObject } from "../durable-objects/webhooks/object.ts";

const counters = new Counters();
const flusher = new Flusher(counters, () => crypto.randomUUID());
const background = new Background(counters, flusher);
const app = createApp({ counters, flusher });

/** Both queues are named after what they carry, in every environment. */
function consume(batch: MessageBatch<unknown>, env: Bindings): Promise<void> {
  return batch.queue.includes("-denials-") ? consumeDenials(batch, env, Date.now()) : consumeChanges(batch, env);
}

export default {
  fetch: (request, env, ctx) => app.fetch(request, env, ctx),
  queue: (batch, env, ctx) => background.batch(batch, env, ctx, (counted) => consume(counted, env)),
  scheduled: (_controller, env, ctx) => background.cron(env, ctx, () => runScheduled(env, Date.now())),
} satisfies ExportedHandler<Bindings>;
