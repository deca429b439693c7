import { EPOCH } from "../../durable-objects/protocol.ts";

export { FeedObject } from "../../durable-objects/feed.ts";
export { MetricsObject } from "../../durable-objects/metrics.ts";
export { PrimaryObject } from "../../durable-objects/primary.ts";
export { WebhooksObject } from "../../durable-objects/webhooks.ts";

type Env = { PRIMARIES: { getByName(name: string): unknown }; BACKUPS: R2Bucket };
type Replaying = { replayState(): Promise<{ current: unknown; replayed: unknown }> };

/** Served over a stopped registry's state (test/support/stopped-registry.ts): its tables, and the objects of its backup. */
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/tables") {
      const primary = env.PRIMARIES.getByName(`default/${EPOCH}`) as Replaying;
      return Response.json(await primary.replayState());
    }
    if (pathname === "/object") {
      const object = await env.BACKUPS.get(searchParams.get("key")!);
      return new Response(object!.body);
    }
    const { objects } = await env.BACKUPS.list();
    return Response.json(objects.map(({ key }) => key));
  },
};
