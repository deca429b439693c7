/**
 * Both engines on real and generated schemas, with valid data, and with the same data damaged: what the compiled engine
 * accepts, the interpreter accepts without a warning. FUZZ_RUNS=20000 runs on every version of the corpus and on as many
 * generated schemas.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { encodeDatum } from "../../schema/avro/codec/binary.ts";
import { DatumError, datumToJson } from "../../schema/avro/codec/datum.ts";
import { MAX_AVRO_VALUES } from "../../schema/avro/data.ts";
import { Sampler as AvroSampler, SeededRandom } from "../../schema/avro/witness/sample.ts";
import type { DataForm } from "../../schema/data.ts";
import { readDataBytes, writeDataText } from "../../schema/data-text.ts";
import type { SchemaFormat } from "../../schema/format.ts";
import { formatNamed } from "../../schema/formats.ts";
import { findBreaks } from "../../schema/json/compare/semantic/compare.ts";
import type { JsonSchemaModel } from "../../schema/json/model.ts";
import { poolOf } from "../../schema/json/witness/pool.ts";
import { NO_SAMPLE, Sampler } from "../../schema/json/witness/sample.ts";
import { encodeMessageValue } from "../../schema/protobuf/codec/codec.ts";
import { LinkedModel } from "../../schema/protobuf/compare/linked.ts";
import { findPlaces } from "../../schema/protobuf/witness/places.ts";
import { Sampler as MessageSampler } from "../../schema/protobuf/witness/values.ts";
import { Random } from "../../schema/random.ts";
import { runAtOnce } from "../../schema/slices.ts";
import { type CompiledAvro, compileAvro } from "../../workers/validation/isolate/avro.ts";
import { checkAll, compileAll, type IsCertainlyValid } from "../../workers/validation/isolate/checker.ts";
import { type CompiledJsonSchema, compileJsonSchema } from "../../workers/validation/isolate/json-schema.ts";
import { type CompiledProtobuf, compileProtobuf } from "../../workers/validation/isolate/protobuf.ts";
import { HISTORIES, hasCorpus } from "../support/corpus.ts";
import { generateTree, schemaOf } from "./avro/generate.ts";
import { modelOf as avroModelOf } from "./avro/schemas.ts";
import { SchemaGenerator } from "./json/compare/soundness/generate.ts";
import { generatePair } from "./protobuf/compare/generated-pair.ts";
import { modelIfValid } from "./protobuf/compare/models.ts";

const RUNS = Number(process.env.FUZZ_RUNS ?? 150);
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_130);
const IS_WHOLE = RUNS > 1_000;
const DATA_PER_SCHEMA = 6;
const DAMAGED_PER_DATUM = 6;
const TIMEOUT_MS = 60_000 + RUNS * 200;
const OPTIONS = { formats: true };

const tally = new Map<string, { schemas: number; compiled: number; data: number; accepted: number }>();

afterAll(() => {
  for (const [name, { schemas, compiled, data, accepted }] of tally) {
    console.log(`| ${name} | ${schemas} | ${compiled} | ${data} | ${accepted} |`);
  }
});

function countOf(name: string) {
  const known = tally.get(name) ?? { schemas: 0, compiled: 0, data: 0, accepted: 0 };
  tally.set(name, known);
  return known;
}

function compile(format: string, schema: unknown): IsCertainlyValid {
  if (format === "avro") return compileAvro(schema as CompiledAvro);
  return format === "protobuf"
    ? compileProtobuf(schema as CompiledProtobuf)
    : compileJsonSchema(schema as CompiledJsonSchema);
}

/** Adds the data that the compiled engine accepts and the interpreter does not. */
function compare(
  name: string,
  { format, model, message }: { format: SchemaFormat<unknown>; model: unknown; message?: string },
  form: DataForm,
  data: readonly Uint8Array[],
  differing: string[],
): void {
  const counted = countOf(name);
  counted.schemas += 1;
  const options = { ...OPTIONS, ...(message === undefined ? {} : { message }) };
  const schema = format.data.compilable!(model, form, options);
  if (schema === undefined || data.length === 0) return;
  counted.compiled += 1;
  const compiled = compileAll([JSON.parse(JSON.stringify(schema)) as unknown], (each) => compile(format.name, each));
  for (const bytes of data) {
    counted.data += 1;
    if (checkAll(compiled, bytes, [bytes.length])[0] !== 1) continue;
    counted.accepted += 1;
    if (!isPlainlyValid(format, model, form, bytes, options)) {
      differing.push(
        `${JSON.stringify(schema).slice(0, 1_000)}: ${Buffer.from(bytes).toString("base64").slice(0, 500)}`,
      );
    }
  }
}

function isPlainlyValid(
  { data }: SchemaFormat<unknown>,
  model: unknown,
  form: DataForm,
  bytes: Uint8Array,
  options: { formats: boolean },
): boolean {
  if (form === "bytes") {
    const decoded = data.decode(model, bytes, options);
    return decoded.ok && decoded.value.warnings.length === 0;
  }
  const read = readDataBytes(bytes);
  if (!read.ok) return false;
  const verdict = data.validate(model, read.value, options);
  return verdict.ok && verdict.value.valid && verdict.value.warnings.length === 0;
}

/** The datum, and copies with bytes changed, inserted or removed. */
function withDamaged(datum: Uint8Array, random: Random): Uint8Array[] {
  const all = [datum];
  for (let count = 0; count < DAMAGED_PER_DATUM && datum.length > 0; count += 1) {
    const bytes = [...datum];
    const at = random.integer(0, bytes.length - 1);
    const other = random.pick([0, 1, 0x7f, 0x80, 0xff, random.integer(0, 255), bytes[at]! ^ 1]);
    bytes.splice(at, random.integer(0, 2), ...(random.chance(0.7) ? [other] : []));
    all.push(Uint8Array.from(bytes));
  }
  return all;
}

const utf8 = (value: unknown) => new TextEncoder().encode(writeDataText(value));

function jsonData(model: JsonSchemaModel, seed: number): Uint8Array[] {
  const random = new Random(seed);
  const { inclusion, state } = runAtOnce(findBreaks(model, model, "any"));
  const data: Uint8Array[] = [];
  for (let count = 0; count < DATA_PER_SCHEMA; count += 1) {
    const sampler = new Sampler(inclusion.views, random, poolOf(model), random.pick([0.2, 0.5, 0.9]), {
      remaining: 10_000,
    });
    const value = sampler.sample(state);
    if (value !== NO_SAMPLE) data.push(...withDamaged(utf8(value), random));
  }
  return data;
}

function avroData(model: ReturnType<typeof avroModelOf>, seed: number): Record<DataForm, Uint8Array[]> {
  const [sampler, random] = [new AvroSampler(model.root), new SeededRandom(seed)];
  const data: Record<DataForm, Uint8Array[]> = { value: [], bytes: [] };
  for (let count = 0; count < DATA_PER_SCHEMA && sampler.hasDatum(model.root); count += 1) {
    try {
      const datum = sampler.random(model.root, random);
      const form = { largeLong: (long: bigint) => long, wrapsUnions: true };
      data.value.push(...withDamaged(utf8(datumToJson(model.root, datum, form)), new Random(seed + count)));
      data.bytes.push(...withDamaged(encodeDatum(model.root, datum), new Random(seed + count)));
    } catch (error) {
      if (!(error instanceof DatumError)) throw error;
    }
  }
  return data;
}

function compareProtobuf(name: string, text: string, seed: number, differing: string[]): void {
  const model = modelIfValid(text);
  if (model === null) return;
  const side = new LinkedModel(model);
  const sampler = new MessageSampler(side, new Random(seed), "declared");
  const format = formatNamed("protobuf");
  for (const place of findPlaces(side, side)) {
    if (place.from !== null) continue;
    const data: Uint8Array[] = [];
    for (let count = 0; count < DATA_PER_SCHEMA; count += 1) {
      const value = sampler.message(place.writer);
      if (value !== null)
        data.push(...withDamaged(encodeMessageValue(side, place.writer, value), new Random(seed + count)));
    }
    compare(name, { format, model, message: place.writer.fullName }, "bytes", data, differing);
  }
}

/** The newest version of each history, or all of them. */
function corpusTexts(extension: string): string[] {
  return readdirSync(HISTORIES).flatMap((history) => {
    const files = readdirSync(join(HISTORIES, history)).filter((file) =>
      new RegExp(`^\\d+\\.${extension}$`).test(file),
    );
    return (IS_WHOLE ? files : files.slice(-1)).map((file) => readFileSync(join(HISTORIES, history, file), "utf8"));
  });
}

describe("the engines on generated schemas", () => {
  it("agree about JSON", { timeout: TIMEOUT_MS }, () => {
    const differing: string[] = [];
    const format = formatNamed("json-schema");
    for (let run = 0; run < RUNS; run += 1) {
      const random = new Random(SEED + run);
      const text = JSON.stringify(new SchemaGenerator(random, "2020-12").root());
      const parsed = format.parse({ text, references: [] }, { strictness: "stored", defaultDialect: "2020-12" });
      if (!parsed.ok) continue;
      const { model } = parsed.value;
      compare("JSON Schema, generated", { format, model }, "value", jsonData(model as JsonSchemaModel, run), differing);
    }

    expect(differing).toEqual([]);
    expect(countOf("JSON Schema, generated").accepted).toBeGreaterThan(RUNS);
  });

  it.each(["value", "bytes"] as const)("agree about Avro, as %s", { timeout: TIMEOUT_MS }, (form) => {
    const differing: string[] = [];
    const format = formatNamed("avro");
    for (let run = 0; run < RUNS; run += 1) {
      const model = avroModelOf(schemaOf(generateTree(new SeededRandom(SEED + run))));
      compare(`Avro, generated, ${form}`, { format, model }, form, avroData(model, run)[form], differing);
    }

    expect(differing).toEqual([]);
    expect(countOf(`Avro, generated, ${form}`).accepted).toBeGreaterThan(RUNS / 2);
  });

  it("agree about Protobuf", { timeout: TIMEOUT_MS }, () => {
    const differing: string[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      compareProtobuf("Protobuf, generated", generatePair(SEED + run, [], "p").writer, run, differing);
    }

    expect(differing).toEqual([]);
    expect(countOf("Protobuf, generated").accepted).toBeGreaterThan(RUNS / 4);
  });
});

describe.skipIf(!hasCorpus)("the engines on real schemas", () => {
  it("agree about JSON", { timeout: TIMEOUT_MS }, () => {
    const differing: string[] = [];
    const format = formatNamed("json-schema");
    for (const [index, text] of corpusTexts("json").entries()) {
      const parsed = format.parse({ text, references: [] }, { strictness: "stored", defaultDialect: "2020-12" });
      if (!parsed.ok) continue;
      const { model } = parsed.value;
      compare("JSON Schema, real", { format, model }, "value", jsonData(model as JsonSchemaModel, index), differing);
    }

    expect(differing).toEqual([]);
    expect(countOf("JSON Schema, real").accepted).toBeGreaterThan(0);
  });

  it("agree about Avro", { timeout: TIMEOUT_MS }, () => {
    const differing: string[] = [];
    const format = formatNamed("avro");
    for (const [index, text] of corpusTexts("avsc").entries()) {
      const parsed = format.parse({ text, references: [] }, { strictness: "stored", defaultDialect: "2020-12" });
      if (!parsed.ok) continue;
      const model = parsed.value.model as ReturnType<typeof avroModelOf>;
      const data = avroData(model, index);
      for (const form of ["value", "bytes"] as const) {
        compare(`Avro, real, ${form}`, { format, model }, form, data[form], differing);
      }
    }

    expect(differing).toEqual([]);
    expect(countOf("Avro, real, bytes").accepted).toBeGreaterThan(0);
  });

  it("agree about Protobuf", { timeout: TIMEOUT_MS }, () => {
    const differing: string[] = [];
    for (const [index, text] of corpusTexts("proto").entries())
      compareProtobuf("Protobuf, real", text, index, differing);

    expect(differing).toEqual([]);
  });
});

describe("a compiled Avro schema on hostile bytes", () => {
  const check = (schema: unknown, bytes: readonly number[]) => {
    const model = avroModelOf(schema);
    const compilable = formatNamed("avro").data.compilable!(model, "bytes", OPTIONS);
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
