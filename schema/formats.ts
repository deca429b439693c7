/** The list of formats: adding one touches its folder, its name in format.ts and this list. */
import { avro } from "./avro/format.ts";
import type { FormatName, SchemaFormat } from "./format.ts";
import { jsonSchema } from "./json/format.ts";
import { protobuf } from "./protobuf/format.ts";

const FORMATS: Readonly<Record<FormatName, SchemaFormat<unknown>>> = {
  "json-schema": jsonSchema,
  avro,
  protobuf,
};

export function formatNamed(name: FormatName): SchemaFormat<unknown> {
  return FORMATS[name];
}

/** The format by its name in the Confluent contract. */
export function findFormat(schemaType: string): SchemaFormat<unknown> | undefined {
  return Object.values(FORMATS).find((format) => format.schemaType === schemaType);
}
