/** Collects the differences of a decided comparison, in the order of the reader's text, visiting each pair of types once. */
import type { Difference } from "../../compatibility.ts";
import { DifferenceList } from "../../difference-list.ts";
import type { Sliced } from "../../slices.ts";
import type { WorkMeter } from "../../work-meter.ts";
import { type BranchChoice, type BranchPair, type Entry, isPart, type LocalDifference } from "./entry.ts";
import { expandPair } from "./expand-pair.ts";
import type { MeetingTypes, Pair, PairGraph } from "./pair-graph.ts";
import type { CompareContext } from "./policy-rules.ts";
import { RecursionCheck } from "./recursion-check.ts";

/**
 * The path from the root to a place, last step first: the types passed and the writer's steps out of them. Holds no
 * nodes of the graph: every difference would keep them in memory.
 */
export type Trail = { pair: MeetingTypes; writerStep: string; before: Trail } | null;

/** A difference with its pair of types, that pair's pointers and the path to it. */
export type LocatedDifference = {
  difference: Difference;
  trail: Trail;
  pair: MeetingTypes;
  readerPointer: string;
  writerPointer: string;
};

type Frame = {
  pair: MeetingTypes;
  readerPointer: string;
  writerPointer: string;
  trail: Trail;
  entries: Iterator<Entry>;
};

export class DifferenceWalk {
  readonly #graph: PairGraph;
  readonly #context: CompareContext;
  readonly #list = new DifferenceList<LocatedDifference>(({ difference }) => difference);
  readonly #seen = new Set<Pair>();
  readonly #recursion: RecursionCheck;
  /** An explicit stack, because chains of names can be deeper than the call stack. */
  readonly #frames: Frame[] = [];

  constructor(graph: PairGraph, context: CompareContext) {
    this.#graph = graph;
    this.#recursion = new RecursionCheck(graph);
    this.#context = context;
  }

  *list(root: MeetingTypes, meter: WorkMeter): Sliced<DifferenceList<LocatedDifference>> {
    this.#enter(root, "", "", null);
    for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
      const { done, value: entry } = frame.entries.next();
      if (done === true) this.#frames.pop();
      else if (isPart(entry)) this.#follow(entry, frame);
      else this.#add(entry, frame);
      if (meter.isSliceOver()) yield meter.takeMicros();
    }
    return this.#list;
  }

  /** The current place, as a pointer into the reader. */
  place(): string {
    return this.#frames.at(-1)?.readerPointer ?? "";
  }

  #enter({ reader, writer }: MeetingTypes, readerPointer: string, writerPointer: string, trail: Trail): void {
    const pair = { reader, writer };
    const node = this.#graph.find(pair);
    if (node !== undefined) {
      if (this.#seen.has(node)) return;
      this.#seen.add(node);
    }
    const entries = expandPair(reader, writer, this.#context);
    this.#frames.push({ pair, readerPointer, writerPointer, trail, entries });
  }

  /** Follows the option that holds; otherwise reports the part's failure, or follows the first option. */
  #follow({ options, onFailure }: BranchChoice, frame: Frame): void {
    const tried: BranchPair[] = [];
    let taken: BranchPair | undefined;
    for (const option of options) {
      tried.push(option);
      if (!this.#graph.holds(option)) continue;
      taken = option;
      break;
    }
    if (taken === undefined && onFailure !== null) {
      if (!this.#recursion.explains(tried, frame.pair, frame.trail)) this.#add(onFailure(), frame);
      return;
    }
    const next = taken ?? tried[0];
    if (next === undefined) return;
    this.#enter(next, frame.readerPointer + next.readerStep, frame.writerPointer + next.writerStep, {
      pair: frame.pair,
      writerStep: next.writerStep,
      before: frame.trail,
    });
  }

  #add(local: LocalDifference, { pair, readerPointer, writerPointer, trail }: Frame): void {
    if (!this.#list.count(local.severity)) return;
    const difference = withPointers(local, readerPointer, writerPointer);
    this.#list.add({ difference, trail, pair, readerPointer, writerPointer });
  }
}

function withPointers(local: LocalDifference, readerPointer: string, writerPointer: string): Difference {
  const { readerStep, writerStep, ...difference } = local;
  return {
    ...difference,
    reader_pointer: readerStep === null ? null : readerPointer + readerStep,
    writer_pointer: writerStep === null ? null : writerPointer + writerStep,
  };
}
