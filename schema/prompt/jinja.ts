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
    const opened = OPENS.exec(tag)?.[1];
    // A set that assigns is no block.
    if (opened !== undefined && !(opened === "set" && tag.includes("="))) blocks += 1;
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

/** An item of a list takes memory of its own, as much as these characters. */
const ITEM_SIZE = 16;

/** Evaluates in steps, and measures every value with all that is inside it: one long text may stand in many lists. */
class BoundedInterpreter extends Interpreter {
  readonly #budget: RenderBudget;
  /** Lists and objects never change. */
  readonly #sizes = new WeakMap<object, number>();
  /** Methods that measure what they would give. */
  readonly #bounded = new WeakSet<object>();

  constructor(environment: Environment, budget: RenderBudget) {
    super(environment);
    this.#budget = budget;
  }

  override evaluate(...args: Parameters<Interpreter["evaluate"]>): ReturnType<Interpreter["evaluate"]> {
    this.#budget.spendSteps(EVALUATION_STEPS);
    const [node, environment] = args;
    if (node !== undefined) this.#requireShortFilter(node as unknown as JinjaNode, environment);
    const result = super.evaluate(...args);
    requireShort(this.#sizeOf(result));
    this.#boundReplace(result);
    return result;
  }

  #sizeOf({ value }: { value: unknown }): number {
    if (typeof value === "string") return value.length;
    if (!Array.isArray(value) && !(value instanceof Map)) return 1;
    const known = this.#sizes.get(value);
    if (known !== undefined) return known;
    let size = 1;
    for (const item of value.values()) size += ITEM_SIZE + this.#sizeOf(item as { value: unknown });
    this.#sizes.set(value, size);
    return size;
  }

  /** The library writes the whole result of these filters before anything can measure it. */
  #requireShortFilter(node: JinjaNode, environment: Environment): void {
    const filter = node.type === "FilterExpression" ? (node.filter as JinjaNode) : undefined;
    const name = filter?.type === "CallExpression" ? (filter.callee as JinjaNode).value : undefined;
    if (name !== "indent" && name !== "join") return;
    const evaluated = (each: unknown) => (this.evaluate(each as Evaluated, environment) as { value: unknown }).value;
    const operand = evaluated(node.operand);
    const places =
      typeof operand === "string" ? operand.split("\n").length : Array.isArray(operand) ? operand.length : 0;
    for (const argument of filter!.args as JinjaNode[]) {
      const each = evaluated(argument.type === "KeywordArgumentExpression" ? argument.value : argument);
      const characters = typeof each === "string" ? each.length : typeof each === "number" ? each : 0;
      requireShort(places * characters);
    }
  }

  /** The same for the method `replace` of a text, which the filter calls, too. */
  #boundReplace(result: unknown): void {
    const { value: text, builtins } = result as { value: unknown; builtins: ReadonlyMap<string, { value: unknown }> };
    if (typeof text !== "string") return;
    const method = builtins.get("replace")!;
    if (this.#bounded.has(method)) return;
    this.#bounded.add(method);
    const replace = method.value as StringMethod;
    method.value = ((...args) => {
      const [from, to] = args[0].map(({ value }) => (typeof value === "string" ? value.length : 0));
      // As if every place matched.
      requireShort(Math.floor(text.length / Math.max(1, from ?? 0)) * (to ?? 0));
      return replace(...args);
    }) satisfies StringMethod;
  }
}

type Evaluated = Parameters<Interpreter["evaluate"]>[0];
type StringMethod = (...args: [{ value: unknown }[], ...unknown[]]) => unknown;

function requireShort(characters: number): void {
  if (characters <= MAX_RENDERED_CHARACTERS) return;
  throw new TemplateError(`A value has more than ${MAX_RENDERED_CHARACTERS} characters.`, 0, true);
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
