import { describe, expect, it } from "vitest";
import type { SchemaFormat } from "../../../schema/format.ts";
import { jsonSchema } from "../../../schema/json/format.ts";

describe("jsonSchema", () => {
  it("supports a registration through the common interface of formats", () => {
    const format: SchemaFormat<unknown> = jsonSchema;
    const source = {
      text: '{ "type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"] }',
      references: [],
    };

    const parsed = format.parse(source, { strictness: "new", defaultDialect: "2020-12" });

    if (!parsed.ok) throw new Error(parsed.refusal.problems[0]?.message);
    expect([format.name, format.schemaType]).toEqual(["json-schema", "JSON"]);
    expect(format.canonicalText(parsed.value.model)).toBe(
      '{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}',
    );
    expect(format.normalisedText(parsed.value.model)).toBe(
      '{"properties":{"a":{"type":"string"}},"required":["a"],"type":"object"}',
    );
    expect(format.equivalent?.(parsed.value.model, parsed.value.model)).toBe(true);
    expect(format.render?.(parsed.value.model, "resolved")).toBeUndefined();
    expect(format.topLevelNames?.(parsed.value.model)).toEqual(["a"]);
    expect(format.fields(parsed.value.model)).toEqual([
      { path: "a", type: "string", documentation: null, required: true },
    ]);
  });
});
