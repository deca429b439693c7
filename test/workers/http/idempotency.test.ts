import { describe, expect, it } from "vitest";
import { confluentRoutes } from "../../../workers/http/confluent/routes.ts";
import { OPERATIONS } from "../../../workers/http/native/operations.ts";
import { nativeRoutes } from "../../../workers/http/native/routes.ts";

/** Repeats of these have no further effect without a key: they compare with what is there, or continue from it. */
const REPEATABLE = new Set([
  "POST /read-model/reconcile",
  "POST /read-model/rebuild",
  "POST /backup",
  "POST /backup/restore",
  "POST /backup/restore/finish",
  "DELETE /backup/restore",
]);

const isChange = ({ method, permission }: { method: string; permission: string }) =>
  method !== "GET" && /^admin:|:(?:write|delete)$/.test(permission);

describe("the table of routes", () => {
  const changes = nativeRoutes.flatMap((route, index) => (isChange(route) ? [OPERATIONS[index]!] : []));

  it("has an Idempotency-Key on every request that changes something", () => {
    const without = changes
      .filter(({ parameters }) => !parameters.header.some(({ name }) => name === "Idempotency-Key"))
      .map(({ method, documentedPath }) => `${method} ${documentedPath}`);

    expect(changes.length).toBeGreaterThan(40);
    expect(without.sort()).toEqual([...REPEATABLE].sort());
  });

  it("has an If-Match on every request that replaces attributes of one record or webhook", () => {
    const guarded = OPERATIONS.filter(({ parameters }) => parameters.header.some(({ name }) => name === "If-Match"));

    expect(guarded.map(({ method, documentedPath }) => `${method} ${documentedPath}`).sort()).toEqual([
      "DELETE /schemas/{id}",
      "PATCH /schemas/{id}",
      "PATCH /webhooks/{webhook}",
    ]);
  });

  it("has changes in the Confluent API too, under the same permissions", () => {
    expect(confluentRoutes.filter(isChange).length).toBeGreaterThan(10);
  });
});
