import { WebhooksObject as RealWebhooksObject } from "../../durable-objects/webhooks/object.ts";
import type { Bindings } from "../../workers/edge.ts";
import worker from "../../workers/index.ts";
import { openWebhooks } from "../../workers/registry/follow/followers.ts";

export { DirectoryObject, FeedObject, MetricsObject, PrimaryObject } from "../../workers/index.ts";

/** Advances time: `POST /clock?ms=60000`, answered when everything due has been sent. */
const CLOCK_PATH = "/clock";

/** Later than any test ends, so that only the test advances time. */
const NEVER_MS = 60 * 60 * 1_000;

/**
 * The webhooks' clock does not advance until a test advances it. Module state, so that it survives the object's
 * eviction.
 */
let nowMs = Date.UTC(2026, 0, 1);

/** Webhooks on the test's clock; everything else is as deployed. */
export class WebhooksObject extends RealWebhooksObject {
  override now = () => nowMs;
  override alarmAt = (atMs: number) => Date.now() + (atMs <= nowMs ? 0 : NEVER_MS);
  /** Real time: long enough for any responsive endpoint on any machine. */
  override attemptTimeoutMs = 5_000;

  async pass(ms: number): Promise<void> {
    nowMs += ms;
    await this.alarm();
  }
}

export default {
  ...worker,
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== CLOCK_PATH) return worker.fetch(request, env, ctx);
    await (openWebhooks(env, "default") as unknown as WebhooksObject).pass(Number(searchParams.get("ms")));
    return new Response(null, { status: 204 });
  },
} satisfies ExportedHandler<Bindings>;
