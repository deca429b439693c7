/** What a tool is, and the schemas of its answers: components of the OpenAPI document, with a sentence in front. */
import openapi from "../../../contract/openapi.json";
import { FORMAT_NAMES } from "../../../schema/format.ts";
import type { RoutePermission } from "../../edge.ts";
import type { ContractSchema } from "../request-schema.ts";
import type { CallNative } from "./native-call.ts";

export type ToolAnswer = {
  /** The answer in one sentence. */
  summary: string;
  value: Record<string, unknown>;
  /** Where the whole is, if it is too long for one answer. */
  link?: { uri: string; name: string };
};

export type McpTool = {
  name: string;
  title: string;
  description: string;
  permission: RoutePermission;
  /** Whether it changes the registry. */
  writes: boolean;
  inputSchema: ContractSchema;
  outputSchema: ContractSchema;
  run(args: Record<string, unknown>, call: CallNative): Promise<ToolAnswer>;
};

const COMPONENTS = openapi.components.schemas as unknown as Readonly<Record<string, ContractSchema>>;
const COMPONENT = "#/components/schemas/";

/** The answer of an operation, as its component describes it. */
export function describeAnswer(component: string): ContractSchema {
  return withSummary(COMPONENTS[component]!);
}

/** An answer of the tool's own; its properties may refer to components. */
export function withSummary(schema: ContractSchema): ContractSchema {
  const { type, required = [], properties = {} } = schema as { type: string; required?: string[]; properties?: object };
  const whole = {
    type,
    required: ["summary", ...required.filter((name) => name !== "content")],
    additionalProperties: false,
    properties: {
      summary: { type: "string", description: "The answer in one sentence." },
      truncated: { type: "boolean", description: "Whether something was left out because the answer is too long." },
      ...properties,
    },
  };
  const $defs = Object.fromEntries(
    [...componentsIn(whole)].toSorted().map((name) => [name, inDefinitions(COMPONENTS[name])]),
  );
  return { ...(inDefinitions(whole) as object), ...(Object.keys($defs).length === 0 ? {} : { $defs }) };
}

/** Every component that a schema refers to, directly or through others. */
function componentsIn(schema: unknown, found: Set<string> = new Set()): Set<string> {
  for (const [, name] of JSON.stringify(schema).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    if (found.has(name!)) continue;
    found.add(name!);
    componentsIn(COMPONENTS[name!], found);
  }
  return found;
}

function inDefinitions(schema: unknown): unknown {
  return JSON.parse(JSON.stringify(schema).replaceAll(COMPONENT, "#/$defs/"));
}

/** Arguments that several tools take. */
export const SUBJECT = {
  type: "string",
  minLength: 1,
  maxLength: 600,
  description: 'The subject\'s name, such as "orders"; ":.context:orders" outside the default context.',
  examples: ["orders"],
};
export const VERSION = {
  type: "string",
  minLength: 1,
  maxLength: 256,
  default: "latest",
  description: 'A number, a semantic version, a range such as "^2", an alias, or "latest".',
  examples: ["latest", "1.4.0"],
};
export const SCHEMA_CONTENT = {
  type: ["object", "array", "string", "boolean"],
  description: "The schema: a JSON value, or the text of the file for Protobuf.",
  examples: [{ type: "object", properties: { id: { type: "string" } } }],
};
export const FORMAT = {
  type: "string",
  enum: FORMAT_NAMES,
  description: "The schema's format; by default that of the subject's newest version.",
};

/** Pages of a tool are read by a model, so they are short. */
export const MAX_TOOL_ITEMS = 50;
export const LIMIT = {
  type: "integer",
  minimum: 1,
  maximum: MAX_TOOL_ITEMS,
  default: 10,
  description: "The most items to return.",
};
export const CURSOR = {
  type: "string",
  minLength: 1,
  maxLength: 4_096,
  description: "The next_cursor of the answer before, for the next page.",
};

export function describeArguments(
  properties: Record<string, ContractSchema>,
  required: readonly string[],
): ContractSchema {
  return { type: "object", properties, required, additionalProperties: false };
}

export function textArgument(args: Record<string, unknown>, name: string): string | undefined {
  const value = args[name];
  return value === undefined ? undefined : String(value);
}
