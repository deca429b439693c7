/**
 * Templates in any syntax: the variables they use, likely mistakes, and rendering. Nothing here compiles
 * code, and rendering is bounded in steps and output, because templates and variables come from outside.
 */
import type { Result } from "../result.ts";

/** Blocks inside each other; rendering recurses once per block. */
export const MAX_TEMPLATE_DEPTH = 100;
/** Steps of rendering one prompt: about a quarter of a second. */
export const MAX_RENDER_STEPS = 200_000;
/** The rendered text of one prompt; more than any model reads. */
export const MAX_RENDERED_CHARACTERS = 4 * 1_048_576;

/** A variable's place in a template. */
export type VariableUse = {
  /** As written, for messages. */
  name: string;
  /**
   * Paths from the root that it may mean, the first declared one counts; `[]` is an item of a list:
   * `["items", "[]", "name"]`. Which it is depends on the data where a syntax looks outwards.
   */
  candidates: readonly (readonly string[])[];
  offset: number;
  /** Whether all uses are inside a test of the same variable. */
  isGuarded: boolean;
};

/** A place that is valid and probably a mistake. */
export type Suspicion = { rule: string; message: string; offset: number };

/** A piece of rendered text, or the start of a message of a role. */
export type Piece = string | { role: string };

export type Template = {
  uses: readonly VariableUse[];
  suspicions(declared: ReadonlySet<string>): readonly Suspicion[];
  render(variables: Readonly<Record<string, unknown>>): Result<readonly Piece[], RenderProblem>;
};

type TemplateProblem = { message: string; offset: number; isTooComplex?: true };
type RenderProblem = { reason: "invalid" | "too_complex"; message: string };

export type ParsedTemplate = Result<Template, TemplateProblem>;

/** Thrown inside a parser or renderer of our own and caught at its entry point. */
export class TemplateError extends Error {
  readonly offset: number;
  readonly isTooComplex: boolean;

  constructor(message: string, offset: number, isTooComplex = false) {
    super(message);
    this.offset = offset;
    this.isTooComplex = isTooComplex;
  }
}

export function toTemplateProblem(error: unknown): TemplateProblem {
  if (!(error instanceof TemplateError)) throw error;
  const { message, offset, isTooComplex } = error;
  return { message, offset, ...(isTooComplex ? { isTooComplex } : {}) };
}

/** A value as text in a prompt: strings as they are, everything else as JSON. */
export function printValue(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return "";
  return typeof value === "bigint" ? value.toString() : JSON.stringify(value);
}

/** Counts the steps and characters of one rendering. */
export class RenderBudget {
  #steps = 0;
  #characters = 0;

  spendSteps(steps = 1): void {
    this.#steps += steps;
    if (this.#steps > MAX_RENDER_STEPS) {
      throw new TemplateError(`Rendering takes more than ${MAX_RENDER_STEPS} steps.`, 0, true);
    }
  }

  spendCharacters(characters: number): void {
    this.#characters += characters;
    if (this.#characters > MAX_RENDERED_CHARACTERS) {
      throw new TemplateError(`The rendered prompt has more than ${MAX_RENDERED_CHARACTERS} characters.`, 0, true);
    }
  }
}

/** Paths that one use may mean; names in deeply nested sections could mean very many. */
const MAX_CANDIDATES = 64;

/** The paths of a name inside lists or objects that themselves may be at several paths, innermost first. */
export function candidatesIn(
  scopes: readonly (readonly (readonly string[])[])[],
  names: readonly string[],
): readonly (readonly string[])[] {
  const inside = [...scopes].reverse().flatMap((scope) =>
    scope.flatMap((path) => [
      [...path, "[]", ...names],
      [...path, ...names],
    ]),
  );
  return (names.length === 0 ? inside : [...inside, names]).slice(0, MAX_CANDIDATES);
}

/** Runs a rendering and turns what it throws into a refusal. */
export function toRenderProblem(error: unknown): RenderProblem {
  if (error instanceof TemplateError && error.isTooComplex) return { reason: "too_complex", message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { reason: "invalid", message: `The template cannot be rendered with these variables: ${message}` };
}
