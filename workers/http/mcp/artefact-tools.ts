/** Tools over prompts and tools that are registered: render_prompt, verify_tools. */
import type { CallNative } from "./native-call.ts";
import { describeAnswer, describeArguments, type McpTool, SUBJECT, VERSION } from "./tool.ts";

type RenderedMessages = { stamp: { version: string | null }; messages: { role: string; content: unknown }[] };

export async function callRendering(body: Record<string, unknown>, call: CallNative): Promise<RenderedMessages> {
  return (await call("POST /prompts/render", { body })) as RenderedMessages;
}

const RENDER_PROMPT: McpTool = {
  name: "render_prompt",
  title: "Render a prompt",
  description:
    "Fills the variables of a registered prompt in and gives its messages with the version that they come from. Refuses variables that the prompt does not accept and names them. Use get_schema to see which variables a prompt declares.",
  permission: "schema:read",
  writes: false,
  inputSchema: describeArguments(
    {
      subject: SUBJECT,
      version: VERSION,
      variables: {
        type: "object",
        description: "The values of the prompt's variables.",
        examples: [{ question: "Where is my order?" }],
      },
      profile: {
        type: "string",
        minLength: 1,
        maxLength: 100,
        description: "Also gives the output's schema in the form that this model provider takes.",
        examples: ["openai"],
      },
    },
    ["subject", "variables"],
  ),
  outputSchema: describeAnswer("RenderedPrompt"),
  async run({ version = VERSION.default, ...args }, call) {
    const rendered = await callRendering({ ...args, version }, call);
    return {
      summary: `${rendered.messages.length} messages of ${args.subject} ${rendered.stamp.version}.`,
      value: rendered,
    };
  },
};

const VERIFY_TOOLS: McpTool = {
  name: "verify_tools",
  title: "Verify a server's tools",
  description:
    "Compares the tools of an MCP server's tools/list with the registered ones: which are unchanged, which changed and what that means for callers, which are unknown and which are missing. Use it before an agent trusts a server that it used yesterday.",
  permission: "compatibility:check",
  writes: false,
  inputSchema: describeArguments(
    {
      tools: {
        type: "array",
        maxItems: 500,
        items: { type: "object" },
        description: "The tools as the server lists them.",
        examples: [[{ name: "search", inputSchema: { type: "object" } }]],
      },
      subject_prefix: {
        type: "string",
        maxLength: 255,
        description: "The part of a subject's name before the tool's name.",
        examples: ["mcp.github."],
      },
    },
    ["tools"],
  ),
  outputSchema: describeAnswer("VerifiedTools"),
  async run(body, call) {
    const verified = (await call("POST /tools/verify", { body })) as {
      unchanged: boolean;
      tools: { name: string; status: string }[];
    };
    const other = verified.tools.filter(({ status }) => status !== "unchanged");
    const named = other.slice(0, 5).map(({ name, status }) => `${name} (${status})`);
    const summary = verified.unchanged
      ? `All ${verified.tools.length} tools are as they were registered.`
      : `${other.length} of ${verified.tools.length} tools are not as they were registered: ${named.join(", ")}.`;
    return { summary, value: verified };
  },
};

export const ARTEFACT_TOOLS: readonly McpTool[] = [RENDER_PROMPT, VERIFY_TOOLS];
