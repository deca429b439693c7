/** The keywords of all dialects together, because a keyword of another draft is not a misspelling. */
import { SUBSCHEMA_KEYWORDS } from "./dialects.ts";
import { VALIDATION_KEYWORDS } from "./vocabularies.ts";

/** Keywords that reference a schema with further constraints. */
const REFERENCES = ["$ref", "$dynamicRef", "$recursiveRef"];
const ASSERTIONS = [...VALIDATION_KEYWORDS, "format"];
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
/** Not keywords of JSON Schema, but of OpenAPI and of common schema generators. */
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

/** Keywords whose schemas only have an effect through references. */
export const DEFINITION_KEYWORDS: ReadonlySet<string> = new Set(["$defs", "definitions"]);

/** Keywords that name a schema or its dialect. */
export const NAMING_KEYWORDS: ReadonlySet<string> = new Set([
  "$schema",
  "$id",
  "id",
  "$anchor",
  "$dynamicAnchor",
  "$comment",
]);

/** Keywords that a misspelled word may have been meant as. */
export const KEYWORDS: ReadonlySet<string> = new Set([...APPLICATORS, ...REFERENCES, ...ASSERTIONS, ...NEITHER]);

/** Whether a word in a schema is known. */
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
