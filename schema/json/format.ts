/** JSON Schema behind the interface that all formats share. */
import type { SchemaFormat } from "../format";
import { canonicalJsonSchema, equivalentJsonSchemas } from "./canonical";
import { compareJsonSchemas, confluentLine } from "./compare";
import { jsonSchemaFields, topLevelNames } from "./fields";
import type { JsonSchemaModel } from "./model";
import { normalisedJsonSchema } from "./normalise";
import { parseJsonSchema } from "./parse";
import { renderJsonSchema } from "./render";
import { editJsonTags } from "./tags";
import { jsonWitnesses } from "./witness";

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
