import type { Profile } from "../profile.ts";

const TYPES = "google-genai-py 3.6.1, types.Schema";
const source = { confidence: "source", source: TYPES } as const;
const enforced = { value: "enforced", ...source } as const;

export const GEMINI_RESPONSE_SCHEMA_2026_11: Profile = {
  name: "gemini-response-schema",
  date: "2026-11",
  provider: "Gemini (responseSchema)",
  purpose: "The older form after OpenAPI 3.0: responseSchema, and parameters of function declarations.",
  shapes: ["gemini-generate-content-legacy", "gemini-function-declaration-legacy"],
  root: { value: "any", ...source },
  additionalProperties: {
    value: "absent",
    confidence: "executed",
    source: `${TYPES}: the Developer API has no such field, and the SDK raises on any true value; Vertex accepts it`,
  },
  optionalProperties: { value: true, ...source },
  emptyObjects: {
    value: false,
    confidence: "observed",
    source: '"properties: should be non-empty for OBJECT type" in agno#2112, pipecat-flows#110 (2025-03)',
  },
  untyped: {
    value: false,
    confidence: "observed",
    source: "OmniRoute#3360 (2026-06): a schema without type is refused",
  },
  typeArrays: { value: "none", ...source },
  nullability: { value: "nullable", ...source },
  oneOf: { value: "as_any_of", ...source },
  allOf: { value: false, ...source },
  references: {
    value: { local: false, forms: [], siblings: "none", recursion: "refused" },
    ...source,
    note: "ref and defs are supported only on Vertex.",
  },
  enumTypes: {
    value: ["string"],
    confidence: "observed",
    source: '"Invalid value … (TYPE_STRING)"; "enum only allowed for STRING type" in 9router#380 (2026-03)',
    note: 'The docstring\'s integer form (type INTEGER, format "enum") is not safe on the Developer API.',
  },
  const: { value: false, ...source },
  annotations: { value: ["title", "description", "default"], ...source },
  keywords: {
    format: enforced,
    minimum: enforced,
    maximum: enforced,
    minItems: enforced,
    maxItems: enforced,
    minLength: enforced,
    maxLength: enforced,
    pattern: enforced,
    minProperties: enforced,
    maxProperties: enforced,
  },
  otherKeywords: {
    value: "refused",
    confidence: "observed",
    source: '400 "Unknown name … Cannot find field", in many public issues',
  },
  formats: {
    value: ["date-time"],
    confidence: "observed",
    source: "reports of 2025: the Developer API accepts only enum and date-time",
    uncertain: true,
  },
  patterns: { value: "no_lookaround", confidence: "assumed", source: TYPES, uncertain: true },
  propertyOrdering: { value: true, ...source },
  outputOrder: { value: "schema", ...source },
  enumCase: { value: "kept", confidence: "assumed", source: TYPES },
  budgets: {
    request: {
      maxItemsSum: {
        value: 960,
        confidence: "observed",
        source: "python-genai#2170 (2026-03), vercel/ai#21192 (2026-09)",
        uncertain: true,
      },
    },
  },
};
