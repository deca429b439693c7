import { describe, expect, it } from "vitest";
import type { ErrorItem } from "../../../contract/errors.ts";
import { compileParameter, readParameters } from "../../../workers/http/parameters.ts";

const query = (schema: Record<string, unknown>, required = false) =>
  compileParameter({ name: "p", in: "query", required }, schema);

function read(spec: ReturnType<typeof query>, text: string | null) {
  const items: ErrorItem[] = [];
  const values = readParameters([spec], new URLSearchParams(text === null ? "" : { p: text }), items);
  return { value: values.p, items };
}

describe("readParameters", () => {
  it("uses the default of an absent parameter, and requires a required one", () => {
    expect(read(query({ type: "integer", default: 50 }), null).value).toBe(50);
    expect(read(query({ type: "string" }, true), null).items).toEqual([
      { rule: "required", message: 'Query parameter "p" is missing.' },
    ]);
  });

  it.each([
    [{ type: "integer", minimum: 1, maximum: 3 }, "1", 1],
    [{ type: "integer", minimum: 1, maximum: 3 }, "3", 3],
    [{ type: "boolean" }, "true", true],
    [{ type: "boolean" }, "false", false],
    [{ enum: ["a", "b"] }, "b", "b"],
    [{ type: "string", maxLength: 3 }, "abc", "abc"],
    [{ type: "string", pattern: "^[a-c]+$" }, "abc", "abc"],
  ])("reads by %j the text %j", (schema, text, value) => {
    expect(read(query(schema), text)).toEqual({ value, items: [] });
  });

  it.each([
    [{ type: "integer", minimum: 1, maximum: 3 }, "0", "a whole number from 1 to 3"],
    [{ type: "integer", minimum: 1, maximum: 3 }, "4", "a whole number from 1 to 3"],
    [{ type: "integer" }, "1.5", "a whole number"],
    [{ type: "integer" }, " 1", "a whole number"],
    [{ type: "integer" }, "0x10", "a whole number"],
    [{ type: "boolean" }, "1", "true or false"],
    [{ enum: ["a", "b"] }, "A", "one of a, b"],
    [{ type: "string", maxLength: 3 }, "abcd", "text of 0 to 3 characters"],
    [{ type: "string", pattern: "^[a-c]+$" }, "abd", "text that matches"],
  ])("refuses by %j the text %j", (schema, text, expected) => {
    expect(read(query(schema), text).items[0]?.message).toContain(`must be ${expected}`);
  });

  it("quotes only a part of an absurdly long value", () => {
    expect(read(query({ type: "boolean" }), "x".repeat(10_000)).items[0]?.message.length).toBeLessThan(200);
  });
});
