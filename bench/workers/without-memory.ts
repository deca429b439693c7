/** The registry with an empty memory cache, so that every cached read comes from KV. */
import type { Bindings } from "../../workers/edge.ts";
import { createApp } from "../../workers/http/app.ts";
import { ReadCache } from "../../workers/read-path/cache.ts";

export { DirectoryObject } from "../../durable-objects/directory/object.ts";
export { FeedObject } from "../../durable-objects/feed/object.ts";
export { MetricsObject } from "../../durable-objects/metrics/object.ts";
export { PrimaryObject } from "../../durable-objects/primary/object.ts";
export { WebhooksObject } from "../../durable-objects/webhooks/object.ts";

const app = createApp({ cache: new ReadCache(0) });

export default {
  fetch: (request, env, ctx) => app.fetch(request, env, ctx),
  queue: () => undefined,
  scheduled: () => undefined,
} satisfies ExportedHandler<Bindings>;
