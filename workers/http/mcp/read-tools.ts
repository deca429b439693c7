/** Tools that find and read: search_schemas, get_schema, list_versions, diff_versions. */
import {
  CURSOR,
  describeAnswer,
  describeArguments,
  FORMAT,
  LIMIT,
  type McpTool,
  SUBJECT,
  textArgument,
  VERSION,
} from "./tool.ts";

type Named = { subject: string; version: string | null };

const SEARCH_SCHEMAS: McpTool = {
  name: "search_schemas",
  title: "Search schemas",
  description:
    "Finds registered schemas by the names of subjects and fields, descriptions and text; typing errors are tolerated. Use get_schema for the text of a hit. A schema registered a moment ago may not be found yet.",
  permission: "schema:read",
  writes: false,
  inputSchema: describeArguments(
    {
      query: {
        type: "string",
        minLength: 1,
        maxLength: 512,
        description: "Words that the schema contains.",
        examples: ["customer email"],
      },
      format: { ...FORMAT, description: "Only schemas of this format." },
      limit: LIMIT,
      cursor: CURSOR,
    },
    ["query"],
  ),
  outputSchema: describeAnswer("SearchPage"),
  async run({ query, format, limit = LIMIT.default, cursor }, call) {
    const filters = format === undefined ? {} : { filters: { format: [format] } };
    const body = { query, limit, ...(cursor === undefined ? {} : { cursor }), ...filters };
    const page = (await call("POST /search", { body })) as { items: { record: Named }[]; total?: number };
    const names = page.items.map(({ record }) => record.subject);
    const summary =
      names.length === 0 ? "No schema matches." : `${page.total ?? names.length} schemas match: ${listed(names)}.`;
    return { summary, value: page };
  },
};

const GET_SCHEMA: McpTool = {
  name: "get_schema",
  title: "Get a schema",
  description:
    "Gives one registered version of a subject with its schema. Use search_schemas first if the subject's exact name is unknown, and list_versions to see which versions there are.",
  permission: "schema:read",
  writes: false,
  inputSchema: describeArguments({ subject: SUBJECT, version: VERSION }, ["subject"]),
  outputSchema: describeAnswer("Record"),
  async run({ subject, version = VERSION.default }, call) {
    const path = { subject: String(subject), version: String(version) };
    const record = (await call("GET /subjects/{subject}/versions/{version}", { path })) as Named & {
      format: string;
      version_number: number;
    };
    return {
      summary: `${record.subject} ${record.version} is a ${record.format} schema.`,
      value: record,
      link: {
        uri: `schema://${encodeURIComponent(path.subject)}/${record.version_number}`,
        name: `${record.subject} ${record.version}`,
      },
    };
  },
};

const LIST_VERSIONS: McpTool = {
  name: "list_versions",
  title: "List versions",
  description:
    "Lists the versions of a subject in the order of their registration, without their schemas. Use get_schema for the schema of one, and diff_versions for what changed between two.",
  permission: "subject:read",
  writes: false,
  inputSchema: describeArguments({ subject: SUBJECT, limit: LIMIT, cursor: CURSOR }, ["subject"]),
  outputSchema: describeAnswer("RecordPage"),
  async run(args, call) {
    const { subject, limit = LIMIT.default } = args;
    const page = (await call("GET /subjects/{subject}/versions", {
      path: { subject: String(subject) },
      query: { limit: String(limit), cursor: textArgument(args, "cursor"), content: "none" },
    })) as { items: Named[]; next_cursor?: string };
    const versions = page.items.map(({ version }) => version ?? "a draft");
    const more = page.next_cursor === undefined ? "" : " There are more.";
    return { summary: `${subject} has ${listed(versions)}.${more}`, value: page };
  },
};

const DIFF_VERSIONS: McpTool = {
  name: "diff_versions",
  title: "Compare two versions",
  description:
    "Lists what changed between two registered versions of a subject, in both directions: what the later one does with data of the earlier one, and the reverse. Use check_compatibility for a schema that is not registered.",
  permission: "schema:read",
  writes: false,
  inputSchema: describeArguments(
    {
      subject: SUBJECT,
      from: { ...VERSION, default: undefined, description: "The earlier version, as for get_schema." },
      to: { ...VERSION, description: "The later version, as for get_schema." },
    },
    ["subject", "from"],
  ),
  outputSchema: describeAnswer("Diff"),
  async run({ subject, from, to = VERSION.default }, call) {
    const path = { subject: String(subject) };
    const diff = (await call("GET /subjects/{subject}/diff", {
      path,
      query: { from: String(from), to: String(to) },
    })) as { backward: Compared; forward: Compared };
    const [backward, forward] = [diff.backward, diff.forward].map(breakingOf);
    return {
      summary: `${to} ${backward === 0 ? "reads" : "does not read"} what ${from} wrote (${backward} breaking differences), and ${from} ${forward === 0 ? "reads" : "does not read"} what ${to} writes (${forward}).`,
      value: diff,
    };
  },
};

type Compared = { differences: { severity: string }[] };

function breakingOf({ differences }: Compared): number {
  return differences.filter(({ severity }) => severity === "breaking").length;
}

/** The first of many names. */
const MAX_LISTED_NAMES = 5;

function listed(names: readonly string[]): string {
  const more = names.length > MAX_LISTED_NAMES ? ` and ${names.length - MAX_LISTED_NAMES} more` : "";
  return `${names.slice(0, MAX_LISTED_NAMES).join(", ") || "none"}${more}`;
}

export const READ_TOOLS: readonly McpTool[] = [SEARCH_SCHEMAS, GET_SCHEMA, LIST_VERSIONS, DIFF_VERSIONS];
