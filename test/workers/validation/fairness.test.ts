import { describe, expect, it } from "vitest";
import { plainRegistry } from "../http/native-calls.ts";

/** Each value takes tens of thousands of evaluations: every item tries every alternative. */
const COSTLY = {
  type: "array",
  items: { anyOf: Array.from({ length: 100 }, (_, index) => ({ type: "object", required: [`p${index}`] })) },
};

describe("validating many values", () => {
  it.each(["lines", "items"])("lets a read in between %s that take long", async (form) => {
    const registry = plainRegistry();
    const { id } = await registry.register("costly", COSTLY, { format: "json-schema" });
    await registry.get(`/schemas/${id}/content`);
    const value = Array.from({ length: 200 }, () => ({}));
    const order: string[] = [];

    const validating = (
      form === "lines"
        ? registry.call("POST", `/schemas/${id}/validate?only=invalid`, {
            raw: Array.from({ length: 100 }, () => JSON.stringify(value)).join("\n"),
            headers: { "Content-Type": "application/x-ndjson" },
          })
        : registry.call("POST", "/validate", { body: { id, items: Array.from({ length: 100 }, () => value) } })
    ).then(() => order.push("validated"));
    const reading = (async () => {
      for (let read = 0; read < 5; read += 1) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        await registry.get(`/schemas/${id}/content`);
      }
      order.push("read");
    })();
    await Promise.all([validating, reading]);

    expect(order).toEqual(["read", "validated"]);
  });
});
