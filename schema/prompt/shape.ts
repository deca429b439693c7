/** The JSON Schema of a prompt's text. */
import { PROMPT_SYNTAXES } from "./model.ts";

/** Messages of one prompt, examples and tools; each is parsed separately. */
export const MAX_PROMPT_MESSAGES = 200;
export const MAX_PROMPT_EXAMPLES = 100;
export const MAX_PROMPT_TOOLS = 200;

const SCHEMA = { type: ["object", "boolean"] };
const NAME = { type: "string", minLength: 1, maxLength: 256 };

export const PROMPT_SHAPE = {
  type: "object",
  required: ["syntax"],
  oneOf: [{ required: ["text"] }, { required: ["messages"] }],
  additionalProperties: false,
  patternProperties: { "^x-": true },
  properties: {
    name: NAME,
    description: { type: "string" },
    syntax: { enum: PROMPT_SYNTAXES },
    text: { type: "string" },
    messages: {
      type: "array",
      minItems: 1,
      maxItems: MAX_PROMPT_MESSAGES,
      items: {
        type: "object",
        oneOf: [{ required: ["role", "content"] }, { required: ["placeholder"] }],
        additionalProperties: false,
        properties: { role: NAME, content: { type: "string" }, placeholder: NAME },
      },
    },
    undefined: { enum: ["strict", "lenient"] },
    variables: SCHEMA,
    output: SCHEMA,
    tools: {
      type: "array",
      maxItems: MAX_PROMPT_TOOLS,
      items: { type: "object", required: ["$ref"], additionalProperties: false, properties: { $ref: NAME } },
    },
    model: { type: "object" },
    examples: {
      type: "array",
      maxItems: MAX_PROMPT_EXAMPLES,
      items: {
        type: "object",
        additionalProperties: false,
        properties: { variables: { type: "object" }, output: true },
      },
    },
  },
} as const;
