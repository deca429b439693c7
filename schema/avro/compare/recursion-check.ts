/**
 * Suppresses missing-branch differences that merely repeat a failure around them through recursion: in a linked list whose
 * `next` is a union of null and the list, one failing field should not also be reported as a missing branch.
 */
import type { Trail } from "./locate-differences.ts";
import type { MeetingTypes, Pair, PairGraph, PairPart } from "./pair-graph.ts";

/** The most pairs visited per comparison; past it, redundant differences may be reported. */
const MAX_STEPS = 100_000;

export class RecursionCheck {
  readonly #graph: PairGraph;
  #stepsLeft = MAX_STEPS;

  constructor(graph: PairGraph) {
    this.#graph = graph;
  }

  /** Whether one of the options would hold if the pairs around it did. */
  explains(options: readonly MeetingTypes[], owner: MeetingTypes, trail: Trail): boolean {
    const inner = options.flatMap((option) => this.#graph.find(option) ?? []);
    if (inner.length === 0 || this.#stepsLeft < 0) return false;
    const around = new Set<Pair>();
    const surround = (types: MeetingTypes) => {
      const pair = this.#graph.find(types);
      if (pair !== undefined) around.add(pair);
      this.#stepsLeft -= 1;
    };
    surround(owner);
    for (let step = trail; step !== null && this.#stepsLeft > 0; step = step.before) surround(step.pair);
    return inner.some((option) => this.#holds(option, around));
  }

  #holds(option: Pair, around: ReadonlySet<Pair>): boolean {
    if (around.has(option)) return true;
    const inside = new Set([option]);
    let isRecursive = false;
    // Iterating a set also visits elements added meanwhile.
    for (const pair of inside) {
      this.#stepsLeft -= 1;
      if (this.#stepsLeft < 0) return false;
      for (const part of pair.parts ?? []) {
        for (const next of part.options) {
          if (around.has(next)) isRecursive = true;
          else inside.add(next);
        }
      }
    }
    // Without recursion the option fails on its own; no need to propagate failures again.
    return isRecursive && !failuresAmong(inside).has(option);
  }
}

/** The pairs that fail even if every pair outside the set holds. */
function failuresAmong(pairs: ReadonlySet<Pair>): Set<Pair> {
  const failed = new Set<Pair>();
  const waiting: Pair[] = [];
  const failedOptions = new Map<PairPart, number>();
  const fail = (pair: Pair) => {
    if (failed.has(pair)) return;
    failed.add(pair);
    waiting.push(pair);
  };
  for (const pair of pairs) if (pair.isBroken) fail(pair);
  for (let pair = waiting.pop(); pair !== undefined; pair = waiting.pop()) {
    for (const part of pair.usedBy ?? []) {
      if (!pairs.has(part.owner)) continue;
      const count = (failedOptions.get(part) ?? 0) + 1;
      failedOptions.set(part, count);
      if (count === part.options.length) fail(part.owner);
    }
  }
  return failed;
}
