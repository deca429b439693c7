import { describe, expect, it } from "vitest";
import openapi from "../../../contract/openapi.json";
import { compileBodyCheck, MAX_REPORTED_ITEMS } from "../../../workers/http/request-schema.ts";

const components = openapi.components.schemas;
const check = compileBodyCheck({ $ref: "#/components/schemas/Registration" }, components);
const GOOD = { subject: "a", format: "avro", content: {} };

describe("compileBodyCheck", () => {
  it("finds no problem in a valid body", () => {
    expect(check(GOOD)).toEqual([]);
    expect(check({ ...GOOD, role: null, references: [{ name: "n", subject: "s", version: "latest" }] })).toEqual([]);
  });

  it("reports each location, rule and the accepted values", () => {
    const items = check({
      format: "xml",
      content: {},
      tags: ["ok", 7],
      extra: 1,
      references: [{ name: "n", subject: "s" }],
    });

    const byPlace = new Map(items.map((item) => [`${item.pointer} ${item.rule}`, item.message]));
    expect([...byPlace.keys()].sort()).toEqual(
      [" required", "/extra unknown_field", "/format enum", "/references/0 required", "/tags/1 type"].sort(),
    );
    expect(byPlace.get("/format enum")).toContain("json-schema");
    expect(byPlace.get(" required")).toContain("subject");
  });

  it("reports what the closest alternative lacks", () => {
    const items = check({ ...GOOD, references: [{ name: "n", subject: "s", version: 0 }] });

    expect(items.length).toBeGreaterThan(0);
    expect(items.every(({ pointer }) => pointer === "/references/0/version")).toBe(true);
  });

  it("stops after the maximum number of reasons", () => {
    const extra = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`x${index}`, 1]));

    expect(check({ ...GOOD, ...extra })).toHaveLength(MAX_REPORTED_ITEMS);
  });

  it("handles names that every object inherits", () => {
    expect(check(JSON.parse('{"subject":"a","format":"avro","content":{},"__proto__":1}'))).toHaveLength(1);
    expect(check({ ...GOOD, constructor: 1 })).toHaveLength(1);
  });
});
