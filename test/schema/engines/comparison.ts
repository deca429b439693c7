/** Gives both engines the same data, valid and damaged, and notes where they disagree. */
import { encodeDatum } from "../../../schema/avro/codec/binary.ts";
import { DatumError, datumToJson } from "../../../schema/avro/codec/datum.ts";
import type { AvroModel } from "../../../schema/avro/model.ts";
import { Sampler as AvroSampler, SeededRandom } from "../../../schema/avro/witness/sample.ts";
import type { DataForm } from "../../../schema/data.ts";
import { readDataBytes, writeDataText } from "../../../schema/data-text.ts";
import type { SchemaFormat } from "../../../schema/format.ts";
import { formatNamed } from "../../../schema/formats.ts";
import { findBreaks } from "../../../schema/json/compare/semantic/compare.ts";
import type { JsonSchemaModel } from "../../../schema/json/model.ts";
import { collectPool } from "../../../schema/json/witness/pool.ts";
import { NO_SAMPLE, Sampler } from "../../../schema/json/witness/sample.ts";
import { encodeMessageValue } from "../../../schema/protobuf/codec/codec.ts";
import { LinkedModel } from "../../../schema/protobuf/compare/linked.ts";
import type { ProtobufModel } from "../../../schema/protobuf/model.ts";
import { findPlaces } from "../../../schema/protobuf/witness/places.ts";
import { Sampler as MessageSampler } from "../../../schema/protobuf/witness/values.ts";
import { Random } from "../../../schema/random.ts";
import { runAtOnce } from "../../../schema/slices.ts";
import { type CompiledAvro, compileAvro } from "../../../workers/validation/isolate/avro.ts";
import { checkAll, compileAll, type IsCertainlyValid } from "../../../workers/validation/isolate/checker.ts";
import { type CompiledJsonSchema, compileJsonSchema } from "../../../workers/validation/isolate/json-schema.ts";
import { type CompiledProtobuf, compileProtobuf } from "../../../workers/validation/isolate/protobuf.ts";

const DATA_PER_SCHEMA = 6;
const DAMAGED_PER_DATUM = 6;
const OPTIONS = { formats: true };

/** What was compared under one name. */
export type Compared = {
  /** Schemas, or messages of Protobuf files. */
  schemas: number;
  compiled: number;
  data: number;
  /** Valid data that the compiled engine accepted. */
  accepted: number;
  /** Data that the interpreter finds valid and the compiled engine left to it. */
  left: number;
  /** Data that the compiled engine accepted and the interpreter does not find valid, or not without a warning. */
  wronglyAccepted: string[];
};

export function nothingCompared(): Compared {
  return { schemas: 0, compiled: 0, data: 0, accepted: 0, left: 0, wronglyAccepted: [] };
}

function compile(format: string, schema: unknown): IsCertainlyValid {
  if (format === "avro") return compileAvro(schema as CompiledAvro);
  return format === "protobuf"
    ? compileProtobuf(schema as CompiledProtobuf)
    : compileJsonSchema(schema as CompiledJsonSchema);
}

type Schema = { format: SchemaFormat<unknown>; model: unknown; message?: string };

function compare(
  compared: Compared,
  { format, model, message }: Schema,
  form: DataForm,
  data: readonly Uint8Array[],
): void {
  compared.schemas += 1;
  const options = { ...OPTIONS, ...(message === undefined ? {} : { message }) };
  const schema = format.data.compilable!(model, form, options);
  if (schema === undefined || data.length === 0) return;
  compared.compiled += 1;
  const compiled = compileAll([JSON.parse(JSON.stringify(schema)) as unknown], (each) => compile(format.name, each));
  for (const bytes of data) {
    compared.data += 1;
    const isAccepted = checkAll(compiled, bytes, [bytes.length])[0] === 1;
    const isValid = isPlainlyValid(format, model, form, bytes, options);
    if (isAccepted && isValid) compared.accepted += 1;
    if (!isAccepted && isValid) compared.left += 1;
    if (isAccepted && !isValid) {
      const shown = JSON.stringify(schema).slice(0, 1_000);
      compared.wronglyAccepted.push(`${shown}: ${Buffer.from(bytes).toString("base64").slice(0, 500)}`);
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
  const { inclusion, state } = runAtOnce(findBreaks(model, model, { writers: "any" }));
  const data: Uint8Array[] = [];
  for (let count = 0; count < DATA_PER_SCHEMA; count += 1) {
    const sampler = new Sampler(inclusion.views, random, collectPool(model), random.pick([0.2, 0.5, 0.9]), {
      remaining: 10_000,
    });
    const value = sampler.sample(state);
    if (value !== NO_SAMPLE) data.push(...withDamaged(utf8(value), random));
  }
  return data;
}

function avroData(model: AvroModel, seed: number): Record<DataForm, Uint8Array[]> {
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

export function compareJson(compared: Compared, model: JsonSchemaModel, seed: number): void {
  compare(compared, { format: formatNamed("json-schema"), model }, "value", jsonData(model, seed));
}

export function compareAvro(compared: Record<DataForm, Compared>, model: AvroModel, seed: number): void {
  const format = formatNamed("avro");
  const data = avroData(model, seed);
  for (const form of ["value", "bytes"] as const) compare(compared[form], { format, model }, form, data[form]);
}

/** Each message of the file. */
export function compareProtobuf(compared: Compared, model: ProtobufModel, seed: number): void {
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
    compare(compared, { format, model, message: place.writer.fullName }, "bytes", data);
  }
}
