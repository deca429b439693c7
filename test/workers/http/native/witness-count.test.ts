import { describe, expect, it } from "vitest";
import { MAX_WITNESSES } from "../../../../workers/registry/compatibility/compare.ts";
import { plainRegistry } from "../native-calls.ts";

/** An object whose properties all have this type. */
const ofType = (type: string, count: number) => ({
  type: "object",
  properties: Object.fromEntries(Array.from({ length: count }, (_, n) => [`p${n}`, { type }])),
});

describe("a refused registration", () => {
  it.each([
    [MAX_WITNESSES, MAX_WITNESSES],
    [MAX_WITNESSES + 1, MAX_WITNESSES],
  ])("for %i breaking differences shows %i witnesses", async (count, shown) => {
    const registry = plainRegistry();
    await registry.register("s", ofType("string", count), { format: "json-schema" });

    const { status, body } = await registry.call("POST", "/schemas", {
      body: { subject: "s", format: "json-schema", content: ofType("integer", count) },
    });

    expect(status).toBe(409);
    const { differences } = (body as { verdict: { differences: { severity: string; witness?: object }[] } }).verdict;
    const breaking = differences.filter(({ severity }) => severity === "breaking");
    expect(breaking).toHaveLength(count);
    expect(breaking.filter(({ witness }) => witness !== undefined)).toHaveLength(shown);
  });
});
