/** Merges concurrent misses for a key within an isolate, so a thousand callers of a new id query the primary once. */
import { withinDeadline } from "../../registry/deadline.ts";
import type { Edge } from "../edge.ts";

/** A shared promise without a deadline can hang an isolate: the leader's request may have ended. */
export const MERGE_MS = 250;

const TOO_LATE = Symbol("too late");

/**
 * The result of a call in progress, or of a new one; `merged` means that another caller started it, perhaps earlier.
 */
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
  // After waiting in vain, this caller leads: the earlier leader may never answer.
  cache.lead(key, own);
  const settled = own.then(
    () => undefined,
    () => undefined,
  );
  // The followers' result must not depend on the leader's client staying connected.
  edge.waitUntil(settled.then(() => cache.endMiss(key, own)));
  return { answer: await own, merged: false };
}

/** A failed leader counts as a late one: the follower queries itself and gets its own error. */
async function withinMergeTime<T>(leader: Promise<T>): Promise<T | typeof TOO_LATE> {
  return withinDeadline<T | typeof TOO_LATE, typeof TOO_LATE>(
    MERGE_MS,
    leader.catch(() => TOO_LATE),
    () => TOO_LATE,
  );
}
