/**
 * Compiles one JSON Schema with ajv and checks lines of JSON with it. Runs in a separate isolate, where code may be
 * generated while it starts.
 */
import Ajv, { type Options } from "ajv";
import Ajv2019 from "ajv/dist/2019.js";
import Ajv2020 from "ajv/dist/2020.js";
import AjvDraft04 from "ajv-draft-04";
import { parsePlainData } from "../../../schema/data-text.ts";
import type { JsonDialect } from "../../../schema/format.ts";
import { MAX_PATTERN_STEPS } from "../../../schema/json/validate/evaluation.ts";
import { FORMATS } from "../../../schema/json/validate/format-keyword.ts";
import { compilePattern } from "../../../schema/json/validate/patterns.ts";

export type CompiledInput = { schema: unknown; dialect: JsonDialect; formats: boolean };

/**
 * Whether a JSON text is certainly valid. Invalid or unusual texts are left to the interpreter, which finds the
 * reasons.
 */
export type IsValid = (text: string) => boolean;

export function compileSchema({ schema, dialect, formats }: CompiledInput): IsValid {
  const budget = { remaining: 0 };
  const validate = newAjv(dialect, formats, budget).compile(schema as object | boolean);
  return (text) => {
    const data = parsePlainData(text);
    if (data === undefined) return false;
    budget.remaining = MAX_PATTERN_STEPS;
    try {
      return validate(data.value) === true;
    } catch {
      // A pattern that exceeded its steps, or a value too deep for the stack.
      return false;
    }
  };
}

function newAjv(dialect: JsonDialect, formats: boolean, budget: { remaining: number }): Ajv {
  const options: Options = {
    strict: false,
    logger: false,
    ownProperties: true,
    validateFormats: formats,
    validateSchema: false,
    addUsedSchema: false,
    // The registry's own formats, so that both engines interpret them identically.
    formats: formats
      ? Object.fromEntries([...FORMATS].map(([name, validate]) => [name, { type: "string", validate }]))
      : {},
    code: { regExp: Object.assign((source: string) => linearRegExp(source, budget), { code: "undefined" }) },
  };
  switch (dialect) {
    case "draft-04":
      return new AjvDraft04(options) as unknown as Ajv;
    case "2019-09":
      return new Ajv2019(options);
    case "2020-12":
      return new Ajv2020(options);
    default:
      return new Ajv(options);
  }
}

/** The registry's linear-time engine in place of RegExp. */
function linearRegExp(source: string, budget: { remaining: number }): RegExp {
  const compiled = compilePattern(source);
  const test = (text: string): boolean => {
    const matches = compiled.ok ? compiled.value.matches(text, budget) : undefined;
    if (matches === undefined) throw new Error("The pattern cannot be evaluated.");
    return matches;
  };
  // Ajv treats patterns with the same printed form as one.
  return { test, toString: () => `/${source}/u` } as unknown as RegExp;
}

const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** One byte per line: 1 if it is certainly valid. `ends` are the offsets after each line. */
export function checkLines(isValid: IsValid, bytes: Uint8Array, ends: readonly number[]): Uint8Array {
  const answers = new Uint8Array(ends.length);
  let start = 0;
  for (const [index, end] of ends.entries()) {
    try {
      if (isValid(STRICT_UTF8.decode(bytes.subarray(start, end)))) answers[index] = 1;
    } catch {
      // Not UTF-8.
    }
    start = end;
  }
  return answers;
}
