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
  ["GET /api/v1/schemas", "schema:read"],
  ["POST /api/v1/schemas/check", "compatibility:check"],
  ["GET /api/v1/schemas/:id", "schema:read"],
  ["PATCH /api/v1/schemas/:id", "schema:write"],
  ["DELETE /api/v1/schemas/:id", "schema:delete"],
  ["GET /api/v1/schemas/:id/content", "schema:read"],
  ["POST /api/v1/schemas/:id/undelete", "schema:write"],
  ["GET /api/v1/schemas/:id/dependencies", "schema:read"],
  ["GET /api/v1/schemas/:id/dependents", "schema:read"],
  ["GET /api/v1/subjects", "subject:read"],
  ["GET /api/v1/subjects/:subject", "subject:read"],
  ["DELETE /api/v1/subjects/:subject", "subject:delete"],
  ["GET /api/v1/subjects/:subject/versions", "subject:read"],
  ["POST /api/v1/subjects/:subject/versions", "schema:write"],
  ["GET /api/v1/subjects/:subject/versions/:version", "schema:read"],
  ["POST /api/v1/subjects/:subject/versions/:version/rules/execute", "schema:validate"],
  ["GET /api/v1/subjects/:subject/diff", "schema:read"],
  ["GET /api/v1/subjects/:subject/compatibility", "compatibility:config:read"],
  ["PUT /api/v1/subjects/:subject/compatibility", "compatibility:config:write"],
  ["DELETE /api/v1/subjects/:subject/compatibility", "compatibility:config:write"],
  ["GET /api/v1/compatibility", "compatibility:config:read"],
  ["PUT /api/v1/compatibility", "compatibility:config:write"],
  ["DELETE /api/v1/compatibility", "compatibility:config:write"],
  ["POST /api/v1/compatibility/check", "compatibility:check"],
  ["POST /api/v1/compatibility/bundle", "compatibility:check"],
  ["GET /api/v1/change-sets", "schema:read"],
  ["POST /api/v1/change-sets", "schema:write"],
  ["GET /api/v1/change-sets/:change_set", "schema:read"],
  ["GET /api/v1/compatibility/report", "schema:read"],
  ["GET /api/v1/subjects/:subject/rules", "compatibility:config:read"],
  ["PUT /api/v1/subjects/:subject/rules", "compatibility:config:write"],
  ["DELETE /api/v1/subjects/:subject/rules", "compatibility:config:write"],
  ["GET /api/v1/rules", "compatibility:config:read"],
  ["PUT /api/v1/rules", "compatibility:config:write"],
  ["DELETE /api/v1/rules", "compatibility:config:write"],
  ["POST /api/v1/rules/dry-run", "compatibility:check"],
  ["GET /api/v1/exceptions", "compatibility:config:read"],
  ["POST /api/v1/exceptions", "compatibility:config:write"],
  ["GET /api/v1/log", "audit:read"],
  ["POST /api/v1/search", "schema:read"],
  ["GET /api/v1/search", "schema:read"],
  ["POST /api/v1/schemas/:id/validate", "schema:validate"],
  ["POST /api/v1/schemas/:id/encode", "schema:validate"],
  ["POST /api/v1/schemas/:id/decode", "schema:validate"],
  ["POST /api/v1/validate", "schema:validate"],
  ["POST /api/v1/batch/validate", "schema:validate"],
  ["GET /api/v1/schemas/:id/project/:profile", "schema:read"],
  ["POST /api/v1/project", "schema:validate"],
  ["POST /api/v1/lint", "schema:validate"],
  ["POST /api/v1/decode-answer", "schema:validate"],
  ["POST /api/v1/webhooks", "admin:config"],
  ["GET /api/v1/webhooks", "audit:read"],
  ["GET /api/v1/webhooks/:webhook", "audit:read"],
  ["PATCH /api/v1/webhooks/:webhook", "admin:config"],
  ["DELETE /api/v1/webhooks/:webhook", "admin:config"],
  ["POST /api/v1/webhooks/:webhook/rotate", "admin:config"],
  ["GET /api/v1/webhooks/:webhook/secret", "admin:config"],
  ["POST /api/v1/webhooks/:webhook/test", "admin:config"],
  ["GET /api/v1/webhooks/:webhook/deliveries", "audit:read"],
  ["POST /api/v1/webhooks/:webhook/deliveries/:delivery/replay", "admin:config"],
  ["POST /api/v1/webhooks/:webhook/replay", "admin:config"],
  ["GET /api/v1/backup", "admin:config"],
  ["POST /api/v1/backup", "admin:config"],
  ["GET /api/v1/backup/export", "admin:config"],
  ["GET /api/v1/backup/state", "admin:config"],
  ["DELETE /api/v1/backup/restore", "admin:config"],
  ["POST /api/v1/backup/restore", "admin:config"],
  ["POST /api/v1/backup/restore/finish", "admin:config"],
  ["GET /api/v1/read-model", "metrics:read"],
  ["POST /api/v1/read-model/reconcile", "admin:config"],
  ["POST /api/v1/read-model/rebuild", "admin:config"],
  ["GET /api/v1/events", "subject:read"],
  ["GET /", "public"],
  ["POST /", "public"],
  ["GET /v1/metadata/id", "schema:read"],
  ["GET /v1/metadata/version", "schema:read"],
  ["GET /v1/metadata/deployment", "schema:read"],
  ["GET /schemas", "schema:read"],
  ["GET /schemas/types", "schema:read"],
  ["GET /schemas/ids/:id", "schema:read"],
  ["GET /schemas/ids/:id/schema", "schema:read"],
  ["GET /schemas/ids/:id/subjects", "schema:read"],
  ["GET /schemas/ids/:id/versions", "schema:read"],
  ["GET /schemas/guids/:guid", "schema:read"],
  ["GET /schemas/guids/:guid/ids", "schema:read"],
  ["GET /subjects", "subject:read"],
  ["POST /subjects/:subject", "schema:read"],
  ["DELETE /subjects/:subject", "subject:delete"],
  ["GET /subjects/:subject/metadata", "schema:read"],
  ["GET /subjects/:subject/versions", "subject:read"],
  ["POST /subjects/:subject/versions", "schema:write"],
  ["GET /subjects/:subject/versions/:version", "schema:read"],
  ["DELETE /subjects/:subject/versions/:version", "schema:delete"],
  ["GET /subjects/:subject/versions/:version/schema", "schema:read"],
  ["GET /subjects/:subject/versions/:version/referencedby", "schema:read"],
  ["POST /subjects/:subject/versions/:version/tags", "schema:write"],
  ["POST /subjects/:subject/versions/:version/rules/execute", "schema:validate"],
  ["POST /compatibility/subjects/:subject/versions", "compatibility:check"],
  ["POST /compatibility/subjects/:subject/versions/:version", "compatibility:check"],
  ["GET /config", "compatibility:config:read"],
  ["PUT /config", "compatibility:config:write"],
  ["DELETE /config", "compatibility:config:write"],
  ["GET /config/:subject", "compatibility:config:read"],
  ["PUT /config/:subject", "compatibility:config:write"],
  ["DELETE /config/:subject", "compatibility:config:write"],
  ["GET /mode", "compatibility:config:read"],
  ["PUT /mode", "admin:config"],
  ["DELETE /mode", "admin:config"],
  ["GET /mode/:subject", "compatibility:config:read"],
  ["PUT /mode/:subject", "admin:config"],
  ["DELETE /mode/:subject", "admin:config"],
  ["GET /associations/subjects/:subject", "subject:read"],
  ["GET /associations/resources/:resource", "subject:read"],
  ["PUT /associations/resources/:resource", "subject:write"],
  ["DELETE /associations/resources/:resource", "subject:delete"],
  ["GET /associations/resources/:namespace/:name", "subject:read"],
  ["POST /associations", "subject:write"],
  ["POST /associations:batchGet", "subject:read"],
  ["POST /associations:batchMutate", "subject:delete"],
  ["GET /contexts", "subject:read"],
  ["DELETE /contexts/:context", "subject:delete"],
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
