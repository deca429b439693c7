/** JSONata within a work budget: without the runtime's regular expressions, oversized results or unbounded recursion. */

import jsonata from "jsonata";
import { plainEqualityKey } from "../json/validate/equality.ts";
import { ok, type Result, refuse } from "../result.ts";

export const MAX_JSONATA_CHARACTERS = 8_192;
/** Evaluations per expression, including nested ones: some hundred milliseconds on a slow core. */
export const MAX_JSONATA_STEPS = 100_000;
/** Nested evaluations: each uses a frame of the runtime's stack. */
export const MAX_JSONATA_DEPTH = 500;
/** Characters per text and items per list that an expression may create. */
export const MAX_JSONATA_RESULT = 1_048_576;

type JsonataOutcome = Result<unknown, string>;

/** The hooks through which the evaluator announces each evaluation. */
const ENTRY = Symbol.for("jsonata.__evaluate_entry");
const EXIT = Symbol.for("jsonata.__evaluate_exit");

/** The runtime's engine may take exponential time on a pattern. */
class RefusedPattern {
  constructor() {
    throw new Error("Regular expressions are not available in rules: use $contains, $split or $substring with a text.");
  }
}

export async function evaluateJsonata(expression: string, input: unknown): Promise<JsonataOutcome> {
  if (expression.length > MAX_JSONATA_CHARACTERS) {
    return refuse(`An expression has at most ${MAX_JSONATA_CHARACTERS} characters.`);
  }
  let steps = 0;
  let depth = 0;
  try {
    const program = jsonata(expression, { RegexEngine: RefusedPattern as unknown as RegExpConstructor });
    const hooks = program as unknown as { assign(name: symbol, hook: (...args: unknown[]) => void): void };
    hooks.assign(ENTRY, (node) => {
      steps += 1;
      depth += 1;
      if (steps > MAX_JSONATA_STEPS) throw new Error(`The expression needs more than ${MAX_JSONATA_STEPS} steps.`);
      if (depth > MAX_JSONATA_DEPTH) throw new Error(`The expression nests deeper than ${MAX_JSONATA_DEPTH}.`);
      if ((node as { value?: unknown }).value === "..") throw new Error("Ranges are not available in rules.");
    });
    hooks.assign(EXIT, (_node, _input, _environment, result) => {
      depth -= 1;
      const size = typeof result === "string" || Array.isArray(result) ? result.length : 0;
      if (size > MAX_JSONATA_RESULT) throw new Error(`A value grows beyond ${MAX_JSONATA_RESULT}.`);
    });
    program.registerFunction("pad", pad, "<s-ns?:s>");
    program.registerFunction("distinct", distinct, "<x:x>");
    const value: unknown = await program.evaluate(input);
    // The evaluator adds properties to its lists; messages contain plain values.
    return ok(value === undefined ? null : (JSON.parse(JSON.stringify(value)) as unknown));
  } catch (error) {
    return refuse((error as { message?: string }).message ?? String(error));
  }
}

/** As the language defines it, in linear time: the library compares every item with every other. */
function distinct(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const seen = new Set<string>();
  return value.filter((item) => {
    const key = plainEqualityKey(item);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

export const MAX_PADDED_CHARACTERS = 10_000;

/** As the language defines it, with a limited width. */
function pad(text: string, width: number, filler = " "): string {
  const wanted = Math.min(Math.abs(width), MAX_PADDED_CHARACTERS);
  return width < 0 ? text.padStart(wanted, filler) : text.padEnd(wanted, filler);
}
