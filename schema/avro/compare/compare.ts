/**
 * Every difference between a reader and a writer. The pairs of types that meet form a graph: a pair holds if its own
 * rules hold and every part of it holds, and a part holds if one of its options does. Failures spread backwards until
 * nothing changes, so recursion needs no special case and no walk needs a stack; only then are differences told.
 */
import type { CompareOptions, Comparison, Difference } from "../../compatibility.ts";
import { type AvroModel, type AvroType, isNamed } from "../model.ts";
import { DefaultChecker } from "../parse/default-value.ts";
import { expandPair, type LocalDifference, type Part, type RuleContext, type Rules, workOf } from "./expand-pair.ts";
import { isBroken, isPart, type Pair, type PairPart, RecursionCheck } from "./pairs.ts";
import { BranchFinder } from "./union-branches.ts";

/** Named types can meet in every combination; the largest real pair of schemas makes a few thousand. */
export const MAX_COMPARED_PAIRS = 200_000;
/** Fields, names and symbols looked at over all pairs: the sum of both sides' sizes for schemas of any size that evolved. */
export const MAX_COMPARE_WORK = 10_000_000;
/** More than anybody reads: a reader and a writer with nothing in common differ in every field. */
export const MAX_DIFFERENCES = 10_000;
/** Characters of all pointers together: types that use each other in a long chain make long pointers. */
const MAX_POINTER_CHARACTERS = 4 * 2 ** 20;

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
  readonly #context: RuleContext;
  /** By reader, then writer, by identity. Pairs of simple types are cheaper made anew than looked up. */
  readonly #pairs = new Map<AvroType, Map<AvroType, Pair>>();
  readonly #unexpanded: Pair[] = [];
  readonly #failed: Pair[] = [];
  #count = 0;
  #work = 0;

  constructor(rules: Rules) {
    this.#context = { rules, branches: new BranchFinder(), defaults: new DefaultChecker() };
  }

  compare(reader: AvroType, writer: AvroType): ReturnType<typeof locateDifferences> {
    const root = this.#pair(reader, writer, null, "", "");
    for (let pair = this.#unexpanded.pop(); pair !== undefined; pair = this.#unexpanded.pop()) {
      if (!this.#expand(pair)) {
        const pointer = placeOf(pair);
        return {
          ok: false,
          reason: "too_complex",
          pointer,
          message: `Reader and writer are too complex to decide, at ${pointer || "the root"}: their types meet in too many pairs.`,
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

  /** False where a bound on work was reached. */
  #expand(pair: Pair): boolean {
    const { reader, writer, entries } = pair;
    this.#work += workOf(reader) + workOf(writer);
    if (this.#work > MAX_COMPARE_WORK) return false;
    const push = (entry: LocalDifference | Part) => entries.push("options" in entry ? this.#part(entry, pair) : entry);
    expandPair(reader, writer, this.#context, { push });
    if (entries.some(isBroken)) this.#fail(pair);
    return this.#count <= MAX_COMPARED_PAIRS && !this.#context.defaults.isExhausted;
  }

  #part({ options, onFailure }: Part, owner: Pair): PairPart {
    const part: PairPart = { owner, options: [], failedOptions: 0, onFailure };
    for (const { reader, writer, readerStep, writerStep } of options) {
      // Unions of thousands of branches of one name on both sides make millions of pairs in one expansion.
      if (this.#count > MAX_COMPARED_PAIRS) break;
      const pair = this.#pair(reader, writer, owner, readerStep, writerStep);
      pair.usedBy.push(part);
      part.options.push({ pair, readerStep, writerStep });
    }
    return part;
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

/** Types that can be met again: by name, or inside what is. */
function isComposite(type: AvroType): boolean {
  return isNamed(type) || "branches" in type || "items" in type || "values" in type;
}

/** Where the pair was first met, as a pointer into the reader. */
function placeOf(pair: Pair): string {
  const steps: string[] = [];
  for (let at: Pair | null = pair; at !== null; at = at.from) steps.push(at.readerStep);
  return steps.reverse().join("");
}

/** What is told, within the bounds. Past them only what breaks is, of which there is always at least one: the verdict hangs on it. */
class DifferenceList {
  readonly told: LocatedDifference[] = [];
  #breaking = 0;
  #characters = 0;

  add(located: LocatedDifference): void {
    const { severity, reader_pointer, writer_pointer } = located.difference;
    const isBreaking = severity === "breaking";
    if (this.#isFull() && !(isBreaking && this.#breaking === 0)) return;
    if (isBreaking) this.#breaking += 1;
    this.#characters += (reader_pointer?.length ?? 0) + (writer_pointer?.length ?? 0);
    this.told.push(located);
  }

  isComplete(): boolean {
    return this.#isFull() && this.#breaking > 0;
  }

  #isFull(): boolean {
    return this.told.length >= MAX_DIFFERENCES || this.#characters > MAX_POINTER_CHARACTERS;
  }
}

/** The differences in the order of the reader's text, those of a pair once, at the first place where it is met. */
function tellDifferences(root: Pair): LocatedDifference[] {
  const list = new DifferenceList();
  const seen = new Set<Pair>();
  const recursion = new RecursionCheck();
  type Place = { pair: Pair; readerPointer: string; writerPointer: string; trail: Trail };
  const waiting: (Place | LocatedDifference)[] = [{ pair: root, readerPointer: "", writerPointer: "", trail: null }];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    if (list.isComplete()) break;
    if ("difference" in place) {
      list.add(place);
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
      const { options, failedOptions, onFailure } = entry;
      if (failedOptions === options.length && onFailure !== null) {
        if (!recursion.explains(entry, trail)) waiting.push(locate(onFailure()));
        continue;
      }
      const taken = options.find((option) => !option.pair.failed) ?? options[0];
      if (taken === undefined) continue;
      waiting.push({
        pair: taken.pair,
        readerPointer: readerPointer + taken.readerStep,
        writerPointer: writerPointer + taken.writerStep,
        trail: { pair, writerStep: taken.writerStep, before: trail },
      });
    }
  }
  return list.told;
}

function withPointers(local: LocalDifference, readerPointer: string, writerPointer: string): Difference {
  const { readerStep, writerStep, ...difference } = local;
  return {
    ...difference,
    reader_pointer: readerStep === null ? null : readerPointer + readerStep,
    writer_pointer: writerStep === null ? null : writerPointer + writerStep,
  };
}
