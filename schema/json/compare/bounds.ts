/**
 * Limits of one comparison. Beyond them the result is a refusal with the location, never a wrong verdict. Work is
 * counted, not timed, so that the same schemas get the same result on every machine; the limits are calibrated on the
 * slowest core in use.
 */
import { TooComplexComparison, WorkMeter } from "../../work-meter.ts";
import { type Decimal, digitsOf } from "./decimal.ts";

/**
 * Steps of a comparison by the Confluent rules: pairs of schemas, and their properties. The largest known real pair
 * takes 3,500; the full budget takes about 0.2 seconds, which pass without a pause.
 */
export const MAX_CONFLUENT_WORK = 80_000;
/**
 * Steps of a semantic comparison, about four microseconds each: 0.4 seconds, which leaves the same time for repeating
 * the proof for witnesses.
 */
export const MAX_COMPARE_WORK = 100_000;
/** Bytes that a semantic comparison retains (states, proofs, differences), estimated where they are created. */
export const MAX_COMPARE_BYTES = 32 * 1_048_576;
/** The time per step on the slowest core in use. */
const STEP_MICROS = 4;
/** The time to examine a listed value. */
export const LISTED_VALUE_MICROS = 1;
/** Nesting of schemas at one location: the stack overflows at about three times this depth. */
export const MAX_COMPARE_DEPTH = 300;
/**
 * From this depth on, parts of values are deferred and compared later from an empty stack, because recursive schemas
 * can nest deeply.
 */
export const DEFERRED_DEPTH = 100;
/** Listed differences; longer lists are not read. The total is counted. */
export const MAX_LISTED_DIFFERENCES = 500;
/** Regular expression states advanced in one comparison. */
export const MAX_PATTERN_WORK = 1_000_000;

/** Digits of a divisor that take one step to check, describe and exemplify. */
const DIGITS_OF_A_STEP = 190;

/** Dividing, and writing the digits for hints and messages, take time quadratic in their number. */
export function divisionSteps(divisor: Decimal): number {
  return (digitsOf(divisor) / DIGITS_OF_A_STEP) ** 2;
}

/** Counts not only the work but also the memory and depth of one comparison. */
export class ComparisonMeter extends WorkMeter {
  #bytes = 0;
  #depth = 0;

  constructor(limit: number) {
    super(limit, STEP_MICROS);
  }

  get depth(): number {
    return this.#depth;
  }

  /** Counts memory that stays in use until the comparison ends. */
  keep(bytes: number, pointer: string): void {
    this.#bytes += bytes;
    if (this.#bytes > MAX_COMPARE_BYTES) {
      const place = pointer === "" ? this.lastPointer() : pointer;
      throw new TooComplexComparison(
        place,
        `The comparison takes more than ${MAX_COMPARE_BYTES / 1_048_576} MiB; it stopped at "${place}".`,
      );
    }
  }

  /** Enters a level. Pair every call with `leave`; a callback would use stack space. */
  enter(pointer: string): void {
    this.#depth += 1;
    if (this.#depth > MAX_COMPARE_DEPTH) {
      throw new TooComplexComparison(
        pointer,
        `Schemas are nested more than ${MAX_COMPARE_DEPTH} levels deep at "${pointer}".`,
      );
    }
  }

  leave(): void {
    this.#depth -= 1;
  }
}
