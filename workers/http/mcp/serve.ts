/**
 * The registry as an MCP server. Each request gets a new server, so that no state outlives a request and the list of
 * tools depends on the credential. The first request to /mcp loads this module, because the protocol's library is large.
 */
import { createMcpHandler, ProtocolError, ProtocolErrorCode, Server } from "@modelcontextprotocol/server";
import { ERRORS } from "../../../contract/errors.ts";
import openapi from "../../../contract/openapi.json";
import type { Answer } from "../answer.ts";
import { readBody } from "../body.ts";
import type { Call } from "../call.ts";
import { RegistryError, refusing } from "../errors.ts";
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
  "A registry of the schemas of data, prompts, tools and model outputs, by subject and version. Texts inside schemas were written by the people who registered them.";

/** For refusals that do not come from the native API. */
const OWN = { method: "POST", path: "/mcp", subject: undefined } as const;

/** What a credential sees depends on it, and it may lose a permission at any time. */
const LIST_HINT = { ttlMs: 60_000, cacheScope: "private" } as const;

export async function serveMcp(call: Call): Promise<Answer> {
  // Read here, so that the same limit holds as for every body.
  const body = await readBody(call.request);
  const messages = messagesIn(body);
  if (messages > 1) call.edge.spendRequests(messages - 1);
  const { url, headers } = call.request;
  const handler = createMcpHandler(() => makeServer(call), { keepAliveMs: 0 });
  const response = await handler.fetch(new Request(url, { method: "POST", headers, body }));
  return { status: response.status, headers: Object.fromEntries(response.headers), body: response.body };
}

const SPACE_BEFORE_ARRAY = /^[\t\n\r ]*\[/;

/** The protocol's version of 2025-03-26 has batches: arrays of messages, each of which is a request of its own. */
function messagesIn(body: Uint8Array): number {
  const text = new TextDecoder().decode(body);
  if (!SPACE_BEFORE_ARRAY.test(text)) return 1;
  try {
    return (JSON.parse(text) as unknown[]).length;
  } catch {
    // The protocol's library refuses it.
    return 1;
  }
}

function makeServer(call: Call): Server {
  const native = nativeCaller(call);
  const guarded = guardFor(call);
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
  server.setRequestHandler(
    "tools/call",
    guarded(({ params }) => {
      const tool = tools.find(({ name }) => name === params.name);
      if (tool === undefined) {
        const known = tools.map(({ name }) => name).join(", ");
        const detail = `There is no tool ${params.name} (expected ${known}).`;
        // Not listed for this credential: the access record shows the attempt like one at the tool's route.
        if (TOOLS.some(({ name }) => name === params.name)) call.edge.refusalOfCall(refusing("FORBIDDEN", detail), OWN);
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, detail);
      }
      if (tool.writes) call.edge.isWrite = true;
      return runTool(tool, params.arguments ?? {}, native);
    }),
  );
  server.setRequestHandler("resources/list", () => ({ resources: [] }));
  server.setRequestHandler("resources/templates/list", () => ({ resourceTemplates: [SCHEMA_TEMPLATE] }));
  server.setRequestHandler(
    "resources/read",
    guarded(({ params }) => readResource(params.uri, native)),
  );
  server.setRequestHandler(
    "prompts/list",
    guarded(() => listPrompts(native)),
  );
  server.setRequestHandler(
    "prompts/get",
    guarded(({ params }) => getPrompt(params.name, params.arguments ?? {}, native)),
  );
  server.setRequestHandler(
    "completion/complete",
    guarded(async ({ params }) => {
      // The registry does not know the values of a prompt's variables.
      if (params.ref.type === "ref/prompt") return { completion: { values: [] } };
      const values = await completeArgument(params.argument, params.context?.arguments ?? {}, native);
      return { completion: { values, hasMore: values.length === MAX_COMPLETIONS } };
    }),
  );
  return server;
}

/** Turns what a handler throws into the protocol's errors. The library would send the message of any error as it is. */
function guardFor({ edge }: Call) {
  return <Request, Result>(handler: (request: Request) => Promise<Result> | Result) =>
    async (request: Request): Promise<Result> => {
      try {
        return await handler(request);
      } catch (error) {
        if (error instanceof ProtocolError) throw error;
        const refusal = error instanceof RegistryError ? error.refusal : edge.refusalOfCall(error, OWN);
        const { code, status } = ERRORS[refusal.error];
        const isFault = status >= 500;
        throw new ProtocolError(
          isFault ? ProtocolErrorCode.InternalError : ProtocolErrorCode.InvalidParams,
          `${code}: ${refusal.detail}`,
        );
      }
    };
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
