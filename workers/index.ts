/** The Worker's entry: what the runtime calls, and the object classes. */
import { runScheduled } from "./cron/scheduled";
import type { Bindings } from "./edge";
import { createApp } from "./http/app";
import { Background } from "./metrics/background";
import { Counters } from "./metrics/counters";
import { Flusher } from "./metrics/flush";
import { consumeChanges } from "./queue/changes";

export { FeedObject } from "../durable-objects/feed";
export { MetricsObject } from "../durable-objects/metrics";
export { PrimaryObject } from "../durable-objects/primary";
export { WebhooksObject } from "../durable-objects/webhooks";

const counters = new Counters();
const flusher = new Flusher(counters, () => crypto.randomUUID());
const background = new Background(counters, flusher);
const app = createApp({ counters, flusher });

export default {
  fetch: (request, env, ctx) => app.fetch(request, env, ctx),
  queue: (batch, env, ctx) => background.batch(batch, env, ctx, (counted) => consumeChanges(counted, env)),
  scheduled: (_controller, env, ctx) => background.cron(env, ctx, () => runScheduled(env, Date.now())),
} satisfies ExportedHandler<Bindings>;
