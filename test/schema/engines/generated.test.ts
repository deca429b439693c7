/**
 * Both engines on generated schemas, with valid data, and with the same data damaged: what the compiled engine accepts,
 * the interpreter accepts without a warning. FUZZ_RUNS=20000 generates as many schemas.
 */
import { describe, expect, it } from "vitest";
import { MAX_AVRO_VALUES } from "../../../schema/avro/data.ts";
import { SeededRandom } from "../../../schema/avro/witness/sample.ts";
import { formatNamed } from "../../../schema/formats.ts";
import type { JsonSchemaModel } from "../../../schema/json/model.ts";
import { Random } from "../../../schema/random.ts";
import { type CompiledAvro, compileAvro } from "../../../workers/validation/isolate/avro.ts";
import { checkAll } from "../../../workers/validation/isolate/checker.ts";
import { generateTree, schemaOf } from "../avro/generate.ts";
import { modelOf as avroModelOf } from "../avro/schemas.ts";
import { SchemaGenerator } from "../json/compare/soundness/generate.ts";
import { generatePair } from "../protobuf/compare/generated-pair.ts";
import { modelIfValid } from "../protobuf/compare/models.ts";
import { compareAvro, compareJson, compareProtobuf, nothingCompared } from "./comparison.ts";

const RUNS = Number(process.env.FUZZ_RUNS ?? 150);
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_130);
const TIMEOUT_MS = 60_000 + RUNS * 200;

describe("the engines on generated schemas", () => {
  it("agree about JSON", { timeout: TIMEOUT_MS }, () => {
    const compared = nothingCompared();
    const format = formatNamed("json-schema");
    for (let run = 0; run < RUNS; run += 1) {
      const random = new Random(SEED + run);
      const text = JSON.stringify(new SchemaGenerator(random, "2020-12").root());
      const parsed = format.parse({ text, references: [] }, { strictness: "stored", defaultDialect: "2020-12" });
      if (parsed.ok) compareJson(compared, parsed.value.model as JsonSchemaModel, run);
    }

    expect(compared.wronglyAccepted).toEqual([]);
    expect(compared.accepted).toBeGreaterThan(RUNS);
  });

  it("agree about Avro, as values and as bytes", { timeout: TIMEOUT_MS }, () => {
    const compared = { value: nothingCompared(), bytes: nothingCompared() };
    for (let run = 0; run < RUNS; run += 1) {
      compareAvro(compared, avroModelOf(schemaOf(generateTree(new SeededRandom(SEED + run)))), run);
    }

    for (const { wronglyAccepted, accepted } of Object.values(compared)) {
      expect(wronglyAccepted).toEqual([]);
      expect(accepted).toBeGreaterThan(RUNS / 2);
    }
  });

  it("agree about Protobuf", { timeout: TIMEOUT_MS }, () => {
    const compared = nothingCompared();
    for (let run = 0; run < RUNS; run += 1) {
      const model = modelIfValid(generatePair(SEED + run, [], "p").writer);
      if (model !== null) compareProtobuf(compared, model, run);
    }

    expect(compared.wronglyAccepted).toEqual([]);
    expect(compared.accepted).toBeGreaterThan(RUNS / 4);
  });
});

describe("a compiled Avro schema on hostile bytes", () => {
  const check = (schema: unknown, bytes: readonly number[]) => {
    const model = avroModelOf(schema);
    const compilable = formatNamed("avro").data.compilable!(model, "bytes", { formats: true });
    return compilable === undefined
      ? "interpreted"
      : checkAll([compileAvro(compilable as CompiledAvro)], Uint8Array.from(bytes), [bytes.length])[0];
  };
  const HUGE = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];

  it.each([
    ["a block of more items than bytes", { type: "array", items: "int" }, [...HUGE, 2, 4]],
    ["a negative count", { type: "array", items: "int" }, [0xff, 0xff, 0xff, 0xff, 0x0f, 2, 4]],
    ["a map of more entries than bytes", { type: "map", values: "int" }, [...HUGE, 2, 0x61, 2, 0]],
    ["a string longer than the message", "string", [...HUGE, 0x61]],
    ["a string of negative length", { type: "array", items: "string" }, [2, 1, 2, 1, 0]],
    ["invalid UTF-8", "string", [4, 0xc3, 0x28]],
    ["a boolean of another byte", "boolean", [2]],
  ])("does not accept %s, nor run long", (_, schema, bytes) => {
    expect(check(schema, bytes)).toBe(0);
  });

  it.each([
    ["nulls", { type: "array", items: "null" }],
    ["empty records", { type: "array", items: { type: "record", name: "E", fields: [] } }],
    ["empty fixed values", { type: "array", items: { type: "fixed", name: "F", size: 0 } }],
  ])("leaves arrays of %s to the interpreter, which counts them", (_, schema) => {
    expect(check(schema, [0])).toBe("interpreted");
  });

  it("leaves a datum with more values than the interpreter reads to it", () => {
    const booleans = (count: number) => [...zigzag(count), ...Array.from({ length: count }, () => 1), 0];

    expect(check({ type: "array", items: "boolean" }, booleans(MAX_AVRO_VALUES - 1))).toBe(1);
    expect(check({ type: "array", items: "boolean" }, booleans(MAX_AVRO_VALUES))).toBe(0);
  });
});

function zigzag(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = 2 * value; ; rest >>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}
