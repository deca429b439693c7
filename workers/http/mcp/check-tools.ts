/** Tools that judge: check_compatibility, suggest_compatible_change, validate_data, lint_schema, project_schema. */
import type { ContractSchema } from "../request-schema.ts";
import type { CallNative } from "./native-call.ts";
import {
  describeAnswer,
  describeArguments,
  FORMAT,
  type McpTool,
  SCHEMA_CONTENT,
  SUBJECT,
  textArgument,
  VERSION,
  withSummary,
} from "./tool.ts";

type Difference = {
  severity: string;
  message: string;
  fix?: string;
  reader_pointer: string | null;
  witness?: { status: string };
};
type Verdict = {
  compatible: boolean;
  level: string | null;
  differences: Difference[];
  suggested_version?: string | null;
};

const CANDIDATE: Record<string, ContractSchema> = {
  subject: SUBJECT,
  schema: SCHEMA_CONTENT,
  format: FORMAT,
  version: {
    ...VERSION,
    default: undefined,
    description: 'Compare with this version only, or with "all"; by default the subject\'s level decides.',
  },
};

const CHECK_COMPATIBILITY: McpTool = {
  name: "check_compatibility",
  title: "Check compatibility",
  description:
    "Says whether a schema could be registered as the next version of a subject, under the subject's own level, policy and rules. Each breaking difference comes with its place and, where one was found, a datum that proves it. Registers nothing; suggest_compatible_change says how to repair a schema that is refused.",
  permission: "compatibility:check",
  writes: false,
  inputSchema: describeArguments(CANDIDATE, ["subject", "schema"]),
  outputSchema: describeAnswer("CompatibilityVerdict"),
  async run(args, call) {
    const verdict = await check(args, call);
    return { summary: describe(String(args.subject), verdict), value: verdict };
  },
};

const SUGGEST_COMPATIBLE_CHANGE: McpTool = {
  name: "suggest_compatible_change",
  title: "Suggest a compatible change",
  description:
    "Says how a schema has to change to become a compatible next version of a subject: for each breaking difference its place, what breaks and a repair. Gives an empty list if the schema is compatible already. Use check_compatibility for the whole verdict.",
  permission: "compatibility:check",
  writes: false,
  inputSchema: describeArguments(CANDIDATE, ["subject", "schema"]),
  outputSchema: withSummary({
    type: "object",
    required: ["compatible", "suggestions", "suggested_version"],
    properties: {
      compatible: { type: "boolean" },
      suggestions: {
        type: "array",
        items: {
          type: "object",
          required: ["pointer", "problem", "repair"],
          additionalProperties: false,
          properties: {
            pointer: { type: ["string", "null"], description: "The place in the schema; null if it lacks something." },
            problem: { type: "string" },
            repair: { type: "string" },
            witness: { $ref: "#/components/schemas/Witness" },
          },
        },
      },
      suggested_version: {
        type: ["string", "null"],
        description: "The version that the schema would get as it is, were the break intended.",
      },
    },
  }),
  async run(args, call) {
    const verdict = await check(args, call);
    const breaking = verdict.differences.filter(({ severity }) => severity === "breaking");
    const suggestions = breaking.map(({ reader_pointer, message, fix, witness }) => ({
      pointer: reader_pointer,
      problem: message,
      repair: fix ?? "Keep this part as the earlier version has it.",
      ...(witness === undefined ? {} : { witness }),
    }));
    const [first] = suggestions;
    return {
      summary:
        first === undefined
          ? `The schema is compatible as it is.`
          : `${suggestions.length} repairs make it compatible. The first: ${first.repair}`,
      value: { compatible: verdict.compatible, suggestions, suggested_version: verdict.suggested_version ?? null },
    };
  },
};

async function check({ subject, schema, format, version }: Record<string, unknown>, call: CallNative) {
  const body = {
    subject,
    content: schema,
    ...(format === undefined ? {} : { format }),
    ...(version === undefined ? {} : { version: /^\d+$/.test(String(version)) ? Number(version) : version }),
  };
  return (await call("POST /compatibility/check", { body })) as Verdict;
}

function describe(subject: string, { compatible, level, differences, suggested_version }: Verdict): string {
  if (compatible) {
    const next = suggested_version ? ` It would become version ${suggested_version}.` : "";
    return `The schema is compatible with ${subject} under ${level}.${next}`;
  }
  const breaking = differences.filter(({ severity }) => severity === "breaking");
  return `The schema is not compatible with ${subject} under ${level}: ${breaking[0]?.message ?? "it breaks"}`;
}

const VALIDATE_DATA: McpTool = {
  name: "validate_data",
  title: "Validate data",
  description:
    "Says whether a JSON value keeps to a registered schema, with the place and the reason of each error. Data that is not valid is an answer, not a failure.",
  permission: "schema:validate",
  writes: false,
  inputSchema: describeArguments(
    {
      subject: SUBJECT,
      version: VERSION,
      data: { description: "The JSON value.", examples: [{ id: "o-1" }] },
    },
    ["subject", "data"],
  ),
  outputSchema: describeAnswer("Validation"),
  async run({ subject, version = VERSION.default, data }, call) {
    const body = { subject, version, data };
    const verdict = (await call("POST /validate", { body })) as { valid: boolean; errors: { message: string }[] };
    const summary = verdict.valid
      ? `The data is valid under ${subject}.`
      : `The data is not valid under ${subject}: ${verdict.errors[0]?.message ?? ""} (${verdict.errors.length} errors)`;
    return { summary, value: verdict };
  },
};

/** A registered schema, or one that is not. */
const EITHER: Record<string, ContractSchema> = {
  subject: { ...SUBJECT, description: `${SUBJECT.description} Either this or schema.` },
  version: VERSION,
  schema: { ...SCHEMA_CONTENT, description: "A JSON Schema or tool definition. Either this or subject." },
};

const LINT_SCHEMA: McpTool = {
  name: "lint_schema",
  title: "Check against model providers",
  description:
    "Says which model providers take a JSON Schema as a tool's input or as structured output, and what is lost if they do not take it unchanged. Use project_schema for the form that one provider takes.",
  permission: "schema:validate",
  writes: false,
  inputSchema: describeArguments(
    {
      ...EITHER,
      profiles: {
        type: "array",
        minItems: 1,
        maxItems: 50,
        items: { type: "string", minLength: 1, maxLength: 100 },
        description: "Providers or profiles; by default all.",
        examples: [["openai", "anthropic"]],
      },
    },
    [],
  ),
  outputSchema: describeAnswer("LintAnswer"),
  async run(args, call) {
    const { profiles } = args;
    const body = { ...(await sourceOf(args, call)), ...(profiles === undefined ? {} : { profiles }) };
    const answer = (await call("POST /lint", { body })) as {
      schemas: { reports: { profile: string; readiness: string }[] }[];
    };
    const reports = answer.schemas.flatMap((schema) => schema.reports);
    const refused = reports.filter(({ readiness }) => readiness === "impossible" || readiness === "lossy");
    const summary =
      refused.length === 0
        ? `All ${reports.length} profiles take it without loss.`
        : `${refused.length} of ${reports.length} profiles lose something: ${refused.map(({ profile }) => profile).join(", ")}.`;
    return { summary, value: answer };
  },
};

const PROJECT_SCHEMA: McpTool = {
  name: "project_schema",
  title: "Rewrite for a model provider",
  description:
    "Rewrites a JSON Schema into the form that one model provider takes, with the list of what was changed and what it costs. Use lint_schema to see which providers need it.",
  permission: "schema:validate",
  writes: false,
  inputSchema: describeArguments(
    {
      ...EITHER,
      profile: {
        type: "string",
        minLength: 1,
        maxLength: 100,
        description: "openai, anthropic, gemini, mcp, or a dated profile.",
        examples: ["openai"],
      },
    },
    ["profile"],
  ),
  outputSchema: describeAnswer("Projection"),
  async run(args, call) {
    const body = { ...(await sourceOf(args, call)), profile: args.profile };
    const projection = (await call("POST /project", { body })) as { loss: string | null; profile: string };
    const summary = `For ${projection.profile} the schema is rewritten ${projection.loss === null ? "without a change" : `with ${projection.loss} changes`}.`;
    return { summary, value: projection };
  },
};

async function sourceOf(
  args: Record<string, unknown>,
  call: CallNative,
): Promise<{ id: string } | { content: unknown }> {
  const { subject, version = VERSION.default, schema } = args;
  if (subject === undefined) return { content: schema };
  const path = { subject: textArgument(args, "subject")!, version: String(version) };
  const { id } = (await call("GET /subjects/{subject}/versions/{version}", { path })) as { id: string };
  return { id };
}

export const CHECK_TOOLS: readonly McpTool[] = [
  CHECK_COMPATIBILITY,
  SUGGEST_COMPATIBLE_CHANGE,
  VALIDATE_DATA,
  LINT_SCHEMA,
  PROJECT_SCHEMA,
];
