/** JSON Schema behind the interface that all formats share. */
import type { ConfluentFormat } from "../format.ts";
import { compareInSlices, compareJsonSchemas, confluentLine } from "./compare/compare.ts";
import { jsonData } from "./data.ts";
import type { JsonSchemaModel } from "./model.ts";
import { parseInSlices, parseJsonSchema } from "./parse/parse.ts";
import { bundleJsonSchema } from "./text/bundle.ts";
import { canonicalJsonSchema, equivalentJsonSchemas } from "./text/canonical.ts";
import { jsonSchemaFields, topLevelNames } from "./text/fields.ts";
import { normalisedJsonSchema } from "./text/normalise.ts";
import { renderJsonSchema } from "./text/render.ts";
import { editJsonTags } from "./text/tags.ts";
import { jsonWitnesses, witnessesInSlices } from "./witness/witness.ts";

export const jsonSchema: ConfluentFormat<JsonSchemaModel> = {
  name: "json-schema",
  schemaType: "JSON",
  codeVersion: 4,
  policies: ["strict", "lenient", "semantic"],
  parse: parseJsonSchema,
  parseInSlices,
  canonicalText: canonicalJsonSchema,
  normalisedText: normalisedJsonSchema,
  equivalent: equivalentJsonSchemas,
  render: renderJsonSchema,
  bundle: bundleJsonSchema,
  fields: jsonSchemaFields,
  topLevelNames,
  dialect: ({ root }) => root.resource.dialect,
  editTags: editJsonTags,
  data: jsonData,
  compare: compareJsonSchemas,
  compareInSlices,
  confluentLine,
  witnesses: jsonWitnesses,
  witnessesInSlices,
};
