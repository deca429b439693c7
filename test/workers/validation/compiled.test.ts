import { describe, expect, it } from "vitest";
import {
  HOT_VALIDATIONS_PER_HOUR,
  LoadedIsolates,
  MAX_LOADED_ISOLATES_PER_DAY,
} from "../../../workers/validation/heat.ts";
import { plainRegistry, type Registry } from "../http/native-calls.ts";

const SCHEMA = {
  type: "object",
  properties: { id: { type: "string", pattern: "^[a-z]+$" }, mail: { format: "email" } },
  required: ["id"],
};
const HOUR_MS = 60 * 60 * 1_000;

type Answered = { line?: number; valid?: boolean; errors?: { pointer: string }[]; summary?: { compiled: number } };

async function validateLines(registry: Registry, id: string, lines: readonly string[]): Promise<Answered[]> {
  const { body, text, status } = await registry.call("POST", `/schemas/${id}/validate`, {
    raw: lines.join("\n"),
    headers: { "Content-Type": "application/x-ndjson" },
  });
  expect(status, text).toBe(200);
  return body as Answered[];
}

const repeat = (line: string, count: number) => Array.from({ length: count }, () => line);

describe("the compiled engine", () => {
  it("accepts valid data of a hot schema, and leaves the reasons for a refusal to the interpreter", async () => {
    const registry = plainRegistry();
    const { id } = await registry.register("lines", SCHEMA, { format: "json-schema" });
    const cold = await validateLines(registry, id, repeat('{"id":"a"}', HOT_VALIDATIONS_PER_HOUR - 1));

    const hot = await validateLines(registry, id, [
      '{"id":"a"}',
      '{"id":"A"}',
      '{"id":"b","mail":"nobody"}',
      '{"id":"a","id":"b"}',
      '{"id":"c","mail":"a@example.com"}',
      '{"id":12345678901234567890}',
      "{",
    ]);

    expect(cold.at(-1)!.summary).toMatchObject({ valid: HOT_VALIDATIONS_PER_HOUR - 1, compiled: 0 });
    expect(hot.slice(0, -1).map(({ valid }) => valid)).toEqual([true, false, false, false, true, false, false]);
    expect(hot[1]!.errors).toMatchObject([{ pointer: "/id", keyword: "pattern" }]);
    expect(hot.at(-1)!.summary).toMatchObject({ valid: 2, invalid: 5, compiled: 2 });
  });

  it("counts validations per hour", async () => {
    const registry = plainRegistry();
    const { id } = await registry.register("lines", SCHEMA, { format: "json-schema" });
    await validateLines(registry, id, repeat('{"id":"a"}', HOT_VALIDATIONS_PER_HOUR - 1));
    registry.platform.clock.advance(HOUR_MS);

    const next = await validateLines(registry, id, ['{"id":"a"}']);

    expect(next.at(-1)!.summary).toMatchObject({ compiled: 0 });
  });

  it.each([
    ["a recursive one", { properties: { next: { $ref: "#" } } }],
    ["one whose items are unique", { type: "array", uniqueItems: true }],
    ["an Avro one", undefined],
  ])("leaves %s to the interpreter", async (_, schema) => {
    const registry = plainRegistry();
    const { id } = schema
      ? await registry.register("lines", schema, { format: "json-schema" })
      : await registry.register("lines", "null");

    const answered = await validateLines(registry, id, repeat(schema ? "{}" : "null", 2 * HOT_VALIDATIONS_PER_HOUR));

    expect(answered.at(-1)!.summary).toMatchObject({ compiled: 0 });
  });

  it("is not required in a deployment without a loader", async () => {
    const registry = plainRegistry({ vars: { VALIDATORS: undefined } as never });
    const { id } = await registry.register("lines", SCHEMA, { format: "json-schema" });

    const answered = await validateLines(registry, id, repeat('{"id":"a"}', 2 * HOT_VALIDATIONS_PER_HOUR));

    expect(answered.at(-1)!.summary).toMatchObject({ valid: 2 * HOT_VALIDATIONS_PER_HOUR, compiled: 0 });
  });
});

describe("LoadedIsolates", () => {
  it(`admits ${MAX_LOADED_ISOLATES_PER_DAY} isolates per day, and admits those again`, () => {
    const loaded = new LoadedIsolates();
    const admitted = Array.from({ length: MAX_LOADED_ISOLATES_PER_DAY + 1 }, (_, index) => loaded.admit(`${index}`, 0));

    expect(admitted.filter(Boolean).length).toBe(MAX_LOADED_ISOLATES_PER_DAY);
    expect([loaded.admit("0", 0), loaded.admit("another", 0), loaded.admit("another", 24 * HOUR_MS)]).toEqual([
      true,
      false,
      true,
    ]);
  });
});
