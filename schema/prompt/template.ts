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
/** Names of one path: a name and an item for every block around it, and a name of its own. */
const MAX_PATH_NAMES = 300;
/** Names in the candidates of all uses of one template: 16 MB. */
const MAX_USE_NAMES = 2_000_000;

/** The paths of a name inside lists or objects that themselves may be at several paths, innermost first. */
export function candidatesIn(
  scopes: readonly (readonly (readonly string[])[])[],
  names: readonly string[],
  offset: number,
): readonly (readonly string[])[] {
  requireShortPath(names, offset);
  const candidates: (readonly string[])[] = [];
  for (const path of [...scopes].reverse().flat()) {
    // The root comes last and is never left out.
    if (candidates.length + 2 >= MAX_CANDIDATES) break;
    candidates.push([...path, "[]", ...names], [...path, ...names]);
  }
  return names.length === 0 ? candidates : [...candidates, names];
}

function requireShortPath(path: readonly string[], offset: number): void {
  if (path.length <= MAX_PATH_NAMES) return;
  throw new TemplateError(`A path has more than ${MAX_PATH_NAMES} names.`, offset, true);
}

/** The uses of one template. Nested blocks multiply what a short text may mean, so the paths are counted. */
export class UseList {
  readonly uses: VariableUse[] = [];
  #names = 0;

  add(use: VariableUse): void {
    for (const path of use.candidates) {
      requireShortPath(path, use.offset);
      this.#names += path.length;
    }
    if (this.#names > MAX_USE_NAMES) {
      throw new TemplateError("The template uses too many variables in nested blocks.", use.offset, true);
    }
    this.uses.push(use);
  }
}

/** Runs a rendering and turns what it throws into a refusal. */
export function toRenderProblem(error: unknown): RenderProblem {
  if (error instanceof TemplateError && error.isTooComplex) return { reason: "too_complex", message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { reason: "invalid", message: `The template cannot be rendered with these variables: ${message}` };
}
