/** Health, metrics and the contract's document; at the root as well as under the native API's prefix. */
import openapi from "../../contract/openapi.json";
import { MEDIA_TYPES, preferredExposition, printMetrics } from "../metrics/exposition.ts";
import { readFamilies } from "../metrics/page.ts";
import { type Answer, jsonAnswer, jsonTextAnswer, provenance } from "./answer.ts";
import type { Call, Route } from "./call.ts";
import { docsPage } from "./docs-page.ts";
import { RegistryError } from "./errors.ts";

/** By operationId. */
export const serviceOperations = {
  health: (): Answer => jsonAnswer(200, { status: "ok" }),

  /** Ready means that the primary answers. */
  async ready({ edge }: Call): Promise<Answer> {
    const answer = await edge.primary.read("head", {});
    if ("ok" in answer) throw new RegistryError(answer);
    return jsonAnswer(200, { status: "ready" }, provenance(answer.asOf, "primary"));
  },

  /** Of the whole deployment; what is asked for per tenant, of the caller's. */
  async metrics({ request, edge }: Call): Promise<Answer> {
    const exposition = preferredExposition(request.headers.get("Accept"));
    const families = await readFamilies(edge.env, edge.tenant, edge.flusher, edge.now());
    return {
      status: 200,
      headers: { "Content-Type": MEDIA_TYPES[exposition] },
      body: printMetrics(families, exposition),
    };
  },

  openapi: (): Answer => jsonTextAnswer(200, JSON.stringify(openapi), { "Cache-Control": "public, max-age=300" }),

  docs: (): Answer => docsPage(),
};

export const serviceRoutes: readonly Route[] = [
  { method: "GET", path: "/health", produces: ["application/json"], answer: serviceOperations.health },
  { method: "GET", path: "/health/ready", produces: ["application/json"], answer: serviceOperations.ready },
  {
    method: "GET",
    path: "/metrics",
    produces: ["text/plain", "application/openmetrics-text"],
    answer: serviceOperations.metrics,
  },
  { method: "GET", path: "/openapi.json", produces: ["application/json"], answer: serviceOperations.openapi },
  { method: "GET", path: "/docs", produces: ["text/html"], answer: serviceOperations.docs },
];
