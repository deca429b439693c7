/**
 * Jinja2 by @huggingface/jinja, which interprets and never compiles. It has no limits of its own, so every evaluation is
 * counted and its result measured. What it does not support is refused when the prompt is registered.
 */
import { Environment, Interpreter, Template as JinjaTemplate } from "@huggingface/jinja";
import { ok, refuse } from "../result.ts";
import { collectJinjaUses, type JinjaNode } from "./jinja-uses.ts";
import { templateTags } from "./tags.ts";
import {
  MAX_RENDERED_CHARACTERS,
  type ParsedTemplate,
  RenderBudget,
  TemplateError,
  toRenderProblem,
  toTemplateProblem,
} from "./template.ts";

/** Blocks and brackets open at one place; the library's parser recurses for each. */
const MAX_OPEN = 200;

export function parseJinja(text: string): ParsedTemplate {
  try {
    requireShallow(text);
    const program = parseProgram(text);
    const uses = collectJinjaUses(program as unknown as JinjaNode, text);
    return ok({
      uses,
      suspicions: () => [],
      render(variables) {
        try {
          return ok([renderProgram(program, variables)]);
        } catch (error) {
          return refuse(toRenderProblem(error));
        }
      },
    });
  } catch (error) {
    return refuse(toTemplateProblem(error));
  }
}

type Program = JinjaTemplate["parsed"];

function parseProgram(text: string): Program {
  try {
    return new JinjaTemplate(text).parsed;
  } catch (error) {
    if (error instanceof RangeError) {
      throw new TemplateError("Jinja: The template nests deeper than can be read.", placeOfError(text), true);
    }
    const message = error instanceof Error ? error.message : String(error);
    // The library reads past the end of a template whose block is never closed.
    const reason = error instanceof TypeError ? "A block is never closed." : message;
    throw new TemplateError(`Jinja: ${reason}`, placeOfError(text));
  }
}

const DELIMITERS = [
  ["{{", "}}"],
  ["{%", "%}"],
  ["{#", "#}"],
] as const;
const OPENS = /^\{%-?\s*(if|for|macro|call|filter|set)\b/;
const CLOSES = /^\{%-?\s*end(if|for|macro|call|filter|set)\b/;

/** Tags examined to find the place of an error. */
const MAX_TAGS_LOOKED_AT = 1_000;

/** The first tag that cannot be read by itself, else the innermost block that is never closed: the library names none. */
function placeOfError(text: string): number {
  const open: { name: string; offset: number }[] = [];
  let looked = 0;
  for (const { text: tag, offset: index } of templateTags(text, DELIMITERS)) {
    const opened = OPENS.exec(tag)?.[1];
    const closed = CLOSES.exec(tag)?.[1];
    if (tag.startsWith("{{") && !isReadable(tag)) return index;
    if (closed !== undefined && open.pop()?.name !== closed) return index;
    if (opened !== undefined && !(opened === "set" && tag.includes("="))) open.push({ name: opened, offset: index });
    if (opened === "if" && !isReadable(`${tag}{% endif %}`)) return index;
    if (tag.startsWith("{%") && opened === undefined && closed === undefined && !/^\{%-?\s*(?:else|elif)\b/.test(tag)) {
      if (!isReadable(tag)) return index;
    }
    // Every tag is parsed again to find the one that fails, so only the first ones are.
    looked += 1;
    if (looked === MAX_TAGS_LOOKED_AT) break;
  }
  return open.at(-1)?.offset ?? 0;
}

function isReadable(text: string): boolean {
  try {
    return new JinjaTemplate(text).parsed !== undefined;
  } catch {
    return false;
  }
}

/** Refuses nesting before the library recurses into it. */
function requireShallow(text: string): void {
  let open = 0;
  let blocks = 0;
  for (const { text: tag, offset: index } of templateTags(text, DELIMITERS)) {
    if (OPENS.test(tag)) blocks += 1;
    if (CLOSES.test(tag)) blocks -= 1;
    open = 0;
    let deepest = 0;
    for (const character of tag) {
      if ("([{".includes(character)) open += 1;
      else if (")]}".includes(character)) open -= 1;
      deepest = Math.max(deepest, open);
    }
    // Unary and filter chains recurse as brackets do.
    const chain = Math.max(deepest, (tag.match(/\bnot\b|\||~|\bif\b|[-+*/.]/g) ?? []).length / 4);
    if (chain + blocks > MAX_OPEN) throw new TemplateError(`The template nests deeper than ${MAX_OPEN}.`, index, true);
  }
}

/** An evaluation creates scopes and wrapped values, and so takes as long as ten steps of other engines. */
const EVALUATION_STEPS = 10;

class BoundedInterpreter extends Interpreter {
  readonly #budget: RenderBudget;

  constructor(environment: Environment, budget: RenderBudget) {
    super(environment);
    this.#budget = budget;
  }

  override evaluate(...args: Parameters<Interpreter["evaluate"]>): ReturnType<Interpreter["evaluate"]> {
    this.#budget.spendSteps(EVALUATION_STEPS);
    const result = super.evaluate(...args);
    const { value } = result as { value: unknown };
    if ((typeof value === "string" || Array.isArray(value)) && value.length > MAX_RENDERED_CHARACTERS) {
      throw new TemplateError(`A value has more than ${MAX_RENDERED_CHARACTERS} characters.`, 0, true);
    }
    return result;
  }
}

/** Numbers of one `range`; every one of them is a step of rendering. */
const MAX_RANGE = 10_000;

function renderProgram(program: Program, variables: Readonly<Record<string, unknown>>): string {
  const environment = new Environment();
  for (const [name, value] of Object.entries({ true: true, True: true, false: false, False: false })) {
    environment.set(name, value);
  }
  for (const name of ["none", "None"]) environment.set(name, null);
  environment.set("range", boundedRange);
  environment.set("raise_exception", (message: string) => {
    throw new Error(message);
  });
  for (const [name, value] of Object.entries(variables)) {
    if (!environment.variables.has(name)) environment.set(name, value);
  }
  const budget = new RenderBudget();
  const rendered = (new BoundedInterpreter(environment, budget).run(program) as { value: string }).value;
  budget.spendCharacters(rendered.length);
  return rendered;
}

function boundedRange(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  if (!Number.isInteger(step) || step === 0) throw new Error("The step of range must be an integer other than 0.");
  const count = Math.max(0, Math.ceil((to - from) / step));
  if (!(count <= MAX_RANGE)) throw new TemplateError(`range gives at most ${MAX_RANGE} numbers.`, 0, true);
  return Array.from({ length: count }, (_, index) => from + index * step);
}
