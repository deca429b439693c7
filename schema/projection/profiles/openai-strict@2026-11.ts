import type { Profile } from "../profile.ts";

const GUIDE = "OpenAI guide, structured outputs, supported schemas (copies up to 2026)";
const NODE = "openai-node 7.59.0 lib/transform.js";
const PYDANTIC_AI = "pydantic-ai-slim 2.68.0, OpenAI transformer";

const enforced = { value: "enforced", confidence: "documented", source: GUIDE } as const;

export const OPENAI_STRICT_2026_11: Profile = {
  name: "openai-strict",
  date: "2026-11",
  provider: "OpenAI",
  purpose: "Structured outputs and tools with strict: true.",
  shapes: ["openai-chat-response-format", "openai-responses-text-format", "openai-chat-tool", "openai-responses-tool"],
  root: { value: "object", confidence: "documented", source: GUIDE },
  additionalProperties: { value: "false", confidence: "documented", source: GUIDE },
  optionalProperties: { value: false, confidence: "documented", source: GUIDE },
  emptyObjects: {
    value: true,
    confidence: "observed",
    source: "tools without parameters in public repositories",
  },
  untyped: {
    value: false,
    confidence: "source",
    source: NODE,
    note: "The transformer passes {} through; the API answers 400.",
  },
  typeArrays: {
    value: "scalars",
    confidence: "documented",
    source: GUIDE,
    note: "The guide only shows lists of a scalar and null.",
  },
  nullability: { value: "type", confidence: "documented", source: GUIDE },
  oneOf: { value: "as_any_of", confidence: "executed", source: NODE },
  allOf: { value: false, confidence: "documented", source: GUIDE },
  references: {
    value: { local: true, forms: ["#", "#/$defs/", "#/definitions/"], siblings: "none", recursion: "kept" },
    confidence: "source",
    source: `${PYDANTIC_AI}; "$ref cannot have keywords" in langchainjs#11384, defog#244 (2026-03), hindsight#3944 (2026-08)`,
  },
  enumTypes: {
    value: ["null", "boolean", "number", "string"],
    confidence: "assumed",
    source: GUIDE,
    uncertain: true,
    note: "The guide does not say whether objects and arrays may be listed.",
  },
  const: { value: true, confidence: "documented", source: GUIDE },
  annotations: {
    value: ["title", "description", "$schema"],
    confidence: "observed",
    source: "schemas made by pydantic and zod-to-json-schema that are sent unmodified",
    uncertain: true,
    note: '"default" has been accepted since 2026-08 (openai-agents-python#4390) and is refused by Azure; it is moved to the description.',
  },
  keywords: {
    minimum: enforced,
    maximum: enforced,
    exclusiveMinimum: enforced,
    exclusiveMaximum: enforced,
    multipleOf: enforced,
    pattern: enforced,
    format: enforced,
    minItems: enforced,
    maxItems: enforced,
    minLength: {
      value: "refused",
      confidence: "observed",
      source: "pydantic-ai#7400 (2026-08-12)",
      uncertain: true,
      note: "Accepted and enforced on base models in one live probe, refused on fine-tuned ones, and not documented as supported.",
    },
    maxLength: {
      value: "refused",
      confidence: "observed",
      source: "pydantic-ai#7400 (2026-08-12)",
      uncertain: true,
      note: "As minLength.",
    },
    uniqueItems: {
      value: "refused",
      confidence: "executed",
      source: NODE,
      uncertain: true,
      note: "The static linter schemalint (openai.so.2026-04-30) classifies it as accepted but not enforced.",
    },
  },
  otherKeywords: { value: "refused", confidence: "executed", source: NODE },
  formats: {
    value: ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"],
    confidence: "documented",
    source: `${GUIDE}; "'uri' is not a valid format" in oh-my-pi#206 (2026-02)`,
  },
  patterns: { value: "no_lookaround", confidence: "source", source: PYDANTIC_AI },
  propertyOrdering: {
    value: false,
    confidence: "documented",
    source: GUIDE,
    note: "Output follows the order of keys.",
  },
  outputOrder: { value: "schema", confidence: "documented", source: GUIDE },
  enumCase: { value: "kept", confidence: "documented", source: GUIDE },
  budgets: {
    maxProperties: { value: 5_000, confidence: "documented", source: GUIDE },
    maxDepth: {
      value: 10,
      confidence: "source",
      source: `${GUIDE}; counted per definition in ${PYDANTIC_AI}`,
    },
    maxNameAndValueCharacters: { value: 120_000, confidence: "documented", source: GUIDE },
    maxEnumValues: { value: 1_000, confidence: "documented", source: GUIDE },
    largeEnum: { value: { values: 250, characters: 15_000 }, confidence: "documented", source: GUIDE },
  },
};
