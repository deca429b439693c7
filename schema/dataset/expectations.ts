/** Checks rows against a data set's expectations, one after the other and in bounded memory. */
import { compilePattern } from "../json/validate/patterns.ts";
import { type CelProgram, celValue, compileCel } from "../rules/cel.ts";
import type { Expectation } from "./model.ts";

/** Steps of CEL for all rows of one check; about five seconds. */
const MAX_CHECK_CEL_STEPS = 5_000_000;
/** Distinct values remembered for one expectation. */
export const MAX_UNIQUE_VALUES = 100_000;
/** Work of a pattern on one value. */
const PATTERN_WORK = 100_000;
/** Lines named for one expectation. */
const MAX_NAMED_LINES = 10;

export type ExpectationResult = {
  name: string;
  severity: Expectation["severity"];
  /** Null if it could not be decided: too many distinct values, or too much work. */
  met: boolean | null;
  /** Rows to which `when` applies. */
  rows: number;
  failed: number;
  /** The first lines that fail. */
  lines: readonly number[];
  message: string;
};

export class ExpectationCheck {
  readonly #checks: readonly OneExpectation[];
  readonly #budget = { remaining: MAX_CHECK_CEL_STEPS };

  constructor(expectations: readonly Expectation[]) {
    this.#checks = expectations.map((expectation) => new OneExpectation(expectation));
  }

  add(row: unknown, line: number): void {
    for (const check of this.#checks) check.add(row, line, this.#budget);
  }

  results(): ExpectationResult[] {
    return this.#checks.map((check) => check.result());
  }
}

class OneExpectation {
  readonly #expectation: Expectation;
  readonly #when: CelProgram | undefined;
  readonly #expression: CelProgram | undefined;
  readonly #pattern: ReturnType<typeof compilePattern> | undefined;
  readonly #seen = new Set<string>();
  readonly #lines: number[] = [];
  #rows = 0;
  #failed = 0;
  #nulls = 0;
  #isUndecided = false;

  constructor(expectation: Expectation) {
    this.#expectation = expectation;
    const { when, expression, pattern } = expectation;
    this.#when = programOf(when);
    this.#expression = programOf(expression);
    this.#pattern = pattern === undefined ? undefined : compilePattern(pattern);
  }

  add(row: unknown, line: number, budget: { remaining: number }): void {
    if (this.#isUndecided) return;
    if (this.#when && this.#evaluate(this.#when, row, budget) !== true) return;
    this.#rows += 1;
    const isBad = this.#expression
      ? this.#evaluate(this.#expression, row, budget) !== true
      : this.#isBadValue(columnOf(row, this.#expectation.column!));
    if (!isBad || this.#isUndecided) return;
    this.#failed += 1;
    if (this.#lines.length < MAX_NAMED_LINES) this.#lines.push(line);
  }

  #evaluate(program: CelProgram, row: unknown, budget: { remaining: number }): unknown {
    if (budget.remaining <= 0) {
      this.#isUndecided = true;
      return undefined;
    }
    const outcome = program({ row: celValue(row, budget) }, budget);
    // A row on which the expression fails, for example because a member is missing, does not meet it.
    return outcome.ok ? outcome.value : false;
  }

  #isBadValue(value: unknown): boolean {
    const { unique, minimum, maximum } = this.#expectation;
    if (value === undefined || value === null) {
      this.#nulls += 1;
      return false;
    }
    if (unique && this.#isRepeated(value)) return true;
    if (minimum !== undefined && !(Number(value) >= minimum)) return true;
    if (maximum !== undefined && !(Number(value) <= maximum)) return true;
    return this.#isUnmatched(value);
  }

  #isUnmatched(value: unknown): boolean {
    if (this.#pattern === undefined) return false;
    if (typeof value !== "string" || !this.#pattern.ok) return true;
    const matched = this.#pattern.value.matches(value, { remaining: PATTERN_WORK });
    if (matched === undefined) this.#isUndecided = true;
    return matched === false;
  }

  #isRepeated(value: unknown): boolean {
    const text = comparableText(value);
    if (this.#seen.has(text)) return true;
    if (this.#seen.size >= MAX_UNIQUE_VALUES) this.#isUndecided = true;
    else this.#seen.add(text);
    return false;
  }

  result(): ExpectationResult {
    const { name, severity, column, max_null_rate: maxNullRate } = this.#expectation;
    const nullRate = this.#rows === 0 ? 0 : this.#nulls / this.#rows;
    const hasTooManyNulls = maxNullRate !== undefined && nullRate > maxNullRate;
    const shared = { name, severity, rows: this.#rows, failed: this.#failed, lines: this.#lines };
    if (this.#isUndecided) {
      return {
        ...shared,
        met: null,
        message: "It could not be decided: there are too many values, or it takes too much work.",
      };
    }
    const met = this.#failed === 0 && !hasTooManyNulls;
    if (met) return { ...shared, met, message: `All ${this.#rows} rows meet it.` };
    const rows = this.#failed > 0 ? `${this.#failed} of ${this.#rows} rows do not meet it.` : "";
    const nulls = hasTooManyNulls
      ? `"${column}" is null in ${this.#nulls} of ${this.#rows} rows, more than ${maxNullRate} of them.`
      : "";
    return { ...shared, met, message: [rows, nulls].filter((text) => text !== "").join(" ") };
  }
}

function programOf(expression: string | undefined): CelProgram | undefined {
  const compiled = expression === undefined ? undefined : compileCel(expression);
  return compiled?.ok ? compiled.value.evaluate : undefined;
}

function columnOf(row: unknown, column: string): unknown {
  if (typeof row !== "object" || row === null || !Object.hasOwn(row, column)) return undefined;
  return (row as Record<string, unknown>)[column];
}

/** Equal for equal values, whatever the order of their members. */
function comparableText(value: unknown): string {
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return `[${value.map(comparableText).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}:${comparableText(member)}`);
  return `{${members.sort().join(",")}}`;
}
