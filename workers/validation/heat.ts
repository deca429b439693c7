/** Counts how often a schema is used and what its validations cost, and so chooses between the two engines. */
import type { DataForm } from "../../schema/data.ts";

/**
 * Validations of a schema within an hour, in one isolate, after which it is compiled: starting an isolate costs as much
 * as a few thousand lines.
 */
export const HOT_VALIDATIONS_PER_HOUR = 20;

const HOUR_MS = 60 * 60 * 1_000;
/** Part of the latest validation in the average of their work. */
const NEWEST_SHARE = 1 / 8;

/** How often a schema is used, per whole hour. Kept as long as its model. */
export class Heat {
  #hour = 0;
  #count = 0;
  #averageSteps = 0;
  readonly #refused = new Set<DataForm>();

  add(validations: number, nowMs: number): void {
    const hour = Math.floor(nowMs / HOUR_MS);
    if (hour !== this.#hour) this.#count = 0;
    this.#hour = hour;
    this.#count += validations;
  }

  /** The work of one validation by the interpreter. */
  addWork(steps: number): void {
    this.#averageSteps += (steps - this.#averageSteps) * NEWEST_SHARE;
  }

  /** Schemas evaluated per value, on average. */
  get averageSteps(): number {
    return this.#averageSteps;
  }

  isHot(form: DataForm): boolean {
    return this.#count >= HOT_VALIDATIONS_PER_HOUR && !this.#refused.has(form);
  }

  /** It cannot be compiled, or its isolate failed. */
  refuse(form: DataForm): void {
    this.#refused.add(form);
  }
}
