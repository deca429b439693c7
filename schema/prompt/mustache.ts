/** Mustache by mustache.js, without its HTML escaping, which a prompt does not want. */
import mustache from "mustache";
import { ok, refuse } from "../result.ts";
import {
  candidatesIn,
  MAX_TEMPLATE_DEPTH,
  type ParsedTemplate,
  printValue,
  RenderBudget,
  TemplateError,
  toRenderProblem,
  toTemplateProblem,
  UseList,
  type VariableUse,
} from "./template.ts";

/** mustache.js's own form: [type, value, start, end, tokens inside]. */
type Token = [type: string, value: string, start: number, end: number, inside?: Token[]];

export function parseMustache(text: string): ParsedTemplate {
  const list = new UseList();
  try {
    requireShallow(text);
    collectUses(tokensOf(text), [], list);
  } catch (error) {
    return refuse(toTemplateProblem(error));
  }
  return ok({
    uses: list.uses,
    suspicions: (declared) =>
      [...text.matchAll(/(?<!\{)\{\s*([A-Za-z_][\w.]*)\s*\}(?!\})/g)]
        .filter(([, name]) => declared.has(name!.split(".")[0]!))
        .map(({ 0: written, 1: name, index }) => ({
          rule: "variable_not_substituted",
          message: `"${written}" is text in Mustache; write {{${name}}} for the variable.`,
          offset: index,
        })),
    render(variables) {
      const budget = new RenderBudget();
      try {
        const write = (value: unknown) => {
          const written = printValue(value);
          budget.spendCharacters(written.length);
          return written;
        };
        const rendered = new BoundedWriter(budget).render(text, withoutPrototypes(variables), {}, { escape: write });
        budget.spendCharacters(rendered.length);
        return ok([rendered]);
      } catch (error) {
        return refuse(toRenderProblem(error));
      }
    },
  });
}

/** Counts the sections it renders, so that nested lists cannot make rendering unbounded. */
class BoundedWriter extends mustache.Writer {
  readonly #budget: RenderBudget;

  constructor(budget: RenderBudget) {
    super();
    this.#budget = budget;
  }

  override renderTokens(...args: Parameters<InstanceType<typeof mustache.Writer>["renderTokens"]>): string {
    for (let count = args[0].length; count >= 0; count -= 1) this.#budget.spendSteps();
    return super.renderTokens(...args);
  }
}

/** Spaces in a row inside a tag: the library's search for the end of the tag starts again at each of them. */
const TOO_MANY_SPACES = /\s{201}/;

/**
 * Refuses nesting before the library's parser, which takes quadratic time for it. Reads tags as the library does, because
 * what looks like the end of a section inside a comment is none.
 */
function requireShallow(text: string): void {
  let depth = 0;
  const opening = /\{\{\s*([#^/{=]?)/g;
  for (let opened = opening.exec(text); opened !== null; opened = opening.exec(text)) {
    const { 1: sign, index } = opened;
    if (sign === "=") throw new TemplateError("Other delimiters than {{ and }} are not supported.", index);
    const close = sign === "{" ? "}}}" : "}}";
    const end = text.indexOf(close, opening.lastIndex);
    if (end === -1) throw new TemplateError("A tag is never closed.", index);
    opening.lastIndex = end + close.length;
    if (TOO_MANY_SPACES.test(text.slice(index, end))) {
      throw new TemplateError("A tag has more than 200 spaces in a row.", index, true);
    }
    if (sign === "#" || sign === "^") depth += 1;
    if (sign === "/") depth -= 1;
    if (depth > MAX_TEMPLATE_DEPTH) {
      throw new TemplateError(`Sections are nested deeper than ${MAX_TEMPLATE_DEPTH}.`, index, true);
    }
  }
}

function tokensOf(text: string): Token[] {
  try {
    // The writer's cache would keep every template that was ever parsed.
    mustache.clearCache();
    return mustache.parse(text) as unknown as Token[];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const at = / at (\d+)$/.exec(message);
    throw new TemplateError(message.replace(/ at \d+$/, "."), at ? Number(at[1]) : 0);
  }
}

type Scope = { name: string; candidates: VariableUse["candidates"] };

function collectUses(tokens: readonly Token[], scopes: readonly Scope[], list: UseList): void {
  for (const [type, value, start, , inside] of tokens) {
    if (type === ">") {
      throw new TemplateError(`The partial "${value}" is not part of the prompt; include its text.`, start);
    }
    if (type === "name" || type === "&" || type === "{") list.add(useOf(value, scopes, start));
    if (type !== "#" && type !== "^") continue;
    const section = { ...useOf(value, scopes, start), isGuarded: true };
    list.add(section);
    // Inside an inverted section the value is missing, so names mean what they mean around it.
    const around = type === "#" ? [...scopes, section] : scopes;
    collectUses(inside ?? [], around, list);
  }
}

function useOf(name: string, scopes: readonly Scope[], offset: number): VariableUse {
  const names = name === "." ? [] : name.split(".");
  const candidates = candidatesIn(
    scopes.map((scope) => scope.candidates),
    names,
    offset,
  );
  // Inside a section a name is a member of something that is there, or what the section has tested.
  const isGuarded = name === "." || scopes.some((scope) => scope.name === name);
  return { name, candidates, offset, isGuarded };
}

/** mustache.js looks names up along prototypes, where `constructor` is a function it would call. */
function withoutPrototypes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPrototypes);
  if (typeof value !== "object" || value === null) return value;
  const plain = Object.create(null) as Record<string, unknown>;
  for (const [key, member] of Object.entries(value)) plain[key] = withoutPrototypes(member);
  return plain;
}
