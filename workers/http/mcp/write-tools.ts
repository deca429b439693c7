/** The tool that changes the registry; listed only for credentials that may. */
import { describeAnswer, describeArguments, FORMAT, type McpTool, SCHEMA_CONTENT, SUBJECT } from "./tool.ts";

const REGISTER_SCHEMA: McpTool = {
  name: "register_schema",
  title: "Register a schema",
  description:
    "Registers a schema as the next version of a subject, or gives the version that has the same content. Refuses a schema that is not compatible; check_compatibility says so beforehand without changing anything.",
  permission: "schema:write",
  writes: true,
  inputSchema: describeArguments(
    {
      subject: SUBJECT,
      schema: SCHEMA_CONTENT,
      format: { ...FORMAT, description: "The schema's format; required for the first version of a subject." },
      description: { type: "string", maxLength: 1_024, description: "What the version is for." },
      role: {
        type: "string",
        enum: ["data", "tool_input", "model_output", "prompt_variables", "event"],
        description: "What the schema is used for, which gives its two sides names.",
      },
    },
    ["subject", "schema"],
  ),
  outputSchema: describeAnswer("Record"),
  async run({ subject, schema, ...rest }, call) {
    const body = { subject, content: schema, ...rest };
    const record = (await call("POST /schemas", { body })) as { version: string; version_number: number };
    return {
      summary: `${subject} now has version ${record.version}.`,
      value: record,
      link: {
        uri: `schema://${encodeURIComponent(String(subject))}/${record.version_number}`,
        name: `${subject} ${record.version}`,
      },
    };
  },
};

export const WRITE_TOOLS: readonly McpTool[] = [REGISTER_SCHEMA];
