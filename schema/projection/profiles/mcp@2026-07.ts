import type { Profile } from "../profile.ts";

const SPEC = "Model Context Protocol 2026-07-28, mcp-types 2.3.0";
const spec = { confidence: "source", source: SPEC } as const;

export const MCP_2026_07: Profile = {
  name: "mcp",
  date: "2026-07",
  provider: "MCP",
  purpose:
    "inputSchema and outputSchema of tools; an object at the top level also works for clients before 2026-07-28.",
  shapes: ["mcp-tool", "mcp-tool-output"],
  root: {
    value: "object",
    ...spec,
    note: "Required of inputSchema by every version, and of outputSchema by those up to 2025-11-25.",
  },
  additionalProperties: { value: "any", ...spec },
  optionalProperties: { value: true, ...spec },
  emptyObjects: { value: true, ...spec },
  untyped: { value: true, ...spec },
  typeArrays: { value: "any", ...spec },
  nullability: { value: "type", ...spec },
  oneOf: { value: "kept", ...spec },
  allOf: { value: true, ...spec },
  references: {
    value: { local: true, forms: ["#*"], siblings: "any", recursion: "kept" },
    ...spec,
    note: "Every fragment of the same document; clients fetch nothing over the network.",
  },
  enumTypes: { value: ["null", "boolean", "number", "string", "array", "object"], ...spec },
  const: { value: true, ...spec },
  annotations: { value: ["*"], ...spec },
  keywords: {},
  otherKeywords: { value: "enforced", ...spec },
  formats: { value: ["*"], ...spec },
  patterns: { value: "any", ...spec },
  propertyOrdering: { value: false, ...spec },
  outputOrder: { value: "schema", ...spec },
  enumCase: { value: "kept", ...spec },
  budgets: {},
};
