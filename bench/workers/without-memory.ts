/** The registry with an isolate's memory that holds nothing, so that every cached read comes from KV. */
import type { Bindings } from "../../workers/edge";
import { createApp } from "../../workers/http/app";
import { ReadCache } from "../../workers/read-path/cache";

export { PrimaryObject } from "../../durable-objects/primary";

const app = createApp({ cache: new ReadCache(0) });

export default {
  fetch: (request, env, ctx) => app.fetch(request, env, ctx),
  queue: () => undefined,
  scheduled: () => undefined,
} satisfies ExportedHandler<Bindings>;
