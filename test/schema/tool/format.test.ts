import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { FormatName } from "../../../schema/format.ts";
import { parseJsonText } from "../../../schema/json-text.ts";
import { fingerprintTool } from "../../../schema/tool/fingerprint.ts";
import { tool } from "../../../schema/tool/format.ts";
import type { ToolModel } from "../../../schema/tool/model.ts";
import { CORPUS } from "../../support/corpus.ts";
import { compared, modelOf, parseArtefact, rulesOf } from "../artefacts/models.ts";

const TOOL: FormatName = "tool";
const TOOLS = join(CORPUS, "llm/mcp-tools.json");
const SEARCH = {
  name: "search",
  description: "Finds issues.",
  input: { type: "object", properties: { q: { type: "string" } } },
};

function fingerprintOf(content: unknown) {
  const parsed = parseJsonText(JSON.stringify(content));
  if (!parsed.ok || parsed.value.root.type !== "object") throw new Error("not an object");
  return fingerprintTool(parsed.value.root);
}

describe("parsing a tool", () => {
  it.each([
    ["no name", { input: {} }, "required", ""],
    ["no input", { name: "t" }, "oneOf", ""],
    ["two spellings of the input", { name: "t", input: {}, inputSchema: {} }, "oneOf", ""],
    ["two spellings of the output", { name: "t", input: {}, output: {}, outputSchema: {} }, "not", ""],
    ["an unknown member", { name: "t", input: {}, descripton: "d" }, "additionalProperties", "/descripton"],
    ["a name with a space", { name: "a b", input: {} }, "pattern", "/name"],
    [
      "a hint that is not a boolean",
      { name: "t", input: {}, annotations: { readOnlyHint: "yes" } },
      "type",
      "/annotations/readOnlyHint",
    ],
    ["an invalid schema", { name: "t", input: { type: "strin" } }, "invalid_keyword", "/input/type"],
    ["a reference that leads nowhere", { name: "t", input: { $ref: "nowhere.json" } }, undefined, "/input/$ref"],
  ])("refuses %s, with its place", (_, content, rule, pointer) => {
    const parsed = parseArtefact(TOOL, content);

    expect(parsed.ok).toBe(false);
    const [problem] = parsed.ok ? [] : parsed.refusal.problems;
    expect(problem).toMatchObject({ pointer, line: 1, column: expect.any(Number) });
    if (rule !== undefined) expect(problem?.rule).toBe(rule);
  });

  it("refuses a text that nests too deep as too complex", () => {
    const parsed = parseArtefact(TOOL, `{"name":"t","input":${"[".repeat(10_000)}`);

    expect(parsed).toMatchObject({ ok: false, refusal: { reason: "too_complex" } });
  });

  it("warns of characters that only a model sees", () => {
    expect(rulesOf(TOOL, { ...SEARCH, description: "Finds\u{E0041} issues." })).toEqual(["invisible_characters"]);
  });

  it("keeps prototype names as plain parameters", () => {
    const text =
      '{"name":"t","input":{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"string"}}}}';
    const parsed = parseArtefact(TOOL, text);

    expect(parsed.ok && tool.canonicalText(parsed.value.model as ToolModel)).toBe(text);
    expect(tool.fields(modelOf(TOOL, text) as ToolModel).map(({ path }) => path)).toEqual([
      "input.__proto__",
      "input.constructor",
    ]);
  });
});

describe("fingerprintTool", () => {
  it("is the same for both spellings and any order of members", () => {
    const mcp = { inputSchema: SEARCH.input, description: SEARCH.description, name: "search" };

    expect(fingerprintOf(mcp)).toEqual(fingerprintOf(SEARCH));
  });

  it.each([
    ["the description", { ...SEARCH, description: "Finds issues. " }],
    ["the title", { ...SEARCH, title: "Search" }],
    ["an annotation", { ...SEARCH, annotations: { readOnlyHint: false } }],
    [
      "a parameter's description",
      { ...SEARCH, input: { type: "object", properties: { q: { type: "string", description: "x" } } } },
    ],
    ["the output", { ...SEARCH, output: {} }],
  ])("changes with %s", (_, changed) => {
    expect(fingerprintOf(changed).fingerprint).not.toBe(fingerprintOf(SEARCH).fingerprint);
  });

  it("recognises a tool that was only renamed", () => {
    const renamed = fingerprintOf({ ...SEARCH, name: "find" });

    expect(renamed.fingerprint).not.toBe(fingerprintOf(SEARCH).fingerprint);
    expect(renamed.nameless).toBe(fingerprintOf(SEARCH).nameless);
  });
});

describe("a renamed parameter", () => {
  const withParameter = (name: string, schema: object) =>
    modelOf(TOOL, { name: "t", input: { type: "object", properties: { [name]: schema }, required: [name] } });

  it("is a candidate with its evidence, beside the call that breaks", () => {
    const before = withParameter("issue_number", { type: "integer", description: "The number." });
    const after = withParameter("number", { type: "integer", description: "The number." });

    const { differences, witnesses } = compared(TOOL, after, before);

    const candidate = differences.find(({ kind }) => kind === "PARAMETER_RENAME_CANDIDATE");
    expect(candidate?.message).toContain("the same type, the same description");
    const broken = witnesses[differences.findIndex(({ severity }) => severity === "breaking")];
    expect(broken).toMatchObject({
      status: "confirmed",
      datum: { name: "t", arguments: { issue_number: expect.any(Number) } },
    });
  });

  it("is not a candidate if the absence is the only evidence", () => {
    const { differences } = compared(
      TOOL,
      withParameter("limit", { type: "integer" }),
      withParameter("query", { type: "string" }),
    );

    expect(differences.map(({ kind }) => kind)).not.toContain("PARAMETER_RENAME_CANDIDATE");
  });
});

describe("plans for tools", () => {
  it("name the callers' change, and the evaluation that a new description asks for", () => {
    const previous = modelOf(TOOL, SEARCH) as ToolModel;
    const next = modelOf(TOOL, { ...SEARCH, name: "find", description: "Finds everything." }) as ToolModel;

    const plan = tool.plan!(previous, next, compared(TOOL, next, previous).differences);

    expect(plan.actions.map(({ action }) => action)).toEqual(["change_caller", "evaluate_agent"]);
  });
});

describe.skipIf(!existsSync(TOOLS))("the tools of a real MCP server", () => {
  const tools = existsSync(TOOLS)
    ? (JSON.parse(readFileSync(TOOLS, "utf8")) as { tools: { name: string; description: string }[] }).tools
    : [];

  it("are all read, fingerprinted, and equal to themselves", () => {
    expect(tools.length).toBeGreaterThan(100);
    const fingerprints = tools.map((content) => {
      const model = modelOf(TOOL, content) as ToolModel;
      expect(compared(TOOL, model, model).differences).toEqual([]);
      return fingerprintTool(model.root).fingerprint;
    });
    expect(new Set(fingerprints).size).toBe(tools.length);
  });

  it("differ by their behaviour alone if only the description changes", () => {
    for (const content of tools) {
      const before = modelOf(TOOL, content);
      const after = modelOf(TOOL, { ...content, description: `${content.description} Use it with care.` });
      expect(compared(TOOL, after, before).differences.map(({ severity }) => severity)).toEqual(["behaviour"]);
    }
  });
});
