/**
 * Every difference between a reader and a writer. The pairs of types that meet form a graph: a pair holds if its own
 * rules hold and every part of it holds, and a part holds if one of its options does. Failures spread backwards until
 * nothing changes, so recursion needs no special case and no walk needs a stack; only then are differences told.
 */
import type { CompareOptions, Comparison, Difference } from "../compatibility";
import { expandPair, type LocalDifference, type Part, type Rules } from "./compare-rules";
import type { AvroModel, AvroType } from "./model";
import { isBroken, isPart, type Pair, type PairPart, RecursionCheck } from "./pairs";

/** Named types can meet in every combination; the largest real pair of schemas makes a few thousand. */
export const MAX_COMPARED_PAIRS = 200_000;
/** More than anybody reads: a reader and a writer with nothing in common differ in every field. */
export const MAX_DIFFERENCES = 10_000;

/** A way from the root to a place, the last step first: the pairs passed, and the writer's steps out of them. */
export type Trail = { pair: Pair; writerStep: string; before: Trail } | null;

/** A difference with the way to the pair of types that it is about, and that pair's places. */
export type LocatedDifference = {
  difference: Difference;
  trail: Trail;
  pair: Pair;
  readerPointer: string;
  writerPointer: string;
};

export function compareAvro(reader: AvroModel, writer: AvroModel, { policy }: CompareOptions): Comparison {
  const result = locateDifferences(reader, writer, policy === "semantic" ? "semantic" : "strict");
  return result.ok ? { ok: true, differences: result.located.map(({ difference }) => difference) } : result;
}

export function locateDifferences(
  reader: AvroModel,
  writer: AvroModel,
  rules: Rules,
): { ok: true; located: LocatedDifference[] } | Extract<Comparison, { ok: false }> {
  return new Comparer(rules).compare(reader.root, writer.root);
}

class Comparer {
  readonly #rules: Rules;
  /** By reader, then writer, by identity. Pairs of simple types are cheaper made anew than looked up. */
  readonly #pairs = new Map<AvroType, Map<AvroType, Pair>>();
  readonly #unexpanded: Pair[] = [];
  readonly #failed: Pair[] = [];
  #count = 0;

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  compare(reader: AvroType, writer: AvroType): ReturnType<typeof locateDifferences> {
    const root = this.#pair(reader, writer, null, "", "");
    for (let pair = this.#unexpanded.pop(); pair !== undefined; pair = this.#unexpanded.pop()) {
      this.#expand(pair);
      if (this.#count > MAX_COMPARED_PAIRS) {
        const pointer = placeOf(pair);
        return {
          ok: false,
          reason: "too_complex",
          pointer,
          message: `Reader and writer are too complex to decide, at ${pointer || "the root"}: more than ${MAX_COMPARED_PAIRS} pairs of types meet.`,
        };
      }
    }
    this.#spreadFailures();
    return { ok: true, located: tellDifferences(root) };
  }

  #pair(reader: AvroType, writer: AvroType, from: Pair | null, readerStep: string, writerStep: string): Pair {
    const isSimple = !isComposite(reader) || !isComposite(writer);
    const known = isSimple ? undefined : this.#pairs.get(reader)?.get(writer);
    if (known !== undefined) return known;
    const pair: Pair = {
      ...{ reader, writer, from, readerStep, writerStep },
      ...{ entries: [], usedBy: [], failed: false },
    };
    if (!isSimple) {
      const ofReader = this.#pairs.get(reader);
      if (ofReader === undefined) this.#pairs.set(reader, new Map([[writer, pair]]));
      else ofReader.set(writer, pair);
    }
    this.#count += 1;
    this.#unexpanded.push(pair);
    return pair;
  }

  #expand(pair: Pair): void {
    pair.entries = expandPair(pair.reader, pair.writer, this.#rules).map((entry) =>
      "options" in entry ? this.#part(entry, pair) : entry,
    );
    if (pair.entries.some(isBroken)) this.#fail(pair);
  }

  #part(part: Part, owner: Pair): PairPart {
    const pairPart: PairPart = { owner, options: [], failedOptions: 0, part };
    for (const { reader, writer, readerStep, writerStep } of part.options) {
      const option = this.#pair(reader, writer, owner, readerStep, writerStep);
      option.usedBy.push(pairPart);
      pairPart.options.push(option);
    }
    return pairPart;
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

function isComposite(type: AvroType): boolean {
  return "fields" in type || "branches" in type || "items" in type || "values" in type;
}

/** Where the pair was first met, as a pointer into the reader. */
function placeOf(pair: Pair): string {
  const steps: string[] = [];
  for (let at: Pair | null = pair; at !== null; at = at.from) steps.push(at.readerStep);
  return steps.reverse().join("");
}

/** The differences in the order of the reader's text, those of a pair once, at the first place where it is met. */
function tellDifferences(root: Pair): LocatedDifference[] {
  const told: LocatedDifference[] = [];
  const seen = new Set<Pair>();
  const recursion = new RecursionCheck();
  type Place = { pair: Pair; readerPointer: string; writerPointer: string; trail: Trail };
  const waiting: (Place | LocatedDifference)[] = [{ pair: root, readerPointer: "", writerPointer: "", trail: null }];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    if (told.length >= MAX_DIFFERENCES) break;
    if ("difference" in place) {
      told.push(place);
      continue;
    }
    const { pair, readerPointer, writerPointer, trail } = place;
    if (seen.has(pair)) continue;
    seen.add(pair);
    const locate = (difference: LocalDifference): LocatedDifference => ({
      ...{ pair, readerPointer, writerPointer, trail },
      difference: withPointers(difference, readerPointer, writerPointer),
    });
    for (const entry of pair.entries.toReversed()) {
      if (!isPart(entry)) {
        waiting.push(locate(entry));
        continue;
      }
      const { options, failedOptions, part } = entry;
      if (failedOptions === options.length && part.onFailure !== null) {
        if (!recursion.explains(options, pair, trail)) waiting.push(locate(part.onFailure()));
        continue;
      }
      const taken = Math.max(
        0,
        options.findIndex((option) => !option.failed),
      );
      const step = part.options[taken];
      if (step === undefined) continue;
      waiting.push({
        pair: options[taken]!,
        readerPointer: readerPointer + step.readerStep,
        writerPointer: writerPointer + step.writerStep,
        trail: { pair, writerStep: step.writerStep, before: trail },
      });
    }
  }
  return told;
}

function withPointers(local: LocalDifference, readerPointer: string, writerPointer: string): Difference {
  const { readerStep, writerStep, ...difference } = local;
  return {
    ...difference,
    reader_pointer: readerStep === null ? null : readerPointer + readerStep,
    writer_pointer: writerStep === null ? null : writerPointer + writerStep,
  };
}
