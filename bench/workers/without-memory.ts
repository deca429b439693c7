/** The registry with an isolate's memory that holds nothing, so that every cached read comes from KV. */
import type { Bindings } from "../../workers/edge.ts";
import { createApp } from "../../workers/http/app.ts";
import { ReadCache } from "../../workers/read-path/cache.ts";

export { FeedObject } from "../../durable-objects/feed.ts";
export { MetricsObject } from "../../durable-objects/metrics.ts";
export { PrimaryObject } from "../../durable-objects/primary.ts";
export { WebhooksObject } from "../../durable-objects/webhooks.ts";

const app = createApp({ cache: new ReadCache(0) });

export default {
  fetch: (request, env, ctx) => app.fetch(request, env, ctx),
  queue: () => undefined,
  scheduled: () => undefined,
} satisfies ExportedHandler<Bindings>;
