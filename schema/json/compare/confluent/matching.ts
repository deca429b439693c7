/** Maximum-cardinality matching in a bipartite graph, by augmenting paths. */

/**
 * The partner of each left node, or -1: as many pairs as the graph allows, no right node twice. `candidates` gives the right
 * nodes in order of preference; `isEdge` is asked only as far as needed, which for nearly equal sides is once per node.
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

/** Breadth first, without recursion: a path may be as long as there are nodes. */
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

/** Gives each right node on the path to the left node it was reached from. */
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
