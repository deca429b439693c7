/** Health, metrics and the OpenAPI documents; at the root and under the native API's prefix. */
import confluentDocument from "../../contract/confluent.openapi.json";
import document from "../../contract/openapi.json";
import { OF_DEPLOYMENT } from "../../observe/metrics.ts";
import { DEFAULT_TENANT } from "../../registry/permission.ts";
import { MEDIA_TYPES, preferredExposition, printMetrics } from "../metrics/exposition.ts";
import { readFamilies } from "../metrics/page.ts";
import { type Answer, JSON_MEDIA_TYPE, jsonAnswer, jsonTextAnswer, provenance } from "./answer.ts";
import { type Call, type Route, type RouteKey, splitRouteKey } from "./call.ts";
import { docsPage } from "./docs-page.ts";
import { RegistryError } from "./errors.ts";

function health(): Answer {
  return jsonAnswer(200, { status: "ok" });
}

/** Ready means that the primary is reachable. */
async function ready({ edge }: Call): Promise<Answer> {
  const answer = await edge.primary.read("head", {});
  if (!answer.ok) throw new RegistryError(answer.refusal);
  return jsonAnswer(200, { status: "ready" }, provenance(answer.value.asOf, "primary"));
}

/** Counters cover the whole deployment, most gauges the caller's tenant. */
async function metrics({ request, edge, actor }: Call): Promise<Answer> {
  const exposition = preferredExposition(request.headers.get("Accept"));
  const families = await readFamilies(edge.env, edge.tenant, edge.flusher, edge.now());
  // One of several tenants must not see what the others do.
  const seesAll = actor.tenant === DEFAULT_TENANT || actor.permissions.has("admin:tenants");
  const shown = seesAll ? families : families.filter(({ name }) => !OF_DEPLOYMENT.has(name));
  return {
    status: 200,
    headers: { "Content-Type": MEDIA_TYPES[exposition] },
    body: printMetrics(shown, exposition),
  };
}

function openapi(): Answer {
  return jsonTextAnswer(200, JSON.stringify(document), { "Cache-Control": "public, max-age=300" });
}

function confluentOpenapi(): Answer {
  return jsonTextAnswer(200, JSON.stringify(confluentDocument), { "Cache-Control": "public, max-age=300" });
}

function docs(): Answer {
  return docsPage();
}

/** Under the native API's prefix; `rootRoutes` serves the same at the root. */
export const serviceRoutes = {
  "GET /health": { answer: health, permission: "public" },
  "GET /health/ready": { answer: ready, permission: "public" },
  "GET /metrics": { answer: metrics, permission: "metrics:read" },
  "GET /openapi.json": { answer: openapi, permission: "public" },
  "GET /openapi/confluent.json": { answer: confluentOpenapi, permission: "public" },
  "GET /docs": { answer: docs, permission: "public" },
} as const satisfies Record<RouteKey, Pick<Route, "answer" | "permission">>;

const PRODUCES: Readonly<Partial<Record<RouteKey, readonly string[]>>> = {
  "GET /metrics": ["text/plain", "application/openmetrics-text"],
  "GET /docs": ["text/html"],
};

export const rootRoutes: readonly Route[] = Object.entries(serviceRoutes).map(([key, route]) => ({
  ...splitRouteKey(key),
  ...route,
  produces: PRODUCES[key as RouteKey] ?? [JSON_MEDIA_TYPE],
}));
