/**
 * Decides which pairs of types are compatible. A pair holds if it has no breaking difference itself and all its parts
 * hold; a part holds if one of its options does. Failures propagate backwards to a fixpoint, so recursive types need no
 * special case. Differences are not stored: those to be reported are computed again.
 */
import type { Sliced } from "../../slices.ts";
import type { WorkMeter } from "../../work-meter.ts";
import { type AvroType, NO_PROPERTIES } from "../model.ts";
import { type BranchChoice, type BranchPair, isPart } from "./entry.ts";
import { expandPair, isPlain, isPrimitive } from "./expand-pair.ts";
import type { CompareContext } from "./policy-rules.ts";

/** The cost of a pair and of an option, in fields visited: they occupy memory until the comparison ends. */
const WORK_PER_PAIR = 16;
const WORK_PER_OPTION = 4;

/** A reader type and a writer type that meet. */
export type MeetingTypes = { reader: AvroType; writer: AvroType };

/** A node of the graph. `from` and `readerStep` say where the two types first met. */
export type Pair = MeetingTypes & {
  from: Pair | null;
  readerStep: string;
  /** Null if there are none, as in most pairs. */
  parts: PairPart[] | null;
  usedBy: PairPart[] | null;
  /** Whether the pair fails regardless of its parts. */
  isBroken: boolean;
  failed: boolean;
};

/** A part of `owner`; it fails once all its options have failed. */
export type PairPart = { owner: Pair; options: Pair[]; failedOptions: number };

export class PairGraph {
  readonly #context: CompareContext;
  /** Keyed by a number made of both types' numbers; nested maps would take more memory than the pairs. */
  readonly #pairs = new Map<number, Pair>();
  readonly #readers = new Map<AvroType, number>();
  readonly #writers = new Map<AvroType, number>();
  /** Cached verdicts on primitive types without properties, by `writer>reader`. */
  readonly #promotions = new Map<string, boolean>();
  readonly #unexpanded: Pair[] = [];
  readonly #failed: Pair[] = [];
  #expanding: Pair | null = null;

  constructor(context: CompareContext) {
    this.#context = context;
  }

  /** Decides every pair reachable from the two roots. */
  *decide(reader: AvroType, writer: AvroType, meter: WorkMeter): Sliced<void> {
    this.#pair({ reader, writer, readerStep: "", writerStep: "" }, null);
    for (let pair = this.#unexpanded.pop(); pair !== undefined; pair = this.#unexpanded.pop()) {
      this.#expand(pair);
      if (meter.isSliceOver()) yield meter.takeMicros();
    }
    this.#spreadFailures();
  }

  /** Where the current pair was first met, as a pointer into the reader. */
  place(): string {
    const steps: string[] = [];
    for (let at = this.#expanding; at !== null; at = at.from) steps.push(at.readerStep);
    return steps.reverse().join("");
  }

  /** The pair's node, or undefined for plain types, which have none. */
  find({ reader, writer }: MeetingTypes): Pair | undefined {
    const [readerNumber, writerNumber] = [this.#readers.get(reader), this.#writers.get(writer)];
    return readerNumber === undefined || writerNumber === undefined
      ? undefined
      : this.#pairs.get(keyOf(readerNumber, writerNumber));
  }

  /** Whether a pair holds; plain types are decided here. */
  holds({ reader, writer }: MeetingTypes): boolean {
    if (!isPlain(reader) && !isPlain(writer)) return this.find({ reader, writer })?.failed === false;
    if (!isBarePrimitive(reader) || !isBarePrimitive(writer)) return this.#decidePlain(reader, writer);
    // The common case: at most 64 combinations.
    const key = `${writer.kind}>${reader.kind}`;
    const known = this.#promotions.get(key);
    if (known !== undefined) return known;
    const holds = this.#decidePlain(reader, writer);
    this.#promotions.set(key, holds);
    return holds;
  }

  #decidePlain(reader: AvroType, writer: AvroType): boolean {
    for (const entry of expandPair(reader, writer, this.#context)) {
      if (isPart(entry) ? !this.#hasOptionThatHolds(entry) : entry.severity === "breaking") return false;
    }
    return true;
  }

  #hasOptionThatHolds({ options }: BranchChoice): boolean {
    for (const option of options) if (this.holds(option)) return true;
    return false;
  }

  #expand(pair: Pair): void {
    this.#expanding = pair;
    for (const entry of expandPair(pair.reader, pair.writer, this.#context)) {
      if (isPart(entry)) this.#addPart(entry, pair);
      else if (entry.severity === "breaking") pair.isBroken = true;
    }
    if (pair.isBroken) this.#fail(pair);
  }

  #addPart({ options }: BranchChoice, owner: Pair): void {
    const part: PairPart = { owner, options: [], failedOptions: 0 };
    let holds = false;
    for (const option of options) {
      this.#context.spend(WORK_PER_OPTION);
      if (isPlain(option.reader) || isPlain(option.writer)) {
        holds ||= this.holds(option);
      } else part.options.push(this.#pair(option, owner));
    }
    if (holds) return;
    if (part.options.length === 0) {
      owner.isBroken = true;
      return;
    }
    owner.parts = append(owner.parts, part);
    for (const pair of part.options) pair.usedBy = append(pair.usedBy, part);
  }

  #pair({ reader, writer, readerStep }: BranchPair, from: Pair | null): Pair {
    const key = keyOf(numberOf(this.#readers, reader), numberOf(this.#writers, writer));
    const known = this.#pairs.get(key);
    if (known !== undefined) return known;
    this.#context.spend(WORK_PER_PAIR);
    const pair: Pair = {
      ...{ reader, writer, from, readerStep },
      ...{ parts: null, usedBy: null, isBroken: false, failed: false },
    };
    this.#pairs.set(key, pair);
    this.#unexpanded.push(pair);
    return pair;
  }

  #fail(pair: Pair): void {
    if (pair.failed) return;
    pair.failed = true;
    this.#failed.push(pair);
  }

  #spreadFailures(): void {
    for (let pair = this.#failed.pop(); pair !== undefined; pair = this.#failed.pop()) {
      for (const part of pair.usedBy ?? []) {
        part.failedOptions += 1;
        if (part.failedOptions === part.options.length) this.#fail(part.owner);
      }
    }
  }
}

/** Exact, because a schema has fewer than 2^26 types. */
function keyOf(readerNumber: number, writerNumber: number): number {
  return readerNumber * 2 ** 26 + writerNumber;
}

function append(parts: PairPart[] | null, part: PairPart): PairPart[] {
  if (parts === null) return [part];
  parts.push(part);
  return parts;
}

function numberOf(numbers: Map<AvroType, number>, type: AvroType): number {
  let number = numbers.get(type);
  if (number === undefined) {
    number = numbers.size;
    numbers.set(type, number);
  }
  return number;
}

function isBarePrimitive(type: AvroType): boolean {
  return isPrimitive(type) && type.properties === NO_PROPERTIES;
}
