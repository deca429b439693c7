/** Merges misses for one key in one isolate, so that a thousand callers of one new id ask the primary once. */
import type { Edge } from "../edge.ts";

/** A shared promise without a deadline can hang an isolate: its leader's request may be gone. */
export const MERGE_MS = 250;

const TOO_LATE = Symbol("too late");

/** The answer of the call under way, or of an own one; `merged` says that somebody else asked, perhaps earlier. */
export async function mergeMisses<T>(
  edge: Pick<Edge, "cache" | "waitUntil">,
  key: string,
  ask: () => Promise<T>,
): Promise<{ answer: T; merged: boolean }> {
  const { cache } = edge;
  const leader = cache.missUnderWay(key) as Promise<T> | undefined;
  if (leader !== undefined) {
    const answer = await withinMergeTime(leader);
    if (answer !== TOO_LATE) return { answer, merged: true };
  }
  const own = ask();
  // Whoever waited in vain leads from now on: the earlier leader may never answer.
  cache.lead(key, own);
  const settled = own.then(
    () => undefined,
    () => undefined,
  );
  // The followers' answer must not depend on the leader's caller staying connected.
  edge.waitUntil(settled.then(() => cache.endMiss(key, own)));
  return { answer: await own, merged: false };
}

/** A leader that fails is as good as one that is late: the follower asks by itself and gets its own error. */
async function withinMergeTime<T>(leader: Promise<T>): Promise<T | typeof TOO_LATE> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<typeof TOO_LATE>((resolve) => {
    timer = setTimeout(() => resolve(TOO_LATE), MERGE_MS);
  });
  try {
    return (await Promise.race([leader.catch(() => TOO_LATE), late])) as T | typeof TOO_LATE;
  } finally {
    clearTimeout(timer);
  }
}
