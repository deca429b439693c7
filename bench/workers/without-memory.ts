/** The registry with an isolate's memory that holds nothing, so that every cached read comes from KV. */
import type { Bindings } from "../../workers/edge";
import { createApp } from "../../workers/http/app";
import { ReadCache } from "../../workers/read-path/cache";

export { FeedObject } from "../../durable-objects/feed";
export { MetricsObject } from "../../durable-objects/metrics";
export { PrimaryObject } from "../../durable-objects/primary";
export { WebhooksObject } from "../../durable-objects/webhooks";

const app = createApp({ cache: new ReadCache(0) });

export default {
  fetch: (request, env, ctx) => app.fetch(request, env, ctx),
  queue: () => undefined,
  scheduled: () => undefined,
} satisfies ExportedHandler<Bindings>;
