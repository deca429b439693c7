/** The JSON Schema of a tool's text. MCP's own definitions match it without conversion. */

/** The longest name that a provider accepts is 128 characters; MCP recommends the same characters. */
const TOOL_NAME = { type: "string", pattern: "^[A-Za-z0-9_./-]{1,128}$" };
const SCHEMA = { type: ["object", "boolean"] };

export const TOOL_SHAPE = {
  type: "object",
  required: ["name"],
  oneOf: [{ required: ["input"] }, { required: ["inputSchema"] }],
  not: { required: ["output", "outputSchema"] },
  additionalProperties: false,
  patternProperties: { "^(?:x-|_)": true },
  properties: {
    name: TOOL_NAME,
    title: { type: "string" },
    description: { type: "string" },
    input: SCHEMA,
    inputSchema: SCHEMA,
    output: SCHEMA,
    outputSchema: SCHEMA,
    annotations: {
      type: "object",
      properties: {
        title: { type: "string" },
        readOnlyHint: { type: "boolean" },
        destructiveHint: { type: "boolean" },
        idempotentHint: { type: "boolean" },
        openWorldHint: { type: "boolean" },
      },
    },
    icons: { type: "array" },
    execution: { type: "object" },
  },
} as const;
