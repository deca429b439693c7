/** The graph of a comparison: one reader type meeting one writer type, and what it depends on. */

import type { AvroType } from "../model.ts";
import type { LocalDifference } from "./expand-pair.ts";

/** `from` and the steps tell where the pair was first met. */
export type Pair = {
  reader: AvroType;
  writer: AvroType;
  from: Pair | null;
  readerStep: string;
  writerStep: string;
  /** Differences and parts in the order of the text. */
  entries: (LocalDifference | PairPart)[];
  usedBy: PairPart[];
  failed: boolean;
};

/** One part of `owner`, which fails when all its options have. */
export type PairPart = {
  owner: Pair;
  options: { pair: Pair; readerStep: string; writerStep: string }[];
  failedOptions: number;
  onFailure: (() => LocalDifference) | null;
};

/** Whether the entry fails by itself: a breaking difference, or a part without any option. */
export function isBroken(entry: LocalDifference | PairPart): boolean {
  return isPart(entry) ? entry.options.length === 0 : entry.severity === "breaking";
}

export function isPart(entry: LocalDifference | PairPart): entry is PairPart {
  return "owner" in entry;
}

function partsOf(pair: Pair): PairPart[] {
  return pair.entries.filter(isPart);
}

type Trail = { pair: Pair; before: Trail } | null;

/** Pairs looked at again over one comparison; past it a difference is told even if another one explains it. */
const MAX_STEPS = 200_000;

/**
 * Whether a union lacks no branch of its own, but only contains, by recursion, what fails around it: in a list whose
 * `next` is a union of null and the list, a field that fails is one difference and not a missing branch as well.
 */
export class RecursionCheck {
  #stepsLeft = MAX_STEPS;

  /** Whether one of the part's options holds, if the pairs around it are taken to hold. */
  explains({ options, owner }: PairPart, trail: Trail): boolean {
    const around = new Set([owner]);
    for (let step = trail; step !== null; step = step.before) {
      around.add(step.pair);
      this.#stepsLeft -= 1;
    }
    return options.some(({ pair }) => this.#holds(pair, around));
  }

  #holds(option: Pair, around: ReadonlySet<Pair>): boolean {
    if (around.has(option)) return true;
    const inside = new Set([option]);
    let isRecursive = false;
    for (const pair of inside) {
      this.#stepsLeft -= 1;
      if (this.#stepsLeft < 0) return false;
      for (const part of partsOf(pair)) {
        for (const { pair: next } of part.options) {
          if (around.has(next)) isRecursive = true;
          else inside.add(next);
        }
      }
    }
    // Without recursion the option fails by itself: no need to spread its failures again.
    return isRecursive && !failuresAmong(inside).has(option);
  }
}

/** The pairs that fail, if every pair outside the set holds. */
function failuresAmong(pairs: ReadonlySet<Pair>): Set<Pair> {
  const failed = new Set<Pair>();
  const waiting: Pair[] = [];
  const failedOptions = new Map<PairPart, number>();
  const fail = (pair: Pair) => {
    if (failed.has(pair)) return;
    failed.add(pair);
    waiting.push(pair);
  };
  for (const pair of pairs) {
    if (pair.entries.some(isBroken)) fail(pair);
  }
  for (let pair = waiting.pop(); pair !== undefined; pair = waiting.pop()) {
    for (const part of pair.usedBy) {
      if (!pairs.has(part.owner)) continue;
      const count = (failedOptions.get(part) ?? 0) + 1;
      failedOptions.set(part, count);
      if (count === part.options.length) fail(part.owner);
    }
  }
  return failed;
}
