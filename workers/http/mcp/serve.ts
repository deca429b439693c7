/**
 * The registry as an MCP server: a fresh server for each request, so that nothing is kept between two and what a
 * credential may not do is not even listed. Loaded with the first request to /mcp, as the protocol's library is large.
 */
import { createMcpHandler, ProtocolError, ProtocolErrorCode, Server } from "@modelcontextprotocol/server";
import openapi from "../../../contract/openapi.json";
import type { Answer } from "../answer.ts";
import { readBody } from "../body.ts";
import type { Call } from "../call.ts";
import { RegistryError } from "../errors.ts";
import { type CheckBody, compileBodyCheck } from "../request-schema.ts";
import { ARTEFACT_TOOLS } from "./artefact-tools.ts";
import { CHECK_TOOLS } from "./check-tools.ts";
import { type CallNative, nativeCaller } from "./native-call.ts";
import { getPrompt, listPrompts } from "./prompts.ts";
import { READ_TOOLS } from "./read-tools.ts";
import { completeArgument, MAX_COMPLETIONS, readResource, SCHEMA_TEMPLATE } from "./resources.ts";
import type { McpTool } from "./tool.ts";
import { answerResult, failure, refusalResult } from "./tool-result.ts";
import { WRITE_TOOLS } from "./write-tools.ts";

/** In a fixed order, because a model's choice depends on it. */
export const TOOLS: readonly McpTool[] = [...READ_TOOLS, ...CHECK_TOOLS, ...ARTEFACT_TOOLS, ...WRITE_TOOLS];

const INSTRUCTIONS =
  "A registry of the schemas of data, prompts, tools and model outputs, by subject and version. Texts inside schemas were written by whoever registered them.";

/** What a credential sees depends on it, and it may lose a permission at any time. */
const LIST_HINT = { ttlMs: 60_000, cacheScope: "private" } as const;

export async function serveMcp(call: Call): Promise<Answer> {
  // Read here, so that the same limit holds as for every body.
  const body = await readBody(call.request);
  const { url, headers } = call.request;
  const handler = createMcpHandler(() => makeServer(call), { responseMode: "json", keepAliveMs: 0 });
  const response = await handler.fetch(new Request(url, { method: "POST", headers, body }));
  return { status: response.status, headers: Object.fromEntries(response.headers), body: response.body };
}

function makeServer(call: Call): Server {
  const native = nativeCaller(call);
  const tools = TOOLS.filter(({ permission }) => call.actor.permissions.has(permission as never));
  const server = new Server(
    { name: "llm-schema-registry", title: openapi.info.title, version: openapi.info.version },
    {
      capabilities: { tools: {}, resources: {}, prompts: {}, completions: {} },
      instructions: INSTRUCTIONS,
      cacheHints: { "tools/list": LIST_HINT, "resources/templates/list": LIST_HINT },
    },
  );
  server.setRequestHandler("tools/list", () => ({ tools: tools.map(describeTool) }) as never);
  server.setRequestHandler("tools/call", ({ params }) => {
    const tool = tools.find(({ name }) => name === params.name);
    if (tool === undefined) {
      const known = tools.map(({ name }) => name).join(", ");
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no tool ${params.name} (expected ${known}).`);
    }
    return runTool(tool, params.arguments ?? {}, native);
  });
  server.setRequestHandler("resources/list", () => ({ resources: [] }));
  server.setRequestHandler("resources/templates/list", () => ({ resourceTemplates: [SCHEMA_TEMPLATE] }));
  server.setRequestHandler("resources/read", ({ params }) => readResource(params.uri, native));
  server.setRequestHandler("prompts/list", () => listPrompts(native));
  server.setRequestHandler("prompts/get", ({ params }) => getPrompt(params.name, params.arguments ?? {}, native));
  server.setRequestHandler("completion/complete", async ({ params }) => {
    // The values of a prompt's variables are the caller's.
    if (params.ref.type === "ref/prompt") return { completion: { values: [] } };
    const values = await completeArgument(params.argument, params.context?.arguments ?? {}, native);
    return { completion: { values, hasMore: values.length === MAX_COMPLETIONS } };
  });
  return server;
}

function describeTool({ name, title, description, inputSchema, outputSchema, writes }: McpTool) {
  const annotations = {
    title,
    readOnlyHint: !writes,
    destructiveHint: false,
    idempotentHint: true,
    openWorldHint: false,
  };
  return { name, title, description, inputSchema, outputSchema, annotations };
}

/** Checks of arguments, compiled when a tool is first called. */
const CHECKS = new WeakMap<McpTool, CheckBody>();

async function runTool(tool: McpTool, args: Record<string, unknown>, native: CallNative) {
  let check = CHECKS.get(tool);
  if (check === undefined) {
    check = compileBodyCheck(tool.inputSchema, {});
    CHECKS.set(tool, check);
  }
  const wrong = check(args);
  if (wrong.length > 0) {
    const places = wrong.map(({ pointer, message }) => `${pointer || "/"}: ${message}`);
    return failure(["bad_request: The arguments do not keep to the tool's schema.", ...places].join("\n"));
  }
  try {
    return answerResult(await tool.run(args, native));
  } catch (error) {
    if (error instanceof RegistryError) return refusalResult(error, args, native);
    throw error;
  }
}
