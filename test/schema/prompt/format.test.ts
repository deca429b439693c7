import { describe, expect, it } from "vitest";
import { prompt } from "../../../schema/prompt/format.ts";
import type { PromptModel } from "../../../schema/prompt/model.ts";
import { renderPrompt } from "../../../schema/prompt/render.ts";
import { MAX_PROMPT_EXAMPLES, MAX_PROMPT_MESSAGES, MAX_PROMPT_TOOLS } from "../../../schema/prompt/shape.ts";
import { compared, modelOf, parseArtefact, rulesOf } from "../artefacts/models.ts";

const variables = (properties: object, required: string[] = []) => ({ type: "object", properties, required });
const NAME = variables({ name: { type: "string" } }, ["name"]);

describe("registering a prompt", () => {
  it.each([
    ["an unknown syntax", { syntax: "erb", text: "" }, "enum"],
    ["neither text nor messages", { syntax: "dollar" }, "oneOf"],
    ["text and messages", { syntax: "dollar", text: "", messages: [{ role: "user", content: "" }] }, "oneOf"],
    ["a template that does not parse", { syntax: "f-string", text: "{", variables: NAME }, "template"],
    ["an undeclared variable", { syntax: "f-string", text: "{nmae}", variables: NAME }, "undeclared_variable"],
    ["variables without a declaration", { syntax: "f-string", text: "{name}" }, "undeclared_variable"],
    [
      "an undeclared placeholder",
      { syntax: "f-string", messages: [{ placeholder: "history" }] },
      "undeclared_variable",
    ],
    ["a member of a string", { syntax: "mustache", text: "{{name.first}}", variables: NAME }, "wrong_nesting"],
    [
      "a member that is declared elsewhere",
      { syntax: "jinja2", text: "{{ user.city }}", variables: variables({ user: variables({ name: {} }), city: {} }) },
      "wrong_nesting",
    ],
    [
      "an example whose variables do not fit",
      { syntax: "f-string", text: "{name}", variables: NAME, examples: [{ variables: { name: 1 } }] },
      "example",
    ],
    [
      "an example whose output does not fit",
      { syntax: "f-string", text: "Hi", output: { type: "integer" }, examples: [{ output: "x" }] },
      "example",
    ],
    [
      "a tool that is not referenced",
      { syntax: "f-string", text: "Hi", tools: [{ $ref: "search" }] },
      "unresolved_tool",
    ],
  ])("refuses %s", (_, content, rule) => {
    expect(parseArtefact("prompt", content).ok).toBe(false);
    expect(rulesOf("prompt", content)).toContain(rule);
  });

  it("names the line and the column of the template", () => {
    const parsed = parseArtefact("prompt", { syntax: "f-string", text: "one\ntwo {" });

    expect(parsed.ok ? [] : parsed.refusal.problems).toMatchObject([
      { pointer: "/text", message: expect.stringContaining("line 2, column 5") },
    ]);
  });

  it.each([
    ["an unused variable", { syntax: "f-string", text: "Hi", variables: NAME }, "unused_variable"],
    ["an escaped variable", { syntax: "f-string", text: "{name} {{name}}", variables: NAME }, "escaped_variable"],
    ["single braces", { syntax: "mustache", text: "{{name}} {name}", variables: NAME }, "variable_not_substituted"],
    [
      "an optional variable that rendering needs",
      { syntax: "f-string", text: "{tone}", variables: variables({ tone: { type: "string" } }) },
      "optional_variable_needed",
    ],
  ])("warns of %s", (_, content, rule) => {
    expect(parseArtefact("prompt", content).ok).toBe(true);
    expect(rulesOf("prompt", content)).toEqual([rule]);
  });

  it("warns at most a hundred times", () => {
    const content = { syntax: "f-string", text: `{name}${"{{name}}".repeat(10_000)}`, variables: NAME };

    expect(rulesOf("prompt", content)).toHaveLength(100);
  });

  it("finds a name of a section outside of it", () => {
    const content = {
      syntax: "mustache",
      text: "{{#docs}}{{title}} for {{reader}}{{/docs}}",
      variables: variables({ docs: { type: "array", items: variables({ title: {} }) }, reader: {} }, [
        "docs",
        "reader",
      ]),
    };

    expect(rulesOf("prompt", content)).toEqual([]);
  });

  it.each([
    [
      "messages",
      MAX_PROMPT_MESSAGES,
      (items: unknown[]) => ({ syntax: "dollar", messages: items }),
      { role: "user", content: "" },
    ],
    ["examples", MAX_PROMPT_EXAMPLES, (items: unknown[]) => ({ syntax: "dollar", text: "", examples: items }), {}],
    ["tools", MAX_PROMPT_TOOLS, (items: unknown[]) => ({ syntax: "dollar", text: "", tools: items }), { $ref: "t" }],
  ])("takes at most a number of %s", (_, most, contentOf, item) => {
    const references = [{ name: "t", content: { name: "t", input: {} } }];

    expect(parseArtefact("prompt", contentOf(Array(most).fill(item)), references).ok).toBe(true);
    expect(parseArtefact("prompt", contentOf(Array(most + 1).fill(item)), references).ok).toBe(false);
  });
});

describe("renderPrompt", () => {
  const model = modelOf("prompt", {
    syntax: "mustache",
    messages: [
      { role: "system", content: "Be {{tone}}." },
      { placeholder: "history" },
      { role: "user", content: "{{question}}" },
    ],
    variables: variables(
      { tone: { type: "string", default: "brief" }, history: { type: "array" }, question: { type: "string" } },
      ["question"],
    ),
  }) as PromptModel;

  it("fills in defaults and inserts the caller's messages", () => {
    const history = [{ role: "assistant", content: "Hi." }];

    expect(renderPrompt(model, { question: "Why?", history })).toEqual({
      ok: true,
      value: [{ role: "system", content: "Be brief." }, ...history, { role: "user", content: "Why?" }],
    });
    expect(renderPrompt(model, { question: "Why?" })).toMatchObject({ ok: true, value: [{}, {}] });
  });

  it.each([
    ["a missing required variable", {}, "invalid_variables"],
    ["a variable of another type", { question: 1 }, "invalid_variables"],
    ["a history that is not a list of messages", { question: "", history: ["x"] }, "invalid"],
  ])("refuses %s", (_, given, reason) => {
    expect(renderPrompt(model, given)).toMatchObject({ ok: false, refusal: { reason } });
  });

  it.each([
    ["strict", { ok: false, refusal: { reason: "missing_variables", names: ["tone"] } }],
    ["lenient", { ok: true, value: [{ role: "user", content: "Be ." }] }],
  ])("treats a missing variable as the policy %s says", (policy, expected) => {
    const content = { syntax: "f-string", text: "Be {tone}.", undefined: policy, variables: variables({ tone: {} }) };

    expect(renderPrompt(modelOf("prompt", content) as PromptModel, {})).toEqual(expected);
  });
});

describe("compatible prompts", () => {
  const PAIRS = [
    [
      { a: { type: "string" } },
      ["a"],
      { a: { type: "string" }, b: { type: "string" } },
      ["a"],
      "{{a}}{{#b}}{{b}}{{/b}}",
    ],
    [{ a: { type: "string" } }, ["a"], { a: { type: ["string", "integer"] } }, ["a"], "{{a}}"],
    [{ a: { type: "string" }, b: {} }, ["a", "b"], { a: { type: "string" } }, ["a"], "{{a}}"],
    [{ a: { enum: ["x"] } }, ["a"], { a: { enum: ["x", "y"] } }, [], "{{#a}}{{a}}{{/a}}"],
  ] as const;

  it.each(PAIRS)("render every call of the earlier version (%#)", (before, wasRequired, after, isRequired, text) => {
    const earlier = modelOf("prompt", {
      syntax: "mustache",
      text: "{{a}}",
      variables: variables(before, [...wasRequired]),
    });
    const later = modelOf("prompt", {
      syntax: "mustache",
      text,
      variables: variables(after, [...isRequired]),
    }) as PromptModel;
    const { differences } = compared("prompt", later, earlier);
    expect(differences.filter(({ severity }) => severity === "breaking")).toEqual([]);

    for (const a of ["x"])
      for (const b of [undefined, "y"]) {
        const call = { a, ...(b === undefined || !("b" in before) ? {} : { b }) };
        if (!renderPrompt(earlier as PromptModel, call).ok) continue;
        expect(renderPrompt(later, call)).toMatchObject({ ok: true });
      }
  });

  it("plan the calls to change", () => {
    const previous = modelOf("prompt", { syntax: "f-string", text: "{name}", variables: NAME }) as PromptModel;
    const required = variables({ name: { type: "string" }, city: { type: "string" } }, ["name", "city"]);
    const next = modelOf("prompt", { syntax: "f-string", text: "{name}{city}", variables: required }) as PromptModel;

    const plan = prompt.plan!(previous, next, compared("prompt", next, previous).differences);

    expect(plan.actions).toMatchObject([
      { action: "evaluate", pointer: "/text" },
      { action: "change_caller", pointer: "/variables/required/1", note: expect.any(String) },
    ]);
  });
});
