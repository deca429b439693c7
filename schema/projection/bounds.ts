/** How much one projection may cost. Beyond a bound it is refused as `too_complex`, with the place where it was reached. */

/** Schemas in one projected schema: OpenAI, the most generous provider with a stated limit, takes 5,000 properties. */
export const MAX_PROJECTED_SCHEMAS = 20_000;
/** UTF-8 bytes of one projected schema: an answer of the API stays below 1 MiB with its report beside it. */
export const MAX_PROJECTED_BYTES = 512 * 1024;
/** Levels of a projected schema, references not followed. Twelve times what any provider documents. */
export const MAX_PROJECTED_DEPTH = 120;
/** Schemas read and intersected on the way; `allOf` over shared parts multiplies them. */
export const MAX_DRAFTED_SCHEMAS = 100_000;
/** Alternatives that one place may have after `anyOf` and `oneOf` are multiplied out. */
export const MAX_ALTERNATIVES = 64;
/** Times that a recursive schema is written out before its next level becomes JSON in a string, for providers without recursion. */
export const MAX_UNROLLED_LEVELS = 3;
/** Changes in one report. A schema with more is told how many there are. */
export const MAX_REPORTED_CHANGES = 500;
/** Characters of one constraint that is moved into a description; a longer one would crowd out what the author wrote. */
export const MAX_MOVED_CHARACTERS = 400;
/** Tools and output schemas in one request. */
export const MAX_BUNDLED_SCHEMAS = 256;
/** Characters of one model answer, tool arguments included. */
export const MAX_ANSWER_CHARACTERS = 4 * 1024 * 1024;
/** Levels of arrays and objects in an answer, as for every other instance. */
export const MAX_ANSWER_DEPTH = 512;

/** Thrown inside a projection where a bound is reached, and turned into a refusal where it started. */
export class TooComplexProjection extends Error {
  readonly pointer: string;

  constructor(pointer: string, message: string) {
    super(message);
    this.pointer = pointer;
  }
}

/** Counts what a projection has made so far. */
export class ProjectionMeter {
  #drafted = 0;
  #projected = 0;

  draft(pointer: string): void {
    this.#drafted += 1;
    if (this.#drafted > MAX_DRAFTED_SCHEMAS) {
      throw new TooComplexProjection(
        pointer,
        `More than ${MAX_DRAFTED_SCHEMAS} schemas arise when "allOf", unions and references are combined.`,
      );
    }
  }

  project(pointer: string, depth: number): void {
    this.#projected += 1;
    if (this.#projected > MAX_PROJECTED_SCHEMAS) {
      throw new TooComplexProjection(pointer, `The projected schema has more than ${MAX_PROJECTED_SCHEMAS} schemas.`);
    }
    if (depth > MAX_PROJECTED_DEPTH) {
      throw new TooComplexProjection(pointer, `The projected schema is deeper than ${MAX_PROJECTED_DEPTH} levels.`);
    }
  }

  restart(): void {
    this.#projected = 0;
  }
}
