import { describe, expect, it } from "vitest";
import { type PromptSyntax, TEMPLATE_PARSERS } from "../../../schema/prompt/model.ts";
import {
  MAX_RENDER_STEPS,
  MAX_RENDERED_CHARACTERS,
  MAX_TEMPLATE_DEPTH,
  type Piece,
} from "../../../schema/prompt/template.ts";

function rendered(syntax: PromptSyntax, text: string, variables: Record<string, unknown>): Piece[] | string {
  const parsed = TEMPLATE_PARSERS[syntax](text);
  if (!parsed.ok) throw new Error(parsed.refusal.message);
  const result = parsed.value.render(variables);
  if (!result.ok) return result.refusal.reason;
  return result.value.every((piece) => typeof piece === "string") ? [result.value.join("")] : [...result.value];
}

function usedIn(syntax: PromptSyntax, text: string): string[] {
  const parsed = TEMPLATE_PARSERS[syntax](text);
  if (!parsed.ok) throw new Error(parsed.refusal.message);
  return parsed.value.uses.map(({ name, isGuarded }) => (isGuarded ? `${name}?` : name));
}

function problemIn(syntax: PromptSyntax, text: string) {
  const parsed = TEMPLATE_PARSERS[syntax](text);
  return parsed.ok ? undefined : parsed.refusal;
}

/** A Jinja template that sets `x` to 16,384 characters. */
const LONG_TEXT = `{% set x = "aaaaaaaaaaaaaaaa" %}${"{% set x = x ~ x %}".repeat(10)}`;

const USER = { name: "Ada", tags: ["x", "y"], docs: [{ title: "A" }, { title: "B" }], empty: [], html: "<a & b>" };

describe("rendering", () => {
  it.each<[PromptSyntax, string, string]>([
    ["f-string", "Hi {name}: {{json}}", "Hi Ada: {json}"],
    ["f-string", "{docs}", '[{"title":"A"},{"title":"B"}]'],
    ["langfuse", "Hi {{name}} and {{ name }}, {x} {{a.b}}", "Hi Ada and Ada, {x} {{a.b}}"],
    ["dollar", "$name owes $$5, $" + "{name}s", "Ada owes $5, Adas"],
    ["mustache", "{{#docs}}{{title}},{{/docs}}{{^empty}}none{{/empty}} {{html}}", "A,B,none <a & b>"],
    ["mustache", "{{#tags}}{{.}}{{/tags}}", "xy"],
    ["jinja2", "{% for d in docs %}{{ loop.index }}{{ d.title | upper }}{% endfor %}", "1A2B"],
    ["jinja2", "{% if missing is defined %}x{% else %}y{% endif %}", "y"],
    [
      "jinja2",
      "{{ tags | join(', ') }} {{ name | replace('A', 'I') }}{{ name.replace('a', 'y')[::-1] }}",
      "x, y IdaydA",
    ],
    ["jinja2", "{% set t = 'a\\nb' %}{{ t | indent(2) }}", "a\n  b"],
    ["handlebars", "{{#each docs}}{{@index}}{{title}}{{#unless @last}},{{/unless}}{{/each}}", "0A,1B"],
    ["handlebars", "{{#if empty}}a{{else}}b{{/if}}{{#with docs}}{{/with}}{{! note }}{{{html}}}", "b<a & b>"],
    ["handlebars", "{{#each tags}}{{this}}{{../name}}{{/each}}{{json tags}}", 'xAdayAda["x","y"]'],
  ])("gives %s %j", (syntax, text, expected) => {
    expect(rendered(syntax, text, USER)).toEqual([expected]);
  });

  it("starts messages where Dotprompt's role helper says", () => {
    expect(rendered("handlebars", '{{role "system"}}Be brief.{{role "user"}}{{name}}', USER)).toEqual([
      { role: "system" },
      "Be brief.",
      { role: "user" },
      "Ada",
    ]);
  });

  it.each<[PromptSyntax, string]>([
    ["mustache", "{{constructor}}{{__proto__}}{{toString}}{{name.constructor}}"],
    ["handlebars", "{{constructor}}{{__proto__.x}}{{toString}}{{name.length}}"],
    ["jinja2", "{{ constructor }}{{ __proto__ }}{{ name.constructor }}"],
    ["f-string", "{constructor}{__proto__}{toString}"],
    ["langfuse", "{{constructor}}{{__proto__}}"],
    ["dollar", "$constructor$__proto__"],
  ])("finds nothing that objects inherit in %s", (syntax, text) => {
    expect(rendered(syntax, text, USER)).toEqual([""]);
  });

  it.each<[PromptSyntax, string, Record<string, unknown>]>([
    ["jinja2", "{% for a in range(10000) %}{% for b in range(10000) %}{{ b }}{% endfor %}{% endfor %}", {}],
    ["jinja2", "{% for a in range(1000000000) %}x{% endfor %}", {}],
    ["jinja2", `{% set x = "aaaaaaaaaaaaaaaa" %}${"{% set x = x ~ x %}".repeat(60)}{{ x }}`, {}],
    ["jinja2", `${LONG_TEXT}{{ x | replace("a", x) }}`, {}],
    ["jinja2", `${LONG_TEXT}{{ range(9000) | join(x) }}`, {}],
    ["jinja2", `${LONG_TEXT}{{ x.replace("a", x) }}`, {}],
    ["jinja2", '{{ "a\\nb" | indent(100000000) }}', {}],
    ["jinja2", `${LONG_TEXT}${"{% set x = [x, x, x, x, x, x, x, x, x, x] %}".repeat(9)}{{ x | tojson }}`, {}],
    ["mustache", "{{#a}}{{#a}}{{#a}}{{#a}}x{{/a}}{{/a}}{{/a}}{{/a}}", { a: Array.from({ length: 200 }, () => 1) }],
    ["handlebars", "{{#each a}}{{#each ../a}}{{#each ../../a}}x{{/each}}{{/each}}{{/each}}", { a: Array(200).fill(1) }],
  ])("stops %s that would run indefinitely, at %#", (syntax, text, variables) => {
    expect(rendered(syntax, text, variables)).toBe("too_complex");
  });

  it("bounds the text and the steps", () => {
    const long = "x".repeat(MAX_RENDERED_CHARACTERS);

    expect(rendered("f-string", "{a}", { a: long })).toEqual([long]);
    expect(rendered("f-string", "{a}!", { a: long })).toBe("too_complex");
    const steps = (count: number) => rendered("handlebars", "{{#each a}}x{{/each}}", { a: Array(count).fill(0) });
    expect(steps(MAX_RENDER_STEPS - 1)).toEqual(["x".repeat(MAX_RENDER_STEPS - 1)]);
    expect(steps(MAX_RENDER_STEPS)).toBe("too_complex");
  });
});

describe("variables of a template", () => {
  it.each<[PromptSyntax, string, string[]]>([
    ["f-string", "{a} {{b}} {a}", ["a", "a"]],
    ["mustache", "{{a.b}}{{#c}}{{d}}{{c}}{{/c}}{{^e}}{{f}}{{/e}}", ["a.b", "c?", "d", "c?", "e?", "f"]],
    [
      "jinja2",
      "{{ a.b }}{% for i in c %}{{ i.d }}{{ e }}{% endfor %}{% if f %}{{ f }}{% endif %}{{ g | default('x') }}",
      ["a.b", "c?", "c.[].d", "e", "f?", "f?", "g?"],
    ],
    ["jinja2", "{% set x = a %}{{ x }}{% macro m(y) %}{{ y }}{% endmacro %}{{ m(b) }}", ["a", "a", "b"]],
    [
      "handlebars",
      "{{a.b}}{{#each c}}{{d}}{{../e}}{{/each}}{{#if f}}{{f}}{{/if}}",
      ["a.b", "c?", "d?", "../e", "f?", "f?"],
    ],
  ])("in %s %j", (syntax, text, expected) => {
    expect(usedIn(syntax, text)).toEqual(expected);
  });
});

describe("parsing", () => {
  it.each<[PromptSyntax, string, number]>([
    ["f-string", 'x {"a": 1}', 2],
    ["f-string", "x }", 2],
    ["f-string", "{a!r}", 0],
    ["mustache", "x {{#a}}", 8],
    ["mustache", "x {{> partial}}", 2],
    ["jinja2", "x {% for a in b %}", 2],
    ["jinja2", "{{ a }} {{ a + }}", 8],
    ["jinja2", "a {% include 'x' %}", 2],
    ["handlebars", "x {{#if a}}", 2],
    ["handlebars", "x {{/if}}", 2],
    ["handlebars", "x {{#custom a}}{{/custom}}", 2],
    ["handlebars", "x {{> partial}}", 2],
    ["handlebars", "x {{helper a}}", 2],
    ["langfuse", "x @@@langfusePrompt:name=a|version=1@@@", 2],
    ["dollar", "costs 5$", 7],
  ])("refuses %s %j at its place", (syntax, text, offset) => {
    expect(problemIn(syntax, text)).toMatchObject({ offset, message: expect.any(String) });
  });

  it.each<[PromptSyntax, (depth: number) => string]>([
    ["mustache", (depth) => "{{#a}}".repeat(depth) + "{{/a}}".repeat(depth)],
    ["handlebars", (depth) => "{{#if a}}".repeat(depth) + "{{/if}}".repeat(depth)],
  ])("refuses %s that nests deeper than can be rendered", (syntax, nested) => {
    expect(problemIn(syntax, nested(MAX_TEMPLATE_DEPTH))).toBeUndefined();
    expect(problemIn(syntax, nested(MAX_TEMPLATE_DEPTH + 1))).toMatchObject({ isTooComplex: true });
    expect(problemIn(syntax, nested(10_000))).toMatchObject({ isTooComplex: true });
  });

  it.each([
    ["blocks", "{% if a %}".repeat(10_000) + "{% endif %}".repeat(10_000)],
    ["brackets", `{{ ${"(".repeat(10_000)}a${")".repeat(10_000)} }}`],
    ["negations", `{% if ${"not ".repeat(10_000)}a %}{% endif %}`],
    ["filters", `{{ a${"|upper".repeat(10_000)} }}`],
    ["operators", `{{ a${" or a".repeat(10_000)} }}`],
    ["comparisons of numbers", `{{ 1${" == 1".repeat(10_000)} }}`],
    ["indexes", `{{ a${"[0]".repeat(10_000)} }}`],
    ["tests", `{{ a${" is defined".repeat(10_000)} }}`],
    ["branches", `{% if a %}${"{% elif a %}".repeat(10_000)}{% endif %}`],
    ["calls", `{{ a${"()".repeat(10_000)} }}`],
    ["blocks after texts that look like their ends", `${'{{ "}}{%endif%}" }}{%if a%}'.repeat(4_000)}`],
  ])("refuses Jinja with %s nested ten thousand deep", (_, text) => {
    expect(problemIn("jinja2", text)).toMatchObject({ isTooComplex: true });
  });

  it.each<[PromptSyntax, string, string]>([
    ["mustache", "sections after comments that look like their ends", "{{!{{/}}{{#a}}".repeat(10_000)],
    ["mustache", "sections around values that look like their ends", "{{#a}}{{ {x}} {{/a}} }}}".repeat(5_000)],
    ["mustache", "spaces in a tag", `{{a${" ".repeat(200_000)}x}}`],
    ["mustache", "long paths of nested sections", `{{#${"a.".repeat(400)}a}}{{/${"a.".repeat(400)}a}}`],
    ["mustache", "uses in nested sections", "{{#a}}".repeat(100) + "{{b}}".repeat(40_000) + "{{/a}}".repeat(100)],
    [
      "handlebars",
      "uses in blocks of long paths",
      `{{#with ${"a.".repeat(400)}a}}`.repeat(90) + "{{x}}".repeat(30_000) + "{{/with}}".repeat(90),
    ],
  ])("refuses %s with too many %s", (syntax, _, text) => {
    expect(problemIn(syntax, text)).toMatchObject({ isTooComplex: true });
  });

  it("replaces in a text that was used many times", () => {
    const text = "{% for i in range(4000) %}{% set x = a %}{% endfor %}{{ a | replace('y', 'z') }}";

    expect(rendered("jinja2", text, { a: "y" })).toEqual(["z"]);
  });

  it("counts no assignment of Jinja as a block", () => {
    expect(rendered("jinja2", `${"{% set x = a %}".repeat(1_000)}{{ x }}`, { a: "y" })).toEqual(["y"]);
  });

  it("renders what nests as deep as a template may", () => {
    expect(rendered("jinja2", `{{ a${" or a".repeat(450)} }}`, { a: "x" })).toEqual(["x"]);
  });

  it("keeps the root among the meanings of a name in nested sections", () => {
    const parsed = TEMPLATE_PARSERS.mustache(`${"{{#a}}".repeat(6)}{{root}}${"{{/a}}".repeat(6)}`);

    const use = parsed.ok ? parsed.value.uses.find(({ name }) => name === "root") : undefined;

    expect(use?.candidates).toContainEqual(["root"]);
  });
});
