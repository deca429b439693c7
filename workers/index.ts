/** The Worker's entry: what the runtime calls, and the object classes. */
import type { Bindings } from "./edge";
import { createApp } from "./http/app";
import { consumeChanges } from "./queue/changes";

export { FeedObject } from "../durable-objects/feed";
export { MetricsObject } from "../durable-objects/metrics";
export { PrimaryObject } from "../durable-objects/primary";
export { WebhooksObject } from "../durable-objects/webhooks";

const app = createApp();

export default {
  fetch: (request, env, ctx) => app.fetch(request, env, ctx),
  queue: (batch) => consumeChanges(batch),
  // Nothing lags behind the log until something is derived from it.
  scheduled: () => undefined,
} satisfies ExportedHandler<Bindings>;
