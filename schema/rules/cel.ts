/** CEL (Common Expression Language): compiled once, evaluated within a work budget, without code generation. */

import {
  type CelEnv,
  type CelFunc,
  celEnv,
  isCelError,
  isCelList,
  isCelMap,
  isCelUint,
  parse,
  plan,
} from "@bufbuild/cel";
import { type CompiledPattern, compilePattern } from "../json/validate/patterns.ts";
import { ok, type Result, refuse } from "../result.ts";

/** In UTF-16 code units. */
export const MAX_EXPRESSION_CHARACTERS = 2_048;
/** Macros such as `all` and `exists` iterate over a list, and nesting multiplies the work. */
export const MAX_COMPREHENSION_DEPTH = 2;

/** Evaluations and visited elements for all rules of one comparison: half a second on a slow core. */
export const MAX_CEL_STEPS = 500_000;
/** The same for one evaluation, which cannot pause. */
export const MAX_EVALUATION_STEPS = 200_000;
/** Steps to begin an iteration: a nested macro begins one for every element of the outer list. */
const ITERATION_STEPS = 3;
/** Elements of an expression's own lists that are examined in the time of one step, as by `in`. */
const LITERALS_PER_STEP = 8;
/** Pattern states advanced in the time of one step. */
const PATTERN_STATES_PER_STEP = 4;
/** Compiled expressions and patterns that are cached: one pattern may be matched on every element of a list. */
const MAX_KEPT_COMPILED = 100;

/** Remaining steps, shared by evaluations that belong together. */
export type CelBudget = {
  remaining: number;
  /** The cost of visiting an element in the current expression. */
  stepCost?: number;
  /** What must remain after the current evaluation. */
  floor?: number;
};
export type CelProgram = (variables: Readonly<Record<string, unknown>>, budget: CelBudget) => CelOutcome;
type CelOutcome = Result<unknown, string>;
type CelCompiled = Result<{ evaluate: CelProgram }, string>;

/** The meter of the current evaluation, because the environment's functions do not know their caller. */
let currentBudget: CelBudget = { remaining: 0 };

const compiledPatterns = new Map<string, CompiledPattern>();

function compiledPattern(source: string): CompiledPattern {
  const known = compiledPatterns.get(source);
  if (known !== undefined) return known;
  spend(currentBudget, 1 + source.length);
  const compiled = compilePattern(source);
  if (compiledPatterns.size >= MAX_KEPT_COMPILED) compiledPatterns.clear();
  compiledPatterns.set(source, compiled);
  return compiled;
}

const LINEAR_PATTERNS = {
  compile(source: string) {
    const compiled = compiledPattern(source);
    if (!compiled.ok) throw new Error(compiled.refusal.message);
    return {
      test(text: string) {
        const granted = Math.max(0, currentBudget.remaining) * PATTERN_STATES_PER_STEP;
        const work = { remaining: granted };
        const matched = compiled.value.matches(text, work);
        spend(currentBudget, Math.ceil((granted - work.remaining) / PATTERN_STATES_PER_STEP));
        if (matched === undefined) throw new Error("The pattern needs too much work on this text.");
        return matched;
      },
    };
  },
};

/** An environment of expressions: the standard functions and some of the caller's own. */
export function celEnvironment(funcs: CelFunc[] = []): CelEnv {
  return celEnv({ funcs, re2: LINEAR_PATTERNS });
}

const ENVIRONMENT = celEnvironment();

const compiledExpressions = new Map<string, CelCompiled>();

/**
 * Parses and plans an expression, or returns its error with the position. Cached, because a field rule compiles it for
 * every field.
 */
export function compileCel(expression: string): CelCompiled {
  const known = compiledExpressions.get(expression);
  if (known !== undefined) return known;
  const compiled = compileCelIn(ENVIRONMENT, expression);
  if (compiledExpressions.size >= MAX_KEPT_COMPILED) compiledExpressions.clear();
  compiledExpressions.set(expression, compiled);
  return compiled;
}

/** The same with the functions of an environment, and not cached. */
export function compileCelIn(environment: CelEnv, expression: string): CelCompiled {
  if (expression.length > MAX_EXPRESSION_CHARACTERS) {
    return refuse(
      `An expression may have at most ${MAX_EXPRESSION_CHARACTERS} characters, this one has ${expression.length}.`,
    );
  }
  try {
    const parsed = parse(expression);
    const depth = comprehensionDepth(parsed.expr, 0);
    if (depth > MAX_COMPREHENSION_DEPTH) {
      return refuse(`Macros may nest at most ${MAX_COMPREHENSION_DEPTH} levels deep, these nest ${depth}.`);
    }
    const program = plan(environment, parsed);
    const literals = countLiterals(parsed.expr);
    // Macros may iterate over lists that the expression itself contains; those are not counted during the iteration.
    const stepCost = 1 + Math.floor(depth > 1 ? literals : literals / LITERALS_PER_STEP);
    const evaluationCost = stepCost + (depth === 0 ? 0 : literals ** depth);
    return ok({
      evaluate(variables, budget) {
        currentBudget = budget;
        budget.stepCost = stepCost;
        budget.floor = Math.max(0, budget.remaining - MAX_EVALUATION_STEPS);
        try {
          spend(budget, evaluationCost);
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

/** Spends steps or throws; a program returns the thrown error as its outcome. */
function spend(budget: CelBudget, steps: number): void {
  budget.remaining -= steps;
  if (budget.remaining < 0) throw new Error(`It needs more than ${MAX_CEL_STEPS} steps together with the other rules.`);
  if (budget.remaining < (budget.floor ?? 0)) throw new Error(`It needs more than ${MAX_EVALUATION_STEPS} steps.`);
}

/** Visits one element. */
function visit(budget: CelBudget): void {
  spend(budget, budget.stepCost ?? 1);
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
    visit(this.budget);
    const item = this.items[Number(index)];
    return item === undefined ? undefined : celValue(item, this.budget);
  }

  *values(): Generator<unknown> {
    spend(this.budget, ITERATION_STEPS);
    for (const item of this.items) {
      visit(this.budget);
      yield celValue(item, this.budget);
    }
  }

  [Symbol.iterator](): Generator<unknown> {
    return this.values();
  }
}

const knownKeys = new WeakMap<Readonly<Record<string, unknown>>, readonly string[]>();

/** Expressions often read members of a large map one by one, so its keys are listed lazily, and once. */
function keysOf(members: Readonly<Record<string, unknown>>): readonly string[] {
  const known = knownKeys.get(members) ?? Object.keys(members);
  knownKeys.set(members, known);
  return known;
}

class CountedMap {
  readonly [MAP] = {};

  readonly members: Readonly<Record<string, unknown>>;
  readonly budget: CelBudget;

  constructor(members: Readonly<Record<string, unknown>>, budget: CelBudget) {
    this.members = members;
    this.budget = budget;
  }

  get size(): number {
    return keysOf(this.members).length;
  }

  get(key: unknown): unknown {
    visit(this.budget);
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
    spend(this.budget, ITERATION_STEPS);
    for (const key of keysOf(this.members)) {
      visit(this.budget);
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

/** Elements and entries of the lists and maps that an expression contains. */
function countLiterals(node: unknown): number {
  if (typeof node !== "object" || node === null) return 0;
  const { $typeName: name } = node as { $typeName?: unknown };
  const own =
    name === "cel.expr.Expr.CreateList"
      ? (node as { elements: unknown[] }).elements.length
      : name === "cel.expr.Expr.CreateStruct"
        ? (node as { entries: unknown[] }).entries.length
        : 0;
  return Object.values(node).reduce<number>((sum, child) => sum + countLiterals(child), own);
}

function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
