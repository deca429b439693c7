/** CEL (Common Expression Language) in one place: compiled once, evaluated in bounded work, without code generation. */
import { celEnv, isCelError, parse, plan } from "@bufbuild/cel";
import { compilePattern } from "./json/patterns";

/** Counted in UTF-16 code units. */
export const MAX_EXPRESSION_CHARACTERS = 2_048;
/** Macros such as `all` and `exists` walk a list; one inside another multiplies, so only two may nest. */
export const MAX_COMPREHENSION_DEPTH = 2;

export type CelProgram = (variables: Readonly<Record<string, unknown>>) => CelOutcome;
export type CelOutcome = { ok: true; value: unknown } | { ok: false; message: string };
export type CelCompiled = { ok: true; evaluate: CelProgram } | { ok: false; message: string };

/** States advanced by the patterns of one match; a linear-time engine, so that an expression's pattern cannot hang an isolate. */
const PATTERN_WORK = 10_000_000;

const ENVIRONMENT = celEnv({
  re2: {
    compile(source) {
      const compiled = compilePattern(source);
      if (!compiled.ok) throw new Error(compiled.message);
      return {
        test(text) {
          const matched = compiled.pattern.matches(text, { remaining: PATTERN_WORK });
          if (matched === undefined) throw new Error("The pattern needs too much work on this text.");
          return matched;
        },
      };
    },
  },
});

/** Parses and plans an expression, or says what is wrong with it and where. */
export function compileCel(expression: string): CelCompiled {
  if (expression.length > MAX_EXPRESSION_CHARACTERS) {
    return {
      ok: false,
      message: `An expression has at most ${MAX_EXPRESSION_CHARACTERS} characters, this one has ${expression.length}.`,
    };
  }
  try {
    const parsed = parse(expression);
    const depth = comprehensionDepth(parsed.expr, 0);
    if (depth > MAX_COMPREHENSION_DEPTH) {
      return { ok: false, message: `At most ${MAX_COMPREHENSION_DEPTH} macros may nest, here are ${depth}.` };
    }
    const program = plan(ENVIRONMENT, parsed);
    return {
      ok: true,
      evaluate(variables) {
        try {
          const value = program(variables as never);
          return isCelError(value) ? { ok: false, message: value.message } : { ok: true, value };
        } catch (error) {
          return { ok: false, message: messageOf(error) };
        }
      },
    };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

/** How deep comprehensions nest: the parser has expanded the macros, so every one is a `comprehensionExpr` node. */
function comprehensionDepth(node: unknown, around: number): number {
  if (typeof node !== "object" || node === null) return around;
  const isComprehension = (node as { case?: unknown }).case === "comprehensionExpr";
  const own = isComprehension ? around + 1 : around;
  return Object.values(node).reduce<number>((deepest, child) => Math.max(deepest, comprehensionDepth(child, own)), own);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
