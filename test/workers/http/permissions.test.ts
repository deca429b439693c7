import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Permission, RoutePermission } from "../../../workers/edge.ts";
import { localActor } from "../../../workers/http/actor.ts";
import { createApp } from "../../../workers/http/app.ts";
import { confluentRoutes } from "../../../workers/http/confluent/routes.ts";
import { nativeRoutes } from "../../../workers/http/native/routes.ts";
import { rootRoutes } from "../../../workers/http/service.ts";

/** What every route asks for, written out a second time: a changed permission must be changed twice to pass. */
const PINNED: readonly (readonly [string, RoutePermission])[] = [
  ["GET /health", "public"],
  ["GET /health/ready", "public"],
  ["GET /metrics", "metrics:read"],
  ["GET /openapi.json", "public"],
  ["GET /docs", "public"],
  ["GET /api/v1/health", "public"],
  ["GET /api/v1/health/ready", "public"],
  ["GET /api/v1/metrics", "metrics:read"],
  ["GET /api/v1/openapi.json", "public"],
  ["GET /api/v1/docs", "public"],
  ["POST /api/v1/schemas", "schema:write"],
  ["GET /api/v1/schemas", "registry:read"],
  ["POST /api/v1/schemas/check", "schema:check"],
  ["GET /api/v1/schemas/:id", "registry:read"],
  ["PATCH /api/v1/schemas/:id", "schema:write"],
  ["DELETE /api/v1/schemas/:id", "schema:delete"],
  ["GET /api/v1/schemas/:id/content", "registry:read"],
  ["POST /api/v1/schemas/:id/undelete", "schema:write"],
  ["GET /api/v1/schemas/:id/dependencies", "registry:read"],
  ["GET /api/v1/schemas/:id/dependents", "registry:read"],
  ["GET /api/v1/subjects", "registry:read"],
  ["GET /api/v1/subjects/:subject", "registry:read"],
  ["DELETE /api/v1/subjects/:subject", "schema:delete"],
  ["GET /api/v1/subjects/:subject/versions", "registry:read"],
  ["POST /api/v1/subjects/:subject/versions", "schema:write"],
  ["GET /api/v1/subjects/:subject/versions/:version", "registry:read"],
  ["POST /api/v1/subjects/:subject/versions/:version/rules/execute", "schema:check"],
  ["GET /api/v1/subjects/:subject/diff", "registry:read"],
  ["GET /api/v1/subjects/:subject/compatibility", "config:read"],
  ["PUT /api/v1/subjects/:subject/compatibility", "config:write"],
  ["DELETE /api/v1/subjects/:subject/compatibility", "config:write"],
  ["GET /api/v1/compatibility", "config:read"],
  ["PUT /api/v1/compatibility", "config:write"],
  ["DELETE /api/v1/compatibility", "config:write"],
  ["POST /api/v1/compatibility/check", "schema:check"],
  ["POST /api/v1/compatibility/bundle", "schema:check"],
  ["GET /api/v1/compatibility/report", "registry:read"],
  ["GET /api/v1/subjects/:subject/rules", "config:read"],
  ["PUT /api/v1/subjects/:subject/rules", "config:write"],
  ["DELETE /api/v1/subjects/:subject/rules", "config:write"],
  ["GET /api/v1/rules", "config:read"],
  ["PUT /api/v1/rules", "config:write"],
  ["DELETE /api/v1/rules", "config:write"],
  ["POST /api/v1/rules/dry-run", "schema:check"],
  ["GET /api/v1/exceptions", "config:read"],
  ["POST /api/v1/exceptions", "config:write"],
  ["GET /api/v1/log", "log:read"],
  ["POST /api/v1/search", "registry:read"],
  ["GET /api/v1/search", "registry:read"],
  ["GET /api/v1/schemas/:id/project/:profile", "registry:read"],
  ["POST /api/v1/project", "schema:check"],
  ["POST /api/v1/lint", "schema:check"],
  ["POST /api/v1/decode-answer", "schema:check"],
  ["POST /api/v1/webhooks", "webhook:write"],
  ["GET /api/v1/webhooks", "webhook:read"],
  ["GET /api/v1/webhooks/:webhook", "webhook:read"],
  ["PATCH /api/v1/webhooks/:webhook", "webhook:write"],
  ["DELETE /api/v1/webhooks/:webhook", "webhook:write"],
  ["POST /api/v1/webhooks/:webhook/rotate", "webhook:write"],
  ["GET /api/v1/webhooks/:webhook/secret", "webhook:write"],
  ["POST /api/v1/webhooks/:webhook/test", "webhook:write"],
  ["GET /api/v1/webhooks/:webhook/deliveries", "webhook:read"],
  ["POST /api/v1/webhooks/:webhook/deliveries/:delivery/replay", "webhook:write"],
  ["POST /api/v1/webhooks/:webhook/replay", "webhook:write"],
  ["GET /api/v1/backup", "backup:read"],
  ["POST /api/v1/backup", "backup:write"],
  ["GET /api/v1/backup/export", "backup:read"],
  ["GET /api/v1/backup/state", "backup:read"],
  ["DELETE /api/v1/backup/restore", "backup:write"],
  ["POST /api/v1/backup/restore", "backup:write"],
  ["POST /api/v1/backup/restore/finish", "backup:write"],
  ["GET /api/v1/read-model", "log:read"],
  ["POST /api/v1/read-model/reconcile", "replication:write"],
  ["POST /api/v1/read-model/rebuild", "replication:write"],
  ["GET /api/v1/events", "registry:read"],
  ["GET /", "public"],
  ["POST /", "public"],
  ["GET /v1/metadata/id", "registry:read"],
  ["GET /v1/metadata/version", "registry:read"],
  ["GET /v1/metadata/deployment", "registry:read"],
  ["GET /schemas", "registry:read"],
  ["GET /schemas/types", "registry:read"],
  ["GET /schemas/ids/:id", "registry:read"],
  ["GET /schemas/ids/:id/schema", "registry:read"],
  ["GET /schemas/ids/:id/subjects", "registry:read"],
  ["GET /schemas/ids/:id/versions", "registry:read"],
  ["GET /schemas/guids/:guid", "registry:read"],
  ["GET /schemas/guids/:guid/ids", "registry:read"],
  ["GET /subjects", "registry:read"],
  ["POST /subjects/:subject", "registry:read"],
  ["DELETE /subjects/:subject", "schema:delete"],
  ["GET /subjects/:subject/metadata", "registry:read"],
  ["GET /subjects/:subject/versions", "registry:read"],
  ["POST /subjects/:subject/versions", "schema:write"],
  ["GET /subjects/:subject/versions/:version", "registry:read"],
  ["DELETE /subjects/:subject/versions/:version", "schema:delete"],
  ["GET /subjects/:subject/versions/:version/schema", "registry:read"],
  ["GET /subjects/:subject/versions/:version/referencedby", "registry:read"],
  ["POST /subjects/:subject/versions/:version/tags", "schema:write"],
  ["POST /subjects/:subject/versions/:version/rules/execute", "schema:check"],
  ["POST /compatibility/subjects/:subject/versions", "schema:check"],
  ["POST /compatibility/subjects/:subject/versions/:version", "schema:check"],
  ["GET /config", "config:read"],
  ["PUT /config", "config:write"],
  ["DELETE /config", "config:write"],
  ["GET /config/:subject", "config:read"],
  ["PUT /config/:subject", "config:write"],
  ["DELETE /config/:subject", "config:write"],
  ["GET /mode", "mode:read"],
  ["PUT /mode", "mode:write"],
  ["DELETE /mode", "mode:write"],
  ["GET /mode/:subject", "mode:read"],
  ["PUT /mode/:subject", "mode:write"],
  ["DELETE /mode/:subject", "mode:write"],
  ["GET /associations/subjects/:subject", "registry:read"],
  ["GET /associations/resources/:resource", "registry:read"],
  ["PUT /associations/resources/:resource", "schema:write"],
  ["DELETE /associations/resources/:resource", "schema:delete"],
  ["GET /associations/resources/:namespace/:name", "registry:read"],
  ["POST /associations", "schema:write"],
  ["POST /associations:batchGet", "registry:read"],
  ["POST /associations:batchMutate", "schema:delete"],
  ["GET /contexts", "registry:read"],
  ["DELETE /contexts/:context", "schema:delete"],
  ["GET /contexts/:context/*", "public"],
  ["POST /contexts/:context/*", "public"],
  ["PUT /contexts/:context/*", "public"],
  ["DELETE /contexts/:context/*", "public"],
];

const GUARDED = PINNED.filter((pinned): pinned is readonly [string, Permission] => pinned[1] !== "public");

describe("permissions", () => {
  it("are those that every mounted route is known for, no route missing and none twice", () => {
    const routes = [...rootRoutes, ...nativeRoutes, ...confluentRoutes];
    const mounted = routes.map(({ method, path, permission }) => [`${method} ${path}`, permission]);

    expect(mounted.toSorted()).toEqual(PINNED.toSorted());
    expect(new Set(mounted.map(([key]) => key)).size).toBe(mounted.length);
  });

  it.each(GUARDED)("refuses %s to a caller who has every permission but %s", async (key, permission) => {
    const { permissions } = localActor();
    const others = new Set([...permissions].filter((other) => other !== permission));
    const app = createApp({ actorOf: () => ({ ...localActor(), permissions: others }) });
    const ctx = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} };
    const [method = "", path = ""] = key.split(" ");
    const request = new Request(`https://registry.test${path.replaceAll("/:", "/")}`, { method });

    const response = await app.fetch(request, env as never, ctx as never);

    expect(response.status).toBe(403);
  });
});
