import type { Profile } from "../profile.ts";

const DOCS = "Anthropic docs, structured outputs (copy of autumn 2026)";
const SDK = "@anthropic-ai/sdk 1.14.0 transformJSONSchema";
const documented = { confidence: "documented", source: DOCS } as const;
const refused = { value: "refused", ...documented } as const;

export const ANTHROPIC_STRICT_2026_11: Profile = {
  name: "anthropic-strict",
  date: "2026-11",
  provider: "Anthropic",
  purpose: "JSON outputs by output_config.format and tools with strict: true.",
  shapes: ["anthropic-output", "anthropic-tool"],
  root: {
    value: "object",
    confidence: "observed",
    source: "400 for oneOf, anyOf or allOf at the top of input_schema, in many public issues; also without strict",
    note: "JSON outputs may accept more; an object at the top level is valid for both.",
  },
  additionalProperties: {
    value: "false",
    ...documented,
    note: `"For 'object' type, 'additionalProperties' must be explicitly set to false"`,
  },
  optionalProperties: { value: true, ...documented },
  emptyObjects: { value: true, ...documented },
  untyped: { value: false, confidence: "assumed", source: SDK, uncertain: true },
  typeArrays: {
    value: "scalars",
    confidence: "executed",
    source: SDK,
    uncertain: true,
    note: "The API documents type lists; both SDKs mishandle lists with object.",
  },
  nullability: { value: "type", ...documented },
  oneOf: {
    value: "as_any_of",
    confidence: "observed",
    source: "vercel/ai#12876: \"Schema type 'oneOf' is not supported\"",
  },
  allOf: { value: true, ...documented, note: "Not together with $ref." },
  references: {
    value: { local: true, forms: ["#/$defs/", "#/definitions/"], siblings: "none", recursion: "refused" },
    confidence: "documented",
    source: `${DOCS}; "Circular reference detected in schema"`,
  },
  enumTypes: { value: ["null", "boolean", "number", "string"], ...documented },
  const: { value: true, ...documented },
  annotations: {
    value: ["title", "description", "default", "$schema"],
    confidence: "documented",
    source: `${DOCS}; @anthropic-ai/sdk drops $schema since 1.9.0, anthropic-py 2.14.0 writes it`,
  },
  keywords: {
    pattern: {
      value: "enforced",
      ...documented,
      note: "Both SDKs still move it into the description.",
    },
    format: { value: "enforced", ...documented },
    minItems: { value: "enforced", ...documented },
    maxItems: refused,
    minLength: refused,
    maxLength: refused,
    minimum: {
      value: "refused",
      confidence: "observed",
      source: "\"For 'integer' type, property 'minimum' is not supported\"",
    },
    maximum: refused,
    multipleOf: refused,
    uniqueItems: refused,
  },
  otherKeywords: refused,
  formats: {
    value: ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"],
    ...documented,
  },
  patterns: {
    value: "simple",
    ...documented,
    uncertain: true,
    note: 'The maximum counted repetition is not documented; 100 is our reading of "small".',
  },
  minItemsValues: { value: [0, 1], ...documented },
  propertyNames: {
    value: "^[a-zA-Z0-9_.-]{1,64}$",
    confidence: "observed",
    source:
      '"Property keys should match pattern" in n8n#30590 (2026-05), composio#3500 (2026-06), claude-code#79418 (2026-08)',
    note: "Seen for the members of input_schema; applied at every level.",
  },
  propertyOrdering: { value: false, ...documented },
  outputOrder: { value: "required_first", ...documented },
  enumCase: { value: "any", ...documented, note: "The case of enumerated and constant strings is not guaranteed." },
  budgets: {
    request: {
      maxOptionalProperties: { value: 24, ...documented },
      prudentOptionalProperties: {
        value: 10,
        confidence: "source",
        source:
          "@ai-sdk/anthropic 4.0.105: compilation was observed to fail from about 13 on (API, Bedrock) or 11 (Vertex)",
      },
      maxUnions: { value: 16, ...documented },
      maxStrictTools: { value: 20, ...documented },
    },
  },
};
