/** Maximum-cardinality matching in a bipartite graph, by augmenting paths. */

/**
 * The partner of each left node, or -1: as many pairs as the graph allows, using each right node at most once.
 * `candidates` gives the right nodes in order of preference; `isEdge` is called only as needed, which for nearly equal
 * sides is once per node.
 */
export function maximumMatching(
  leftCount: number,
  rightCount: number,
  candidates: (left: number) => Iterable<number>,
  isEdge: (left: number, right: number) => boolean,
): number[] {
  const partnerOf = new Array<number>(leftCount).fill(-1);
  const takenBy = new Array<number>(rightCount).fill(-1);
  for (let start = 0; start < leftCount; start += 1) augment(start, candidates, isEdge, partnerOf, takenBy);
  return partnerOf;
}

/** Breadth-first, without recursion, because a path may be as long as there are nodes. */
function augment(
  start: number,
  candidates: (left: number) => Iterable<number>,
  isEdge: (left: number, right: number) => boolean,
  partnerOf: number[],
  takenBy: number[],
): void {
  const reachedFrom = new Map<number, number>();
  const queue = [start];
  for (let at = 0; at < queue.length; at += 1) {
    const left = queue[at]!;
    if (reachedFrom.size === takenBy.length) return;
    for (const right of candidates(left)) {
      if (reachedFrom.has(right) || !isEdge(left, right)) continue;
      reachedFrom.set(right, left);
      const owner = takenBy[right]!;
      if (owner === -1) {
        flip(right, reachedFrom, partnerOf, takenBy);
        return;
      }
      queue.push(owner);
    }
  }
}

/** Assigns each right node on the path to the left node from which it was reached. */
function flip(free: number, reachedFrom: ReadonlyMap<number, number>, partnerOf: number[], takenBy: number[]): void {
  let right = free;
  while (right !== -1) {
    const left = reachedFrom.get(right)!;
    const released = partnerOf[left]!;
    partnerOf[left] = right;
    takenBy[right] = left;
    right = released;
  }
}
