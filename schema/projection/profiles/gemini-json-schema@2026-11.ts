import type { Profile } from "../profile.ts";

const DOCSTRING = "google-genai-py 3.6.1, response_json_schema docstring";
const source = { confidence: "source", source: DOCSTRING } as const;
const enforced = { value: "enforced", ...source } as const;
const ignored = { value: "ignored", confidence: "source", source: `${DOCSTRING}; Interactions API types` } as const;

export const GEMINI_JSON_SCHEMA_2026_11: Profile = {
  name: "gemini-json-schema",
  date: "2026-11",
  provider: "Gemini",
  purpose: "responseJsonSchema, the Interactions API and parametersJsonSchema.",
  shapes: ["gemini-generate-content", "gemini-interactions", "gemini-function-declaration", "gemini-interactions-tool"],
  root: { value: "any", ...source, note: "A root with anyOf and $ref is reported as flaky." },
  additionalProperties: { value: "any", ...source },
  optionalProperties: { value: true, ...source },
  emptyObjects: {
    value: true,
    confidence: "assumed",
    source: DOCSTRING,
    uncertain: true,
    note: 'The legacy form answers "should be non-empty for OBJECT type"; not observed for this one.',
  },
  untyped: { value: false, confidence: "assumed", source: DOCSTRING, uncertain: true },
  typeArrays: {
    value: "scalars",
    confidence: "observed",
    source:
      'opencode#43495, #49392 (2026-09): "properties: only allowed for OBJECT type" for type [object, null] on gemini-3.8-flash',
  },
  nullability: { value: "type", ...source },
  oneOf: { value: "as_any_of", ...source, note: "Read as anyOf." },
  allOf: { value: false, ...source },
  references: {
    value: { local: true, forms: ["#/$defs/"], siblings: "none", recursion: "optional_only" },
    ...source,
    note: "$ref may have siblings that start with $ only; cycles are unrolled, and only in properties that are not required.",
  },
  enumTypes: { value: ["number", "string"], ...source },
  const: {
    value: false,
    confidence: "source",
    source: `${DOCSTRING} does not list it; AI SDK 7 and pydantic-ai write an enum of one value`,
  },
  annotations: { value: ["title", "description", "$id", "$anchor"], ...source },
  keywords: {
    format: enforced,
    minimum: enforced,
    maximum: enforced,
    minItems: enforced,
    maxItems: enforced,
    prefixItems: enforced,
    minLength: ignored,
    maxLength: ignored,
    pattern: ignored,
    uniqueItems: ignored,
    minProperties: ignored,
    maxProperties: ignored,
    contains: ignored,
  },
  otherKeywords: {
    value: "ignored",
    ...source,
    uncertain: true,
    note: "Unlisted keywords are documented as ignored, or as failing the request.",
  },
  formats: {
    value: ["date-time", "date", "time"],
    confidence: "documented",
    source: "ai.google.dev, structured output",
    uncertain: true,
    note: "The docstring lists format without its values.",
  },
  patterns: { value: "any", ...source },
  propertyOrdering: { value: true, ...source, note: "Needed for 2.0 models, harmless for later ones." },
  outputOrder: { value: "schema", ...source },
  enumCase: { value: "kept", confidence: "assumed", source: DOCSTRING },
  budgets: {
    request: {
      maxItemsSum: {
        value: 960,
        confidence: "observed",
        source: "python-genai#2170 (2026-03), vercel/ai#21192 (2026-09): a bare 400 above about this sum",
        uncertain: true,
      },
    },
  },
};
