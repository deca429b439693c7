import { describe, expect, it } from "vitest";
import { type DecodedAnswer, decodeAnswer } from "../../../schema/projection/decode-answer.ts";
import { readModelAnswer } from "../../../schema/projection/model-answer.ts";
import { checkPartialAnswer } from "../../../schema/projection/partial-answer.ts";
import { parsePartialJson } from "../../../schema/projection/partial-json.ts";
import { closed, modelOf, projectionOf } from "./given.ts";

const SCHEMA = closed({ city: { type: "string" }, days: { type: "integer", maximum: 9 } }, ["city"]);

function decoded(body: unknown, options: { profile?: string; tool?: string; schema?: unknown } = {}): DecodedAnswer[] {
  const schema = options.schema ?? SCHEMA;
  const projection = projectionOf(schema, options.profile ?? "openai-strict");
  const tool = options.tool === undefined ? {} : { tool: options.tool };
  return decodeAnswer({ registered: modelOf(schema), projection, ...tool }, readModelAnswer(body));
}

const chat = (message: object, finish_reason = "stop") => ({ choices: [{ index: 0, message, finish_reason }] });
const call = (name: string, args: unknown, id = "c1") => ({
  id,
  type: "function",
  function: { name, arguments: typeof args === "string" ? args : JSON.stringify(args) },
});

describe("decodeAnswer of each API's response", () => {
  const value = { city: "Oslo" };
  const text = '{"city":"Oslo","days":null}';

  it.each([
    ["openai-chat, text", chat({ role: "assistant", content: text })],
    ["openai-chat, call", chat({ content: null, tool_calls: [call("weather", text)] }, "tool_calls")],
    [
      "openai-responses, text",
      {
        output: [{ type: "reasoning" }, { type: "message", content: [{ type: "output_text", text }] }],
        status: "completed",
      },
    ],
    [
      "openai-responses, call",
      { output: [{ type: "function_call", call_id: "c1", name: "weather", arguments: text }] },
    ],
    [
      "anthropic, text",
      {
        type: "message",
        role: "assistant",
        content: [
          { type: "thinking", thinking: "…" },
          { type: "text", text },
        ],
        stop_reason: "end_turn",
      },
    ],
    [
      "anthropic, call",
      {
        type: "message",
        content: [{ type: "tool_use", id: "t1", name: "weather", input: JSON.parse(text) }],
        stop_reason: "tool_use",
      },
    ],
    [
      "gemini, text",
      { candidates: [{ content: { parts: [{ text: "hm", thought: true }, { text }] }, finishReason: "STOP" }] },
    ],
    [
      "gemini, call",
      {
        candidates: [
          { content: { parts: [{ functionCall: { name: "weather", args: JSON.parse(text) } }] }, finishReason: "STOP" },
        ],
      },
    ],
    [
      "gemini interactions",
      {
        steps: [{ type: "user_input" }, { type: "model_output", content: [{ type: "text", text }] }],
        status: "completed",
      },
    ],
    [
      "bedrock",
      {
        output: { message: { content: [{ toolUse: { toolUseId: "u", name: "weather", input: JSON.parse(text) } }] } },
        stopReason: "tool_use",
      },
    ],
    ["ollama", { message: { role: "assistant", content: text }, done: true, done_reason: "stop" }],
    ["llama.cpp", { content: text, stop_type: "eos" }],
    ["mcp", { content: [{ type: "text", text }], structuredContent: JSON.parse(text), isError: false }],
    ["the text alone", text],
    ["the value alone", JSON.parse(text)],
  ])("returns the value from %s", (_, body) => {
    expect(decoded(body)).toMatchObject([{ outcome: "valid", value }]);
  });

  it("reports what the registered schema refuses, with the location", () => {
    const [answer] = decoded('{"city":"Oslo","days":12}', { profile: "azure-openai" });

    expect(answer).toMatchObject({ outcome: "invalid", errors: [{ pointer: "/days", keyword: "maximum" }] });
  });

  it.each([
    ["a fence", 'Sure!\n```json\n{"city":"Oslo","days":null}\n```', ["fenced"]],
    ["sentences", 'Here: {"city":"Oslo","days":null} as asked.', ["surrounded_by_text"]],
    ["a string", JSON.stringify('{"city":"Oslo","days":null}'), ["json_in_string"]],
  ])("finds JSON inside %s, and notes that", (_, body, notes) => {
    expect(decoded(body)).toMatchObject([{ outcome: "valid", value, notes }]);
  });
});

describe("decodeAnswer of responses without an answer", () => {
  it.each([
    ["OpenAI refuses", chat({ content: null, refusal: "I can't." }), "refused"],
    [
      "the Responses API refuses",
      { output: [{ type: "message", content: [{ type: "refusal", refusal: "no" }] }] },
      "refused",
    ],
    [
      "Anthropic refuses",
      { type: "message", content: [{ type: "text", text: "no" }], stop_reason: "refusal" },
      "refused",
    ],
    ["OpenAI cuts off", chat({ content: '{"city":"Os' }, "length"), "truncated"],
    [
      "the Responses API cuts off",
      {
        output: [{ type: "message", content: [{ type: "output_text", text: '{"ci' }] }],
        status: "incomplete",
        incomplete_details: { reason: "max_output_tokens" },
      },
      "truncated",
    ],
    [
      "Anthropic cuts off a call",
      { type: "message", content: [{ type: "tool_use", id: "t", name: "w", input: {} }], stop_reason: "max_tokens" },
      "truncated",
    ],
    [
      "Gemini cuts off",
      { candidates: [{ content: { parts: [{ text: "{" }] }, finishReason: "MAX_TOKENS" }] },
      "truncated",
    ],
    ["OpenAI filters", chat({ content: "" }, "content_filter"), "filtered"],
    ["Gemini blocks the prompt", { promptFeedback: { blockReason: "SAFETY" } }, "filtered"],
    ["the model talks", chat({ content: "It is sunny." }), "not_json"],
    ["there is nothing", chat({ content: "" }), "empty"],
    ["a tool fails", { content: [{ type: "text", text: "boom" }], isError: true }, "refused"],
  ])("gives a distinct outcome when %s", (_, body, outcome) => {
    expect(decoded(body)).toMatchObject([{ outcome }]);
  });

  it("returns the decoded part of a truncated text", () => {
    expect(decoded(chat({ content: '{"city":"Oslo","days":nul' }, "length"))).toEqual([
      { outcome: "truncated", call: null, end_reason: "length", value: { city: "Oslo" }, errors: [] },
    ]);
  });

  it.each([
    [
      "Anthropic",
      {
        type: "message",
        content: [{ type: "tool_use", id: "t", name: "w", input: { city: "San" } }],
        stop_reason: "max_tokens",
      },
    ],
    [
      "Gemini",
      {
        candidates: [
          { content: { parts: [{ functionCall: { name: "w", args: { city: "San" } } }] }, finishReason: "MAX_TOKENS" },
        ],
      },
    ],
    [
      "Bedrock",
      {
        output: { message: { content: [{ toolUse: { toolUseId: "u", name: "w", input: { city: "San" } } }] } },
        stopReason: "max_tokens",
      },
    ],
  ])("never takes arguments that %s closed at the limit for whole ones", (_, body) => {
    expect(decoded(body)).toMatchObject([{ outcome: "truncated", call: { name: "w" }, value: { city: "San" } }]);
  });

  it("accepts the calls before the one that was cut off", () => {
    const use = (id: string) => ({ type: "tool_use", id, name: "w", input: { city: "Oslo", days: null } });

    expect(decoded({ type: "message", content: [use("a"), use("b")], stop_reason: "max_tokens" })).toMatchObject([
      { outcome: "valid" },
      { outcome: "truncated" },
    ]);
  });

  it("accepts JSON that was complete when the limit was reached", () => {
    expect(decoded(chat({ content: '{"city":"Oslo","days":1}' }, "length"))).toMatchObject([{ outcome: "valid" }]);
  });
});

describe("decodeAnswer of several calls", () => {
  const body = chat({
    content: "Let me look.",
    tool_calls: [call("weather", { city: "Oslo", days: null }), call("news", {}, "c2"), call("weather", "{", "c3")],
  });

  it("returns one outcome for each, and recognises those of other tools", () => {
    expect(decoded(body, { tool: "weather" })).toMatchObject([
      { outcome: "valid", call: { name: "weather", id: "c1" } },
      { outcome: "other_tool", call: { name: "news", id: "c2" } },
      { outcome: "not_json", call: { name: "weather", id: "c3" } },
    ]);
  });
});

describe("checkPartialAnswer", () => {
  const schema = modelOf(
    closed({
      name: { type: "string", maxLength: 4 },
      tags: { type: "array", items: { type: "integer" }, minItems: 2 },
    }),
  );

  it.each([
    ["", undefined],
    ["{", {}],
    ['{"na', {}],
    ['{"name": "An', { name: "An" }],
    ['{"name": "Ann", "tags": [1', { name: "Ann", tags: [] }],
    ['{"name": "Ann", "tags": [1,', { name: "Ann", tags: [1] }],
    ['```json\n{"name": "A\\u00', { name: "A" }],
  ])("has no errors for the beginning %j", (text, value) => {
    expect(checkPartialAnswer(schema, text)).toEqual({ value, isComplete: false, errors: [] });
  });

  it.each([
    ['{"name": 5, ', "/name", "type"],
    ['{"name": "Annabel', "/name", "maxLength"],
    ['{"tags": ["x", ', "/tags/0", "type"],
    ['{"tags": [1], "name', "/tags", "minItems"],
    ['{"other": 1, ', "", "additionalProperties"],
  ])("reports the problem of %j immediately", (text, pointer, keyword) => {
    const { errors } = checkPartialAnswer(schema, text);

    expect(
      errors.map((error) => [error.keyword, error.pointer === pointer || error.pointer.startsWith(pointer)]),
    ).toContainEqual([keyword, true]);
  });

  it("reports where a text stops being JSON", () => {
    expect(checkPartialAnswer(schema, '{"name": Ann')).toMatchObject({
      problem: expect.stringContaining("character 10"),
    });
  });
});

describe("parsePartialJson", () => {
  const text = JSON.stringify({ a: [1, -2.5e3, true, null, 'x\\"y\u00e4'], b: { c: {}, "d/e": [] } });

  it("accepts every prefix of a JSON text, and never returns more than it contains", () => {
    for (let end = 0; end < text.length; end += 1) {
      const parsed = parsePartialJson(text.slice(0, end));

      expect(parsed).toMatchObject({ ok: true, value: { isComplete: false } });
    }
    expect(parsePartialJson(text)).toEqual({
      ok: true,
      value: { isComplete: true, value: JSON.parse(text), open: [] },
    });
  });

  it.each(["{]", "[1 2]", '{"a" 1', "nope", "01", "1.e", '"\\x"', '{"a":1}}', "[,"])("refuses %j", (bad) => {
    expect(parsePartialJson(bad)).toMatchObject({ ok: false });
  });
});
