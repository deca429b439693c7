/**
 * Limits of one projection. Beyond a limit it is refused as `too_complex`, with the location where the limit was
 * reached.
 */

/** Schemas in one projected schema: OpenAI, with the largest stated limit, accepts 5,000 properties. */
export const MAX_PROJECTED_SCHEMAS = 10_000;
/** UTF-8 bytes of one projected schema, so that a response with its report stays below 1 MiB. */
export const MAX_PROJECTED_BYTES = 512 * 1024;
/** Nesting of a projected schema, without following references. Twelve times what any provider documents. */
export const MAX_PROJECTED_DEPTH = 120;
/**
 * Schemas being written inside each other, with inlined references and definitions: the stack of an isolate holds three
 * times as many.
 */
const MAX_NESTED_SCHEMAS = 360;
/** From here on definitions are written later, from an empty stack: one of them may need MAX_PROJECTED_DEPTH levels. */
const DEFERRED_DEFINITIONS = MAX_NESTED_SCHEMAS - 2 * MAX_PROJECTED_DEPTH;
/**
 * Schemas being read inside each other, with references of `allOf` that are merged: the stack of an isolate holds twice
 * as many. JSON text alone cannot be nested as deep.
 */
export const MAX_NESTED_READS = 600;
/** Schemas read and intersected on the way; `allOf` over shared parts multiplies them. */
export const MAX_DRAFTED_SCHEMAS = 100_000;
/**
 * Steps of combining schemas, each of which copies one part of them: `allOf` over n schemas takes n² of them. They take
 * up to 50 ms together.
 */
export const MAX_COMBINING_STEPS = 1_000_000;
/**
 * Steps of deciding whether the alternatives of a `oneOf` exclude each other, up to 20 ms. Beyond it the projection
 * assumes that they do not.
 */
export const MAX_EXCLUSION_STEPS = 200_000;
/** Alternatives of one location after multiplying out `anyOf` and `oneOf`. */
export const MAX_ALTERNATIVES = 64;
/**
 * Times that a recursive schema is unrolled before its next level becomes JSON in a string, for providers without
 * recursion.
 */
export const MAX_UNROLLED_LEVELS = 3;
/** Changes in one report. For a schema with more, the total is reported. */
export const MAX_REPORTED_CHANGES = 500;
/** Characters of one constraint that is moved into a description; a longer one would crowd out the author's text. */
export const MAX_MOVED_CHARACTERS = 400;
/** Tools and output schemas in one request. */
export const MAX_BUNDLED_SCHEMAS = 256;
/** Characters of one model answer, tool arguments included. */
export const MAX_ANSWER_CHARACTERS = 4 * 1024 * 1024;
/** Nesting of arrays and objects in an answer, as for every other instance. */
export const MAX_ANSWER_DEPTH = 512;

/** The time to write one schema on the slowest core in use. */
const SCHEMA_MICROS = 15;
/** The time to read one. */
const DRAFT_MICROS = 3;
/** The time of one step of combining. */
const COMBINING_MICROS = 0.1;

/** Thrown inside a projection when a limit is reached, and turned into a refusal where it started. */
export class TooComplexProjection extends Error {
  readonly pointer: string;

  constructor(pointer: string, message: string) {
    super(message);
    this.pointer = pointer;
  }
}

/** Counts the work of a projection. */
export class ProjectionMeter {
  #drafted = 0;
  #projected = 0;
  #nested = 0;
  #combined = 0;
  #takenMicros = 0;

  /** Whether a definition should be written later. */
  get isNearlyTooNested(): boolean {
    return this.#nested > DEFERRED_DEFINITIONS;
  }

  /** Enters a schema inside the current one. Pair every call with `leave`. */
  enter(pointer: string): void {
    this.#nested += 1;
    if (this.#nested > MAX_NESTED_SCHEMAS) {
      throw new TooComplexProjection(pointer, `References lead through more than ${MAX_NESTED_SCHEMAS} schemas.`);
    }
  }

  leave(): void {
    this.#nested -= 1;
  }

  /** The work since the last call. */
  takeMicros(): number {
    const micros = this.#drafted * DRAFT_MICROS + this.#projected * SCHEMA_MICROS + this.#combined * COMBINING_MICROS;
    const since = micros - this.#takenMicros;
    this.#takenMicros = micros;
    return since;
  }

  /** Counts the parts that are copied when schemas are combined. */
  combine(pointer: string, parts: number): void {
    this.#combined += parts;
    if (this.#combined > MAX_COMBINING_STEPS) {
      throw new TooComplexProjection(
        pointer,
        `Combining "allOf", unions and references takes more than ${MAX_COMBINING_STEPS} steps.`,
      );
    }
  }

  draft(pointer: string): void {
    this.#drafted += 1;
    if (this.#drafted > MAX_DRAFTED_SCHEMAS) {
      throw new TooComplexProjection(
        pointer,
        `More than ${MAX_DRAFTED_SCHEMAS} schemas result from combining "allOf", unions and references.`,
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
}
