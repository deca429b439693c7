/** The registry for the tenant in a header, and its primaries' methods for callers outside the runtime. */
import { EPOCH } from "../../../registry/log-entry.ts";
import type { Bindings } from "../../../workers/edge.ts";
import { localActor } from "../../../workers/http/actor.ts";
import { createApp } from "../../../workers/http/app.ts";

export { FeedObject } from "../../../durable-objects/feed/object.ts";
export { MetricsObject } from "../../../durable-objects/metrics/object.ts";
export { PrimaryObject } from "../../../durable-objects/primary/object.ts";
export { WebhooksObject } from "../../../durable-objects/webhooks/object.ts";

type Verb = "read" | "readLog" | "replayState";
type Verbs = Record<Verb, (args: unknown) => Promise<unknown>>;

export default {
  async fetch(request: Request, env: Bindings, ctx: ExecutionContext): Promise<Response> {
    const tenant = request.headers.get("X-Tenant") ?? "none";
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith("/primary/")) {
      const app = createApp({ now: Date.now, actorOf: () => ({ ...localActor(), tenant }) });
      return app.fetch(request, env, ctx);
    }
    const namespace = env.PRIMARIES as unknown as { getByName(name: string): Verbs };
    const primary = namespace.getByName(`${tenant}/${EPOCH}`);
    const answer = await primary[pathname.slice("/primary/".length) as Verb](await request.json());
    return new Response(JSON.stringify(answer, withBytes), { headers: { "Content-Type": "application/json" } });
  },

  /** The test replicates the log itself. */
  queue(batch: MessageBatch): void {
    batch.ackAll();
  },
};

function withBytes(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? { $bytes: Buffer.from(value).toString("base64") } : value;
}
