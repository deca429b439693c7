/** JSON Schema behind the interface that all formats share. */
import type { SchemaFormat } from "../format.ts";
import { canonicalJsonSchema, equivalentJsonSchemas } from "./canonical.ts";
import { compareJsonSchemas, confluentLine } from "./compare.ts";
import { jsonSchemaFields, topLevelNames } from "./fields.ts";
import type { JsonSchemaModel } from "./model.ts";
import { normalisedJsonSchema } from "./normalise.ts";
import { parseJsonSchema } from "./parse.ts";
import { renderJsonSchema } from "./render.ts";
import { editJsonTags } from "./tags.ts";
import { jsonWitnesses } from "./witness.ts";

export const jsonSchema: SchemaFormat<JsonSchemaModel> = {
  name: "json-schema",
  schemaType: "JSON",
  codeVersion: 1,
  policies: ["strict", "lenient", "semantic"],
  parse: parseJsonSchema,
  canonicalText: canonicalJsonSchema,
  normalisedText: normalisedJsonSchema,
  equivalent: equivalentJsonSchemas,
  render: renderJsonSchema,
  fields: jsonSchemaFields,
  topLevelNames,
  editTags: editJsonTags,
  compare: compareJsonSchemas,
  confluentLine,
  witnesses: jsonWitnesses,
};
