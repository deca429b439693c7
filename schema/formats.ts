/** The list of formats: adding one touches its folder, its name in format.ts and this list. */
import { avro } from "./avro/format.ts";
import { collection } from "./collection/format.ts";
import { dataset } from "./dataset/format.ts";
import { evaluation } from "./evaluation/format.ts";
import type { ConfluentFormat, FormatName, SchemaFormat } from "./format.ts";
import { jsonSchema } from "./json/format.ts";
import { modelSignature } from "./model-signature/format.ts";
import { prompt } from "./prompt/format.ts";
import { protobuf } from "./protobuf/format.ts";
import { tool } from "./tool/format.ts";

const FORMATS: Readonly<Record<FormatName, SchemaFormat<unknown>>> = {
  "json-schema": jsonSchema,
  avro,
  protobuf,
  prompt,
  tool,
  "model-signature": modelSignature,
  collection,
  dataset,
  evaluation,
};

export function formatNamed(name: FormatName): SchemaFormat<unknown> {
  return FORMATS[name];
}

const CONFLUENT_FORMATS: readonly ConfluentFormat<unknown>[] = [jsonSchema, avro, protobuf];

/** The format by its name in the Confluent contract. */
export function findFormat(schemaType: string): ConfluentFormat<unknown> | undefined {
  return CONFLUENT_FORMATS.find((format) => format.schemaType === schemaType);
}

/** The format if the Confluent contract has it. */
export function confluentFormatNamed(name: FormatName): ConfluentFormat<unknown> | undefined {
  return CONFLUENT_FORMATS.find((format) => format.name === name);
}
