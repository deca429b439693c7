/** The keywords that a custom meta-schema's `$vocabulary` disables (2019-09 and 2020-12 core, §8.1). */
import type { JsonDialect } from "../../format.ts";
import type { JsonNode } from "../../json-text.ts";

const APPLICATORS = [
  "allOf",
  "anyOf",
  "oneOf",
  "not",
  "if",
  "then",
  "else",
  "dependentSchemas",
  "prefixItems",
  "items",
  "additionalItems",
  "contains",
  "properties",
  "patternProperties",
  "additionalProperties",
  "propertyNames",
];
const UNEVALUATED = ["unevaluatedItems", "unevaluatedProperties"];
/** The keywords of the validation vocabulary. */
export const VALIDATION_KEYWORDS = [
  "type",
  "enum",
  "const",
  "multipleOf",
  "maximum",
  "exclusiveMaximum",
  "minimum",
  "exclusiveMinimum",
  "maxLength",
  "minLength",
  "pattern",
  "maxItems",
  "minItems",
  "uniqueItems",
  "maxContains",
  "minContains",
  "maxProperties",
  "minProperties",
  "required",
  "dependentRequired",
];

const VOCABULARIES: Partial<Record<JsonDialect, Record<string, readonly string[]>>> = {
  "2019-09": {
    "https://json-schema.org/draft/2019-09/vocab/applicator": [...APPLICATORS, ...UNEVALUATED],
    "https://json-schema.org/draft/2019-09/vocab/validation": VALIDATION_KEYWORDS,
  },
  "2020-12": {
    "https://json-schema.org/draft/2020-12/vocab/applicator": APPLICATORS,
    "https://json-schema.org/draft/2020-12/vocab/unevaluated": UNEVALUATED,
    "https://json-schema.org/draft/2020-12/vocab/validation": VALIDATION_KEYWORDS,
  },
};

export const NO_KEYWORDS: ReadonlySet<string> = new Set();

/** The keywords without effect under a meta-schema; none if it lists no vocabularies. */
export function ignoredKeywords(metaSchema: JsonNode, dialect: JsonDialect): ReadonlySet<string> {
  const listed = metaSchema.type === "object" ? metaSchema.members.get("$vocabulary") : undefined;
  if (listed?.type !== "object") return NO_KEYWORDS;
  const ignored = new Set<string>();
  for (const [url, names] of Object.entries(VOCABULARIES[dialect] ?? {})) {
    if (!listed.members.has(url)) for (const name of names) ignored.add(name);
  }
  return ignored;
}
