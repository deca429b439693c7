import type { Profile } from "../profile.ts";

const XGRAMMAR = "xgrammar 0.2.9, from_json_schema run on one schema for each keyword (test/schema/projection/oracles)";
const executed = { confidence: "executed", source: XGRAMMAR } as const;
const enforced = { value: "enforced", ...executed } as const;
const ignored = {
  value: "ignored",
  ...executed,
  uncertain: true,
  note: "vLLM's backend auto may pass such a schema to llguidance, which refuses it.",
} as const;

export const VLLM_2026_11: Profile = {
  name: "vllm",
  date: "2026-11",
  provider: "vLLM",
  purpose: "structured_outputs of vLLM 0.12 and later with its default backend, xgrammar.",
  shapes: ["vllm-structured-outputs", "openai-chat-response-format"],
  root: { value: "any", ...executed },
  additionalProperties: {
    value: "any",
    ...executed,
    note: "Objects without additionalProperties are treated as closed.",
  },
  optionalProperties: { value: true, ...executed },
  emptyObjects: { value: true, ...executed },
  untyped: { value: true, ...executed },
  typeArrays: { value: "any", ...executed },
  nullability: { value: "type", ...executed },
  oneOf: { value: "as_any_of", ...executed, note: "Falls back to anyOf if alternatives may overlap." },
  allOf: { value: false, ...executed, note: "Only the first parts of an allOf with several have an effect." },
  references: {
    value: { local: true, forms: ["#*"], siblings: "annotations", recursion: "kept" },
    ...executed,
    note: "Siblings of $ref are ignored.",
  },
  enumTypes: { value: ["null", "boolean", "number", "string"], ...executed },
  const: { value: true, ...executed },
  annotations: { value: ["*"], ...executed, note: "Annotations are ignored." },
  keywords: {
    minimum: enforced,
    maximum: enforced,
    exclusiveMinimum: enforced,
    exclusiveMaximum: enforced,
    multipleOf: enforced,
    minLength: enforced,
    maxLength: enforced,
    pattern: enforced,
    format: enforced,
    minItems: enforced,
    maxItems: enforced,
    prefixItems: enforced,
    minProperties: enforced,
    maxProperties: enforced,
    propertyNames: enforced,
    patternProperties: enforced,
    uniqueItems: ignored,
    contains: ignored,
  },
  otherKeywords: ignored,
  formats: {
    value: ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri"],
    ...executed,
  },
  patterns: {
    value: "anchored",
    ...executed,
    note: "A pattern without ^ and $ must match the whole string; lookaround is ignored.",
  },
  lengthBesidePattern: { value: false, ...executed, note: "Lengths next to a pattern are ignored." },
  propertyOrdering: { value: false, ...executed },
  outputOrder: { value: "schema", ...executed },
  enumCase: { value: "kept", ...executed },
  budgets: {},
};
