/** The relevant parts of a provider's response: text, tool calls, refusals, and truncated or filtered parts. */
import { isMembers } from "../json/validate/evaluation.ts";

export type AnswerPart =
  | { readonly part: "text"; readonly text: string }
  /** Arguments are a string in OpenAI's APIs and an object in all others. */
  | { readonly part: "call"; readonly name: string; readonly id: string | null; readonly arguments: unknown }
  | { readonly part: "refusal"; readonly message: string };

export type ModelAnswer = {
  /** The API of the response; `value` if it is none, in which case it is treated as the answer itself. */
  readonly api: string;
  readonly parts: readonly AnswerPart[];
  /** `cut`: the token limit was reached; `filtered`: blocked by the provider; otherwise complete. */
  readonly end: "whole" | "cut" | "filtered";
  /** The provider's own term for the end of the answer. */
  readonly endReason: string | null;
};

type Members = Record<string, unknown>;

/** Parses a response body of any provider, or treats the value as the answer itself. */
export function readModelAnswer(body: unknown): ModelAnswer {
  if (typeof body === "string") return answer("text", [{ part: "text", text: body }], null);
  if (isMembers(body)) {
    for (const read of READERS) {
      const found = read(body);
      if (found !== undefined) return found;
    }
  }
  return answer("value", [{ part: "call", name: "", id: null, arguments: body }], null);
}

const CUT: ReadonlySet<string> = new Set([
  "length",
  "max_tokens",
  "max_output_tokens",
  "model_context_window_exceeded",
  "limit",
]);
const FILTERED: ReadonlySet<string> = new Set([
  "content_filter",
  "content_filtered",
  "guardrail_intervened",
  "safety",
  "recitation",
  "blocklist",
  "prohibited_content",
  "spii",
]);
const REFUSED: ReadonlySet<string> = new Set(["refusal"]);

function answer(api: string, parts: readonly AnswerPart[], endReason: string | null): ModelAnswer {
  const reason = endReason?.toLowerCase() ?? "";
  const isRefused = REFUSED.has(reason) && !parts.some(({ part }) => part === "refusal");
  const said = parts.flatMap((part) => (part.part === "text" ? [part.text] : [])).join("");
  return {
    api,
    // If the model's own rules stopped it, its text is the reason, not an answer.
    parts: isRefused ? [{ part: "refusal", message: said }] : parts,
    end: CUT.has(reason) ? "cut" : FILTERED.has(reason) ? "filtered" : "whole",
    endReason,
  };
}

const READERS: readonly ((body: Members) => ModelAnswer | undefined)[] = [
  readOpenAiChat,
  readOpenAiResponses,
  readAnthropic,
  readGemini,
  readGeminiInteractions,
  readBedrock,
  readOllama,
  readMcp,
];

function list(value: unknown): Members[] {
  return Array.isArray(value) ? value.filter(isMembers) : [];
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function textPart(value: unknown): AnswerPart[] {
  return typeof value === "string" && value !== "" ? [{ part: "text", text: value }] : [];
}

function callPart(name: unknown, id: unknown, args: unknown): AnswerPart {
  return { part: "call", name: text(name) ?? "", id: text(id), arguments: args ?? {} };
}

function refusalPart(value: unknown): AnswerPart[] {
  return typeof value === "string" && value !== "" ? [{ part: "refusal", message: value }] : [];
}

/** The first of several choices counts, as in the SDKs. */
function readOpenAiChat({ choices }: Members): ModelAnswer | undefined {
  const [choice] = list(choices);
  const message = choice?.message;
  if (choice === undefined || !isMembers(message)) return undefined;
  const content = Array.isArray(message.content)
    ? list(message.content).flatMap((one) => textPart(one.text))
    : textPart(message.content);
  const calls = list(message.tool_calls).flatMap(({ id, function: called }) =>
    isMembers(called) ? [callPart(called.name, id, called.arguments)] : [],
  );
  const parts = [...refusalPart(message.refusal), ...content, ...calls];
  return answer("openai-chat", parts, text(choice.finish_reason));
}

function readOpenAiResponses({ output, status, incomplete_details: details }: Members): ModelAnswer | undefined {
  if (!Array.isArray(output)) return undefined;
  const parts = list(output).flatMap((item): AnswerPart[] => {
    if (item.type === "function_call") return [callPart(item.name, item.call_id, item.arguments)];
    if (item.type !== "message") return [];
    return list(item.content).flatMap((one) =>
      one.type === "refusal" ? refusalPart(one.refusal) : textPart(one.text),
    );
  });
  const reason = status === "incomplete" && isMembers(details) ? text(details.reason) : text(status);
  return answer("openai-responses", parts, reason);
}

function readAnthropic({ type, role, content, stop_reason: reason }: Members): ModelAnswer | undefined {
  if (!Array.isArray(content) || (type !== "message" && role !== "assistant")) return undefined;
  const parts = list(content).flatMap((block): AnswerPart[] => {
    if (block.type === "tool_use") return [callPart(block.name, block.id, block.input)];
    return block.type === "text" ? textPart(block.text) : [];
  });
  return answer("anthropic", parts, text(reason));
}

function readGemini({ candidates, promptFeedback }: Members): ModelAnswer | undefined {
  if (!Array.isArray(candidates)) {
    const blocked = isMembers(promptFeedback) ? text(promptFeedback.blockReason) : null;
    return blocked === null ? undefined : answer("gemini", [], "safety");
  }
  const [candidate] = list(candidates);
  const content = candidate?.content;
  const parts = (isMembers(content) ? list(content.parts) : []).flatMap((part): AnswerPart[] => {
    if (part.thought === true) return [];
    const called = part.functionCall ?? part.function_call;
    return isMembers(called) ? [callPart(called.name, called.id, called.args)] : textPart(part.text);
  });
  return answer("gemini", parts, text(candidate?.finishReason ?? candidate?.finish_reason));
}

function readGeminiInteractions({ steps, status, output_text: given }: Members): ModelAnswer | undefined {
  if (!Array.isArray(steps)) return undefined;
  const parts = list(steps).flatMap((step): AnswerPart[] => {
    if (step.type === "function_call") return [callPart(step.name, step.id, step.arguments)];
    if (step.type !== "model_output") return [];
    return Array.isArray(step.content) ? list(step.content).flatMap((one) => textPart(one.text)) : textPart(step.text);
  });
  return answer("gemini-interactions", parts.length > 0 ? parts : textPart(given), text(status));
}

function readBedrock({ output, stopReason }: Members): ModelAnswer | undefined {
  const message = isMembers(output) ? output.message : undefined;
  if (!isMembers(message)) return undefined;
  const parts = list(message.content).flatMap((block): AnswerPart[] => {
    const used = block.toolUse;
    return isMembers(used) ? [callPart(used.name, used.toolUseId, used.input)] : textPart(block.text);
  });
  return answer("bedrock", parts, text(stopReason));
}

/** Also the completions of llama.cpp, which have the same form. */
function readOllama(body: Members): ModelAnswer | undefined {
  const { message, response, content } = body;
  const reason = text(body.done_reason ?? body.stop_type);
  if (typeof body.done === "boolean" && isMembers(message)) {
    const calls = list(message.tool_calls).flatMap(({ id, function: called }) =>
      isMembers(called) ? [callPart(called.name, id, called.arguments)] : [],
    );
    return answer("ollama", [...textPart(message.content), ...calls], reason);
  }
  if (typeof body.done === "boolean" && typeof response === "string")
    return answer("ollama", textPart(response), reason);
  if (typeof body.stop_type === "string" && typeof content === "string")
    return answer("llama-cpp", textPart(content), reason);
  return undefined;
}

/** A tool's result, for its output schema. */
function readMcp({ structuredContent, content, isError }: Members): ModelAnswer | undefined {
  if (structuredContent === undefined && !(Array.isArray(content) && typeof isError === "boolean")) return undefined;
  const texts = list(content).flatMap((one) => textPart(one.text));
  if (isError === true) {
    const message = texts.map((part) => (part.part === "text" ? part.text : "")).join("\n");
    return answer("mcp", [{ part: "refusal", message }], null);
  }
  return answer("mcp", structuredContent === undefined ? texts : [callPart("", null, structuredContent)], null);
}
