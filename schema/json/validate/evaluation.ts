/** One run of the validator: its results, its current location, and its remaining budget. */
import { describeValue } from "../../described-value.ts";
import { pointerToken } from "../../json-text.ts";
import type { DynamicScope, SchemaLocation } from "../model.ts";
import type { PatternBudget } from "./patterns.ts";

/** Nesting of evaluated schemas, by structure and by reference. A stack of 1 MB allows twice as many. */
export const MAX_EVALUATION_DEPTH = 800;
/**
 * Schemas evaluated against values in one validation: about a tenth of a second, during which the isolate serves no other
 * request.
 */
export const MAX_EVALUATIONS = 500_000;
/** Pattern states advanced in one validation: about as long. */
export const MAX_PATTERN_STEPS = 5_000_000;
/** Both budgets correspond to about the same time. */
const PATTERN_STATES_PER_STEP = MAX_PATTERN_STEPS / MAX_EVALUATIONS;
/** Levels of arrays and objects in a value, as in a schema's text. */
export const MAX_INSTANCE_DEPTH = 512;
/** Errors reported for one value. */
export const MAX_INSTANCE_ERRORS = 100;

export type InstanceError = {
  /** JSON pointer into the value. */
  pointer: string;
  keyword: string;
  /** JSON pointer to the keyword in the schema; prefixed with `name#` if it is in a reference. */
  schema_pointer: string;
  message: string;
  expected: string;
  got: string;
};

/** Thrown if a validation cannot continue, and caught where it started. */
export class EvaluationStopped extends Error {
  readonly reason: "too_complex" | "unsupported_pattern" | "unresolved_reference";
  readonly location: SchemaLocation | undefined;
  /** The keyword and the value that it applied to, if it depends on one. */
  readonly at: { keyword: string; path: Path } | undefined;

  constructor(
    reason: "too_complex" | "unsupported_pattern" | "unresolved_reference",
    message: string,
    location: SchemaLocation | undefined,
    at?: { keyword: string; path: Path },
  ) {
    super(message);
    this.reason = reason;
    this.location = location;
    this.at = at;
  }

  /** JSON pointer into the value. */
  get pointer(): string {
    return pathPointer(this.at?.path ?? null);
  }

  get schemaPointer(): string {
    if (this.location === undefined) return "";
    return schemaPointer(this.location, ...(this.at === undefined ? [] : [this.at.keyword]));
  }
}

/** The location of a value as a linked list from the inside out, because most paths are never printed. */
export type Path = { parent: Path; token: string | number } | null;

function pathPointer(path: Path): string {
  const tokens: string[] = [];
  for (let at = path; at !== null; at = at.parent) tokens.push(`/${pointerToken(at.token)}`);
  return tokens.reverse().join("");
}

export function schemaPointer({ resource, pointer }: SchemaLocation, ...tokens: string[]): string {
  const full = [pointer, ...tokens.map(pointerToken)].join("/");
  return resource.document.name === null ? full : `${resource.document.name}#${full}`;
}

/** What the schemas evaluated so far have evaluated of a value's members and items, for `unevaluated…`. */
export class Evaluated {
  allProperties = false;
  readonly properties = new Set<string>();
  allItems = false;
  /** Items before this index are evaluated. */
  itemCount = 0;
  readonly items = new Set<number>();

  merge(other: Evaluated): void {
    if (other.allProperties) this.allProperties = true;
    for (const name of other.properties) this.properties.add(name);
    if (other.allItems) this.allItems = true;
    this.itemCount = Math.max(this.itemCount, other.itemCount);
    for (const index of other.items) this.items.add(index);
  }
}

/** Replaces the keyword if the schema itself is `false`. */
export const FALSE_SCHEMA = "false schema";

/** An error before its message is built, because most belong to alternatives that are never reported. */
export type Failure = { location: SchemaLocation; keyword: string; path: Path; value: unknown; expected: string };

export class Evaluation {
  failures: Failure[] = [];
  scope: DynamicScope = [];
  readonly patternBudget: PatternBudget = { remaining: MAX_PATTERN_STEPS };
  #depth = 0;
  #left = MAX_EVALUATIONS;

  readonly formats: boolean;

  constructor(formats: boolean) {
    this.formats = formats;
  }

  enter(location: SchemaLocation): void {
    this.#depth += 1;
    if (this.#depth > MAX_EVALUATION_DEPTH) {
      const message = `Schemas are evaluated more than ${MAX_EVALUATION_DEPTH} deep: a reference may be recursive without end.`;
      throw new EvaluationStopped("too_complex", message, location);
    }
    this.spend(1, location);
  }

  leave(): void {
    this.#depth -= 1;
  }

  /** The work done so far, in schemas evaluated; a pattern's state counts as a fifth of one. */
  get steps(): number {
    return MAX_EVALUATIONS - this.#left + (MAX_PATTERN_STEPS - this.patternBudget.remaining) / PATTERN_STATES_PER_STEP;
  }

  spend(steps: number, location: SchemaLocation): void {
    this.#left -= steps;
    if (this.#left < 0) {
      throw new EvaluationStopped("too_complex", `More than ${MAX_EVALUATIONS} steps are needed.`, location);
    }
  }

  /** Records a failure and returns false, so that a check can return it. */
  fail(location: SchemaLocation, keyword: string, path: Path, value: unknown, expected: string): false {
    if (this.failures.length < MAX_INSTANCE_ERRORS) this.failures.push({ location, keyword, path, value, expected });
    return false;
  }
}

/** The message of a failure. */
export function describeFailure({ location, keyword, path, value, expected }: Failure): InstanceError {
  const got = describeValue(value);
  return {
    pointer: pathPointer(path),
    keyword,
    schema_pointer: keyword === FALSE_SCHEMA ? schemaPointer(location) : schemaPointer(location, keyword),
    message: `Expected ${expected}, got ${got}.`,
    expected,
    got,
  };
}

/** Whether a plain value is what JSON calls an object. */
export function isMembers(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a plain value nests deeper than a bound. Without recursion, as the value may be arbitrarily deep. */
export function isDeeperThan(value: unknown, bound: number): boolean {
  let level: object[] = typeof value === "object" && value !== null ? [value] : [];
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > bound) return true;
    const next: object[] = [];
    for (const container of level) {
      for (const member of Object.values(container))
        if (typeof member === "object" && member !== null) next.push(member);
    }
    level = next;
  }
  return false;
}
