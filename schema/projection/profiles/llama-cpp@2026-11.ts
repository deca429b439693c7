import type { Profile } from "../profile.ts";

const README = "ggml-org/llama.cpp grammars/README.md";
const source = { confidence: "source", source: README } as const;
const enforced = { value: "enforced", ...source } as const;
const ignored = { value: "ignored", ...source, note: "Unknown keywords are silently skipped." } as const;

export const LLAMA_CPP_2026_11: Profile = {
  name: "llama-cpp",
  date: "2026-11",
  provider: "llama.cpp",
  purpose: "json_schema and response_format of the llama.cpp server. The schema is not added to the prompt.",
  shapes: ["llama-cpp-json-schema", "openai-chat-response-format"],
  root: { value: "any", ...source },
  additionalProperties: {
    value: "any",
    ...source,
    note: "Objects without additionalProperties are treated as closed.",
  },
  optionalProperties: { value: true, ...source },
  emptyObjects: { value: true, ...source },
  untyped: { value: true, ...source },
  typeArrays: { value: "scalars", ...source, uncertain: true },
  nullability: { value: "type", ...source },
  oneOf: { value: "as_any_of", ...source },
  allOf: { value: false, ...source, uncertain: true, note: "Merged for objects only." },
  references: {
    value: { local: true, forms: ["#/$defs/", "#/definitions/"], siblings: "annotations", recursion: "kept" },
    ...source,
    uncertain: true,
    note: "Nested $ref is reported as broken; references to definitions at the top level are widely used.",
  },
  enumTypes: { value: ["null", "boolean", "number", "string", "array", "object"], ...source },
  const: { value: true, ...source },
  annotations: { value: ["*"], ...source },
  keywords: {
    minimum: enforced,
    maximum: enforced,
    exclusiveMinimum: enforced,
    exclusiveMaximum: enforced,
    minLength: enforced,
    maxLength: enforced,
    pattern: enforced,
    format: enforced,
    minItems: enforced,
    maxItems: enforced,
    prefixItems: { value: "ignored", ...source, uncertain: true, note: "Reported as broken." },
  },
  otherKeywords: ignored,
  formats: { value: ["date", "time", "date-time", "uuid"], ...source, note: "uri and email are not enforced." },
  patterns: { value: "anchored", ...source, note: "A pattern must begin with ^ and end with $." },
  lengthBesidePattern: { value: false, confidence: "assumed", source: README, uncertain: true },
  numericBounds: { value: "integers", ...source },
  propertyOrdering: { value: false, ...source },
  outputOrder: { value: "schema", ...source },
  enumCase: { value: "kept", ...source },
  budgets: {},
};
