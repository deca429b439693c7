/** Maximum-cardinality matching in a bipartite graph, by augmenting paths. */

/**
 * The partner of each left node, or -1: as many pairs as the graph allows, no right node twice.
 * `edges[left]` lists the right nodes it may take, in order of preference. Cost: left nodes × edges.
 */
export function maximumMatching(edges: readonly (readonly number[])[], rightCount: number): number[] {
  const takenBy = new Array<number>(rightCount).fill(-1);
  for (let start = 0; start < edges.length; start += 1) augment(start, edges, takenBy);
  const partners = new Array<number>(edges.length).fill(-1);
  takenBy.forEach((left, right) => {
    if (left !== -1) partners[left] = right;
  });
  return partners;
}

/** Breadth first, without recursion: a path may be as long as there are nodes. */
function augment(start: number, edges: readonly (readonly number[])[], takenBy: number[]): void {
  const reachedFrom = new Map<number, number>();
  const queue = [start];
  for (let at = 0; at < queue.length; at += 1) {
    const left = queue[at]!;
    for (const right of edges[left]!) {
      if (reachedFrom.has(right)) continue;
      reachedFrom.set(right, left);
      const owner = takenBy[right]!;
      if (owner !== -1) {
        queue.push(owner);
        continue;
      }
      flip(right, start, reachedFrom, takenBy);
      return;
    }
  }
}

/** Gives each right node on the path to the left node it was reached from. */
function flip(free: number, start: number, reachedFrom: ReadonlyMap<number, number>, takenBy: number[]): void {
  let right = free;
  for (;;) {
    const left = reachedFrom.get(right)!;
    const released = takenBy.indexOf(left);
    takenBy[right] = left;
    if (left === start) return;
    right = released;
  }
}
