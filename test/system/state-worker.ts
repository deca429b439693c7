import { EPOCH } from "../../registry/log-entry.ts";

export { DirectoryObject } from "../../durable-objects/directory/object.ts";
export { FeedObject } from "../../durable-objects/feed/object.ts";
export { MetricsObject } from "../../durable-objects/metrics/object.ts";
export { PrimaryObject } from "../../durable-objects/primary/object.ts";
export { WebhooksObject } from "../../durable-objects/webhooks/object.ts";

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
