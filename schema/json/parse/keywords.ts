/** The words that may stand in a schema: of all dialects together, for a keyword of another draft is no slip. */
import { SUBSCHEMA_KEYWORDS } from "./dialects.ts";

/** What refers to a schema that may say more. */
const REFERENCES = ["$ref", "$dynamicRef", "$recursiveRef"];
const ASSERTIONS = [
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
  "format",
];
const NEITHER = [
  "id",
  "$id",
  "$schema",
  "$anchor",
  "$dynamicAnchor",
  "$recursiveAnchor",
  "$vocabulary",
  "$comment",
  "title",
  "description",
  "default",
  "deprecated",
  "readOnly",
  "writeOnly",
  "examples",
  "contentMediaType",
  "contentEncoding",
];
/** Not keywords of JSON Schema, but of OpenAPI and of generators that many schemas come from. */
const OF_OTHERS = new Set([
  "example",
  "nullable",
  "discriminator",
  "xml",
  "externalDocs",
  "propertyOrder",
  "enumNames",
  "options",
]);

const APPLICATORS = new Set(Object.values(SUBSCHEMA_KEYWORDS).flatMap((keywords) => [...keywords.keys()]));

/** Schemas stand there that mean something only where a reference leads to them. */
export const DEFINITION_KEYWORDS: ReadonlySet<string> = new Set(["$defs", "definitions"]);

/** They say what a schema is called, and which language it is in. */
export const NAMING_KEYWORDS: ReadonlySet<string> = new Set([
  "$schema",
  "$id",
  "id",
  "$anchor",
  "$dynamicAnchor",
  "$comment",
]);

/** What a misspelled keyword may have been meant to be. */
export const KEYWORDS: ReadonlySet<string> = new Set([...APPLICATORS, ...REFERENCES, ...ASSERTIONS, ...NEITHER]);

/** Whether a word in a schema needs no explanation. */
export function isKnownWord(word: string): boolean {
  return KEYWORDS.has(word) || OF_OTHERS.has(word);
}

const CONSTRAINING: ReadonlySet<string> = new Set(
  [...APPLICATORS, ...REFERENCES, ...ASSERTIONS].filter((keyword) => !DEFINITION_KEYWORDS.has(keyword)),
);

/** Whether a keyword can make a value invalid. */
export function isConstraining(keyword: string): boolean {
  return CONSTRAINING.has(keyword);
}
