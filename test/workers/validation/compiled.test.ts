import { describe, expect, it } from "vitest";
import type { Bindings } from "../../../workers/edge.ts";
import { MAX_COMPILED_TOGETHER } from "../../../workers/validation/compiled.ts";
import { HOT_VALIDATIONS_PER_HOUR } from "../../../workers/validation/heat.ts";
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
    ["an Avro one with logical types", { type: "int", logicalType: "date" }],
  ])("leaves %s to the interpreter", async (_, schema) => {
    const registry = plainRegistry();
    const isAvro = "logicalType" in schema;
    const { id } = await registry.register("lines", schema, { format: isAvro ? "avro" : "json-schema" });

    const answered = await validateLines(registry, id, repeat(isAvro ? "5" : "{}", 2 * HOT_VALIDATIONS_PER_HOUR));

    expect(answered.at(-1)!.summary).toMatchObject({ compiled: 0 });
  });

  it("is not required in a deployment without a loader", async () => {
    const registry = plainRegistry({ vars: { VALIDATORS: undefined } as never });
    const { id } = await registry.register("lines", SCHEMA, { format: "json-schema" });

    const answered = await validateLines(registry, id, repeat('{"id":"a"}', 2 * HOT_VALIDATIONS_PER_HOUR));

    expect(answered.at(-1)!.summary).toMatchObject({ valid: 2 * HOT_VALIDATIONS_PER_HOUR, compiled: 0 });
  });
});

type ValidationBody = { valid: boolean; engine: string; errors: { pointer: string }[] };

/** The answers to so many equal messages. */
async function validateMessages(registry: Registry, id: string, message: Uint8Array, count: number, mediaType: string) {
  const answers: ValidationBody[] = [];
  for (let sent = 0; sent < count; sent += 1) {
    const { status, body, text } = await registry.call("POST", `/schemas/${id}/validate`, {
      raw: message as Uint8Array<ArrayBuffer>,
      headers: { "Content-Type": mediaType },
    });
    expect(status, text).toBe(200);
    answers.push(body as ValidationBody);
  }
  return answers;
}

const AVRO_LINES = {
  type: "array",
  items: {
    type: "record",
    name: "Line",
    fields: [
      { name: "sku", type: "string" },
      { name: "n", type: ["null", "long"] },
    ],
  },
};

/** One block of so many lines. */
function avroLines(count: number): Uint8Array {
  const bytes = [...zigzag(count)];
  for (let line = 0; line < count; line += 1) bytes.push(8, 0x61, 0x62, 0x63, 0x64, 2, ...zigzag(line));
  return Uint8Array.from([...bytes, 0]);
}

function zigzag(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = 2 * value; ; rest >>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}

describe("the compiled engine on single messages", () => {
  it("accepts large Avro messages of a hot schema, and leaves small and invalid ones to the interpreter", async () => {
    const registry = plainRegistry();
    const { id } = await registry.register("avro-lines", AVRO_LINES);
    const message = avroLines(2_000);

    const answers = await validateMessages(registry, id, message, HOT_VALIDATIONS_PER_HOUR, "application/avro");
    const [small] = await validateMessages(registry, id, avroLines(2), 1, "application/avro");
    const [cut] = await validateMessages(registry, id, message.slice(0, -3), 1, "application/avro");

    expect(answers.slice(-2).map(({ valid, engine }) => `${valid} ${engine}`)).toEqual([
      "true interpreted",
      "true compiled",
    ]);
    expect(small).toMatchObject({ valid: true, engine: "interpreted" });
    expect(cut).toMatchObject({ valid: false, engine: "interpreted", errors: [{ pointer: "/1999/n" }] });
  });

  it("accepts large Protobuf messages of a hot schema, and leaves unknown fields to the interpreter", async () => {
    const registry = plainRegistry();
    const { id } = await registry.register(
      "proto-lines",
      'syntax = "proto3"; message Lines { repeated Line lines = 1; } message Line { string sku = 1; int64 n = 2; }',
      { format: "protobuf" },
    );
    const line = [0x0a, 8, 0x0a, 4, 0x61, 0x62, 0x63, 0x64, 0x10, 5];
    const message = Uint8Array.from(Array.from({ length: 8_000 }, () => line).flat());

    const answers = await validateMessages(registry, id, message, HOT_VALIDATIONS_PER_HOUR, "application/protobuf");
    const [unknown] = await validateMessages(
      registry,
      id,
      Uint8Array.of(...message, 0x50, 1),
      1,
      "application/protobuf",
    );

    expect(answers.at(-1)).toMatchObject({ valid: true, engine: "compiled", warnings: [] });
    expect(unknown).toMatchObject({ valid: true, engine: "interpreted", warnings: [{ rule: "unknown_field" }] });
  });

  it("accepts values of a hot schema that takes long to interpret", async () => {
    const registry = plainRegistry();
    const alternatives = Array.from({ length: 100 }, (_, index) => ({ type: "object", required: [`p${index}`] }));
    const { id } = await registry.register("costly", { items: { anyOf: alternatives } }, { format: "json-schema" });
    const data = Array.from({ length: 50 }, () => ({ p99: 1 }));

    let last: unknown;
    for (let sent = 0; sent < 2 * HOT_VALIDATIONS_PER_HOUR; sent += 1) {
      last = (await registry.call("POST", `/schemas/${id}/validate`, { body: { data } })).body;
    }

    expect(last).toMatchObject({ valid: true, engine: "compiled" });
  });
});

describe("the compiled engine on many versions", () => {
  it(`compiles ${MAX_COMPILED_TOGETHER} versions together, and says which engine decided each`, async () => {
    const registry = plainRegistry();
    const count = MAX_COMPILED_TOGETHER + 1;
    for (let version = 0; version < count; version += 1) {
      const content = {
        type: "array",
        items: { type: "integer", minimum: version === 3 ? 1 : 0 },
        title: `${version}`,
      };
      await registry.register("many", content, { format: "json-schema", compatibility_level: "NONE" });
    }
    const ask = async () =>
      (
        await registry.call("POST", "/validate", {
          body: { subject: "many", versions: "all", data: Array.from({ length: 300 }, (_, index) => index) },
        })
      ).body as { versions: { version_number: number; valid: boolean; engine: string }[]; summary: object };

    for (let asked = 1; asked < HOT_VALIDATIONS_PER_HOUR; asked += 1) await ask();
    const { versions, summary } = await ask();

    expect(summary).toEqual({ total: count, valid: count - 1, invalid: 1, undecided: 0, compiled: count - 2 });
    expect(
      versions.filter(({ engine }) => engine === "interpreted").map(({ version_number }) => version_number),
    ).toEqual([4, 1]);
    expect(versions.find(({ valid }) => !valid)?.version_number).toBe(4);
  });
});

describe("the budget of isolates", () => {
  it("is the deployment's: beyond it, and while it cannot be asked about, schemas are interpreted", async () => {
    const refused = async () => ({ ok: true, value: { admitted: false } });
    const unreachable = async () => {
      throw new Error("gone");
    };
    for (const admitIsolate of [refused, unreachable]) {
      const metrics = { admitIsolate, add: async () => ({ ok: true, value: null }) };
      const registry = plainRegistry({ vars: { METRICS: { getByName: () => metrics } } as Partial<Bindings> });
      const { id } = await registry.register("lines", SCHEMA, { format: "json-schema" });

      const answered = await validateLines(registry, id, repeat('{"id":"a"}', 2 * HOT_VALIDATIONS_PER_HOUR));

      expect(answered.at(-1)!.summary).toMatchObject({ valid: 2 * HOT_VALIDATIONS_PER_HOUR, compiled: 0 });
    }
  });

  it("is counted once for an isolate, and shown", async () => {
    const registry = plainRegistry();
    const counted = async () => {
      const { text } = await registry.get("/metrics");
      return Number(/^registry_validating_isolates (\d+)/m.exec(text)![1]);
    };
    const before = await counted();
    const { id } = await registry.register("lines", SCHEMA, { format: "json-schema" });

    for (let time = 0; time < 3; time += 1)
      await validateLines(registry, id, repeat('{"id":"a"}', HOT_VALIDATIONS_PER_HOUR));

    expect((await counted()) - before).toBe(1);
  });
});
