/** Compiles one JSON Schema with ajv. */
import Ajv, { type Options } from "ajv";
import Ajv2019 from "ajv/dist/2019.js";
import Ajv2020 from "ajv/dist/2020.js";
import AjvDraft04 from "ajv-draft-04";
import type { JsonDialect } from "../../../schema/format.ts";
import { MAX_PATTERN_STEPS } from "../../../schema/json/validate/evaluation.ts";
import { FORMATS } from "../../../schema/json/validate/format-keyword.ts";
import { compilePattern } from "../../../schema/json/validate/patterns.ts";
import { type IsCertainlyValid, UNUSUAL } from "./checker.ts";

export type CompiledJsonSchema = { schema: unknown; dialect: JsonDialect; formats: boolean };

/** May throw for a pattern that exceeds its steps, or a value too deep for the stack. */
export function compileJsonSchema({ schema, dialect, formats }: CompiledJsonSchema): IsCertainlyValid {
  const budget = { remaining: 0 };
  const validate = newAjv(dialect, formats, budget).compile(schema as object | boolean);
  return (input) => {
    const value = input.value();
    if (value === UNUSUAL) return false;
    budget.remaining = MAX_PATTERN_STEPS;
    return validate(value) === true;
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
