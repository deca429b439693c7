import type { Profile } from "../profile.ts";

const TYPES = "anthropic-py 2.14.0 types";
const observed = { confidence: "observed", source: "400 messages in public issues, 2026" } as const;

export const ANTHROPIC_TOOL_2026_11: Profile = {
  name: "anthropic-tool",
  date: "2026-11",
  provider: "Anthropic",
  purpose:
    "Tools without strict: any JSON Schema with an object at the top level; it guides the model without binding it.",
  shapes: ["anthropic-tool"],
  root: { value: "object", ...observed },
  additionalProperties: { value: "any", confidence: "source", source: TYPES },
  optionalProperties: { value: true, confidence: "source", source: TYPES },
  emptyObjects: { value: true, confidence: "source", source: TYPES },
  untyped: { value: true, confidence: "source", source: TYPES },
  typeArrays: { value: "any", confidence: "source", source: TYPES },
  nullability: { value: "type", confidence: "source", source: TYPES },
  oneOf: { value: "kept", confidence: "observed", source: "nested oneOf in tools of public MCP servers" },
  allOf: { value: true, confidence: "observed", source: "nested allOf in tools of public MCP servers" },
  references: {
    value: { local: true, forms: ["#*"], siblings: "any", recursion: "kept" },
    confidence: "observed",
    source: "recursive tools of public MCP servers",
    note: "Every fragment of the same document; no other document.",
  },
  enumTypes: { value: ["null", "boolean", "number", "string", "array", "object"], confidence: "source", source: TYPES },
  const: { value: true, confidence: "source", source: TYPES },
  annotations: { value: ["*"], confidence: "source", source: TYPES },
  keywords: {},
  otherKeywords: {
    value: "enforced",
    confidence: "documented",
    source: "Anthropic docs, tool use",
    note: "Accepted unmodified and shown to the model. Without strict the schema guides the model without binding it, so answers are always validated.",
  },
  formats: { value: ["*"], confidence: "source", source: TYPES },
  patterns: { value: "any", confidence: "source", source: TYPES },
  propertyNames: {
    value: "^[a-zA-Z0-9_.-]{1,64}$",
    confidence: "observed",
    source:
      '"Property keys should match pattern" in n8n#30590 (2026-05), composio#3500 (2026-06), claude-code#79418 (2026-08)',
  },
  propertyOrdering: { value: false, confidence: "source", source: TYPES },
  outputOrder: { value: "schema", confidence: "assumed", source: TYPES },
  enumCase: { value: "kept", confidence: "assumed", source: TYPES, uncertain: true },
  budgets: {},
};
