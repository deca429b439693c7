import { describe, expect, it } from "vitest";
import document from "../../../contract/confluent.openapi.json";
import openapi from "../../../contract/openapi.json";
import { confluentRoutes } from "../../../workers/http/confluent/routes.ts";
import { CONFLUENT_ANSWERS } from "../../support/confluent-contract.ts";
import { openRegistry } from "./calls.ts";

/** The document's paths in the spelling of the router, where `*` is the rest of a path. */
const documented = Object.entries(document.paths).flatMap(([path, item]) =>
  ["get", "post", "put", "patch", "delete"]
    .filter((method) => method in item)
    .map((method) => `${method.toUpperCase()} ${path.replace("{path}", "*").replaceAll(/\{(\w+)\}/g, ":$1")}`),
);

describe("the OpenAPI document of the Confluent API", () => {
  it("has exactly the routes of the route table", () => {
    const mounted = confluentRoutes.map(({ method, path }) => `${method} ${path}`);

    expect(documented.sort()).toEqual(mounted.sort());
  });

  it("accepts the Idempotency-Key and the override on writes only", () => {
    type Operation = { operationId: string; parameters?: { $ref?: string }[] };
    const operations = Object.values(document.paths).flatMap((item) => Object.values(item as object) as Operation[]);
    const taking = (name: string) =>
      operations
        .filter(({ parameters }) => parameters?.some(({ $ref }) => $ref === `#/components/parameters/${name}`))
        .map(({ operationId }) => operationId)
        .sort();
    const writes = confluentRoutes
      .filter(({ method, permission }) => method !== "GET" && /^admin:|:(?:write|delete)$/.test(permission))
      .map(({ method, path }) => CONFLUENT_ANSWERS.operationAt(method, path)!.operationId)
      .sort();

    expect(taking("Override")).toEqual(writes);
    expect(taking("IdempotencyKey")).toEqual(writes);
  });
});

describe("GET /openapi/confluent.json", () => {
  it("answers the document, at the root and under the prefix of the native API", async () => {
    const registry = openRegistry();

    for (const path of ["/openapi/confluent.json", "/api/v1/openapi/confluent.json"]) {
      const response = await registry.platform.fetch(path);
      expect(response.status).toBe(200);
      expect(response.headers.get("Content-Type")).toBe("application/json");
      expect(await response.json()).toEqual(document);
    }
  });

  it("is linked from the documentation page", async () => {
    const page = await openRegistry().platform.fetch("/docs");

    expect(await page.text()).toContain('href="/openapi/confluent.json"');
    expect(openapi.paths).toHaveProperty(["/openapi/confluent.json"]);
  });
});
