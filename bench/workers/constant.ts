/** The baseline for reads: the registry's own router and routes with a constant response. */
import { Hono } from "hono";
import { nativeRoutes } from "../../workers/http/native/routes.ts";
import { rootRoutes } from "../../workers/http/service.ts";

type Env = { Bindings: { BODY: string } };

const app = new Hono<Env>();
for (const { method, path } of [...rootRoutes, ...nativeRoutes]) {
  app.on(method, path, (c) => new Response(c.env.BODY, { headers: { "Content-Type": "application/json" } }));
}

export default { fetch: app.fetch };
