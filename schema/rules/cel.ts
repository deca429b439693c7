/** CEL (Common Expression Language): compiled once, evaluated within a work budget, without code generation. */

import { celEnv, isCelError, isCelList, isCelMap, isCelUint, parse, plan } from "@bufbuild/cel";
import { compilePattern } from "../json/validate/patterns.ts";
import { ok, type Result, refuse } from "../result.ts";

/** In UTF-16 code units. */
export const MAX_EXPRESSION_CHARACTERS = 2_048;
/** Macros such as `all` and `exists` iterate over a list, and nesting multiplies the work. */
export const MAX_COMPREHENSION_DEPTH = 2;

/** Evaluations and visited elements for all rules of one comparison: some seconds on a slow core. */
export const MAX_CEL_STEPS = 500_000;

/** Remaining steps, shared by evaluations that belong together. */
export type CelBudget = { remaining: number };
export type CelProgram = (variables: Readonly<Record<string, unknown>>) => CelOutcome;
type CelOutcome = Result<unknown, string>;
type CelCompiled = Result<{ evaluate: CelProgram }, string>;

/** State transitions per pattern match. The engine is linear-time, so a pattern cannot block an isolate. */
const PATTERN_WORK = 10_000_000;

const ENVIRONMENT = celEnv({
  re2: {
    compile(source) {
      const compiled = compilePattern(source);
      if (!compiled.ok) throw new Error(compiled.refusal.message);
      return {
        test(text) {
          const matched = compiled.value.matches(text, { remaining: PATTERN_WORK });
          if (matched === undefined) throw new Error("The pattern needs too much work on this text.");
          return matched;
        },
      };
    },
  },
});

/** Parses and plans an expression, or returns its error with the position. */
export function compileCel(expression: string): CelCompiled {
  if (expression.length > MAX_EXPRESSION_CHARACTERS) {
    return refuse(
      `An expression has at most ${MAX_EXPRESSION_CHARACTERS} characters, this one has ${expression.length}.`,
    );
  }
  try {
    const parsed = parse(expression);
    const depth = comprehensionDepth(parsed.expr, 0);
    if (depth > MAX_COMPREHENSION_DEPTH) {
      return refuse(`At most ${MAX_COMPREHENSION_DEPTH} macros may nest, here are ${depth}.`);
    }
    const program = plan(ENVIRONMENT, parsed);
    return ok({
      evaluate(variables) {
        try {
          const value = program(variables as never);
          return isCelError(value) ? refuse(value.message) : ok(value);
        } catch (error) {
          return refuse(describeError(error));
        }
      },
    });
  } catch (error) {
    return refuse(describeError(error));
  }
}

/** A JSON value for expressions. Iterating over its lists and maps spends steps, so an expression cannot block an isolate. */
export function celValue(value: unknown, budget: CelBudget): unknown {
  if (Array.isArray(value)) return new CountedList(value, budget);
  if (typeof value === "object" && value !== null) return new CountedMap(value as Record<string, unknown>, budget);
  return value;
}

/** An expression's result as JSON: integers as numbers, plain lists and maps. */
export function celPlainValue(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof CountedList) return value.items;
  if (value instanceof CountedMap) return value.members;
  if (isCelList(value)) return [...value].map(celPlainValue);
  if (isCelMap(value)) {
    return Object.fromEntries([...value].map(([key, item]) => [String(celPlainValue(key)), celPlainValue(item)]));
  }
  return isCelUint(value) ? Number(value.value) : value;
}

/** Spends one step or throws; a program returns the thrown error as its outcome. */
function spend(budget: CelBudget): void {
  if (budget.remaining <= 0) throw new Error(`The rules need more than ${MAX_CEL_STEPS} steps on these schemas.`);
  budget.remaining -= 1;
}

/** The symbols by which the evaluator recognises lists and maps. */
const LIST = Symbol.for("@bufbuild/cel/list");
const MAP = Symbol.for("@bufbuild/cel/map");

class CountedList {
  readonly [LIST] = {};

  readonly items: readonly unknown[];
  readonly budget: CelBudget;

  constructor(items: readonly unknown[], budget: CelBudget) {
    this.items = items;
    this.budget = budget;
  }

  get size(): number {
    return this.items.length;
  }

  get(index: number | bigint): unknown {
    spend(this.budget);
    const item = this.items[Number(index)];
    return item === undefined ? undefined : celValue(item, this.budget);
  }

  *values(): Generator<unknown> {
    for (const item of this.items) {
      spend(this.budget);
      yield celValue(item, this.budget);
    }
  }

  [Symbol.iterator](): Generator<unknown> {
    return this.values();
  }
}

class CountedMap {
  readonly [MAP] = {};
  readonly #keys: readonly string[];

  readonly members: Readonly<Record<string, unknown>>;
  readonly budget: CelBudget;

  constructor(members: Readonly<Record<string, unknown>>, budget: CelBudget) {
    this.members = members;
    this.budget = budget;
    this.#keys = Object.keys(members);
  }

  get size(): number {
    return this.#keys.length;
  }

  get(key: unknown): unknown {
    spend(this.budget);
    return typeof key === "string" && Object.hasOwn(this.members, key)
      ? celValue(this.members[key], this.budget)
      : undefined;
  }

  has(key: unknown): boolean {
    return this.get(key) !== undefined;
  }

  forEach(callback: (value: unknown, key: string, map: CountedMap) => void): void {
    for (const [key, value] of this.entries()) callback(value, key, this);
  }

  *keys(): Generator<string> {
    for (const key of this.#keys) {
      spend(this.budget);
      yield key;
    }
  }

  *values(): Generator<unknown> {
    for (const [, value] of this.entries()) yield value;
  }

  *entries(): Generator<[string, unknown]> {
    for (const key of this.keys()) yield [key, celValue(this.members[key], this.budget)];
  }

  [Symbol.iterator](): Generator<[string, unknown]> {
    return this.entries();
  }
}

/** Nesting depth of comprehensions: the parser has expanded macros, so each is a `comprehensionExpr` node. */
function comprehensionDepth(node: unknown, around: number): number {
  if (typeof node !== "object" || node === null) return around;
  const isComprehension = (node as { case?: unknown }).case === "comprehensionExpr";
  const own = isComprehension ? around + 1 : around;
  return Object.values(node).reduce<number>((deepest, child) => Math.max(deepest, comprehensionDepth(child, own)), own);
}

function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
