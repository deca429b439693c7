/**
 * The pairs of types that meet form a graph: a pair holds if its own rules hold and every part of it holds, and a part
 * holds if one of its options does. Failures spread backwards until nothing changes, so recursion needs no special case
 * and no walk needs a stack. Differences are not kept: they are made again, for those that are reported.
 */
import { type AvroType, NO_PROPERTIES } from "../model.ts";
import { isPart, type Option, type Part } from "./entry.ts";
import { expandPair, isPlain, isPrimitive } from "./expand-pair.ts";
import type { CompareContext } from "./policy-rules.ts";

/** Work, in fields looked at, that a pair and an option are worth: what they occupy for the rest of the comparison counts. */
const WORK_PER_PAIR = 16;
const WORK_PER_OPTION = 4;

/** Two types that meet at a place. */
export type MeetingTypes = { reader: AvroType; writer: AvroType };

/** Two types whose verdict depends on others. `from` and the step say where they first met. */
export type Pair = MeetingTypes & {
  from: Pair | null;
  readerStep: string;
  parts: PairPart[];
  usedBy: PairPart[];
  /** Whether the pair fails by itself, whatever its parts do. */
  isBroken: boolean;
  failed: boolean;
};

/** One part of `owner`, which fails when all its options have. */
export type PairPart = { owner: Pair; options: Pair[]; failedOptions: number };

export function isPair(types: MeetingTypes): types is Pair {
  return "usedBy" in types;
}

export class PairGraph {
  readonly #context: CompareContext;
  /** By the numbers of reader and writer: a map for each reader would be larger than the pairs. */
  readonly #pairs = new Map<number, Pair>();
  readonly #readers = new Map<AvroType, number>();
  readonly #writers = new Map<AvroType, number>();
  /** Verdicts on primitive types without properties, by `writer>reader`. */
  readonly #promotions = new Map<string, boolean>();
  readonly #unexpanded: Pair[] = [];
  readonly #failed: Pair[] = [];
  #expanding: Pair | null = null;

  constructor(context: CompareContext) {
    this.#context = context;
  }

  /** Decides every pair that the two roots lead to. */
  decide(reader: AvroType, writer: AvroType): void {
    this.#pair({ reader, writer, readerStep: "", writerStep: "" }, null);
    for (let pair = this.#unexpanded.pop(); pair !== undefined; pair = this.#unexpanded.pop()) this.#expand(pair);
    this.#spreadFailures();
  }

  /** Where the pair at work was first met, as a pointer into the reader. */
  place(): string {
    const steps: string[] = [];
    for (let at = this.#expanding; at !== null; at = at.from) steps.push(at.readerStep);
    return steps.reverse().join("");
  }

  /** The decided pair, or undefined where it is one that is decided on the spot. */
  find({ reader, writer }: MeetingTypes): Pair | undefined {
    return this.#pairs.get(this.#keyOf(reader, writer));
  }

  /** Whether a pair holds that was decided, or can be on the spot. */
  holds({ reader, writer }: MeetingTypes): boolean {
    if (!isPlain(reader) && !isPlain(writer)) return this.find({ reader, writer })?.failed === false;
    if (!isBarePrimitive(reader) || !isBarePrimitive(writer)) return this.#holdsOnTheSpot(reader, writer);
    // Most fields of most schemas: sixty-four pairs.
    const key = `${writer.kind}>${reader.kind}`;
    const known = this.#promotions.get(key);
    if (known !== undefined) return known;
    const holds = this.#holdsOnTheSpot(reader, writer);
    this.#promotions.set(key, holds);
    return holds;
  }

  #holdsOnTheSpot(reader: AvroType, writer: AvroType): boolean {
    for (const entry of expandPair(reader, writer, this.#context)) {
      if (isPart(entry) ? !this.#hasOptionThatHolds(entry) : entry.severity === "breaking") return false;
    }
    return true;
  }

  #hasOptionThatHolds({ options }: Part): boolean {
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

  #addPart({ options }: Part, owner: Pair): void {
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
    owner.parts.push(part);
    for (const pair of part.options) pair.usedBy.push(part);
  }

  #pair({ reader, writer, readerStep }: Option, from: Pair | null): Pair {
    const key = this.#keyOf(reader, writer);
    const known = this.#pairs.get(key);
    if (known !== undefined) return known;
    this.#context.spend(WORK_PER_PAIR);
    const pair: Pair = {
      ...{ reader, writer, from, readerStep },
      ...{ parts: [], usedBy: [], isBroken: false, failed: false },
    };
    this.#pairs.set(key, pair);
    this.#unexpanded.push(pair);
    return pair;
  }

  #keyOf(reader: AvroType, writer: AvroType): number {
    return numberOf(this.#readers, reader) * 2 ** 26 + numberOf(this.#writers, writer);
  }

  #fail(pair: Pair): void {
    if (pair.failed) return;
    pair.failed = true;
    this.#failed.push(pair);
  }

  #spreadFailures(): void {
    for (let pair = this.#failed.pop(); pair !== undefined; pair = this.#failed.pop()) {
      for (const part of pair.usedBy) {
        part.failedOptions += 1;
        if (part.failedOptions === part.options.length) this.#fail(part.owner);
      }
    }
  }
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
