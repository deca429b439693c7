/** Dependencies and dependents of a version, read from the primary and therefore current. */

import type { Refusal } from "../../../contract/errors.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { GraphSlice } from "../../../registry/questions.ts";
import { schemaNotFound } from "../../../registry/record.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { printSubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { isId } from "./read.ts";

/** Default depth of a transitive query. */
const DEFAULT_GRAPH_DEPTH = 10;

export type GraphQuestion = {
  id: string;
  direction: "dependencies" | "dependents";
  transitive: boolean | undefined;
  depth: number | undefined;
  deleted: boolean;
};

type Graph = {
  slice: GraphSlice;
  /** Ids of versions that reference each other. */
  cycles: string[][];
  /** Qualified subjects whose versions reference each other. */
  subjectCycles: string[][];
  asOf: AsOf;
};

export async function readGraph(
  edge: Edge,
  { id, direction, transitive, depth, deleted }: GraphQuestion,
): Promise<Result<Graph, Refusal>> {
  if (!isId(id)) return refuse(schemaNotFound(id));
  // `depth` limits the steps; `transitive=false` means one step, overriding `depth`.
  const steps = transitive === false ? 1 : (depth ?? (transitive ? DEFAULT_GRAPH_DEPTH : 1));
  const answer = await edge.primary.read("graph", { id, direction, depth: steps, deleted });
  if (!answer.ok) return answer;
  const { value: slice, asOf } = answer.value;
  if (slice === null) return refuse(schemaNotFound(id));
  const subjects = new Map(slice.nodes.map(({ record }) => [record.id, printSubjectName(record)]));
  const between = slice.edges.map(({ from, to }) => ({ from: subjects.get(from)!, to: subjects.get(to)! }));
  return ok({
    slice,
    cycles: findCycles(slice.edges),
    // A version that references an earlier version of the same subject is not a cycle.
    subjectCycles: findCycles(between.filter(({ from, to }) => from !== to)),
    asOf,
  });
}

type Step = { from: string; to: string };

/** Strongly connected components (Tarjan), each sorted; iterative, because chains may be long. */
export function findCycles(edges: readonly Step[]): string[][] {
  const next = new Map<string, string[]>();
  for (const { from, to } of edges) next.set(from, [...(next.get(from) ?? []), to]);
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  const found: string[][] = [];

  for (const start of next.keys()) {
    if (order.has(start)) continue;
    const path = [{ node: start, at: 0 }];
    while (path.length > 0) {
      const step = path.at(-1)!;
      const { node } = step;
      if (step.at === 0 && !order.has(node)) {
        order.set(node, order.size);
        lowest.set(node, order.get(node)!);
        open.push(node);
        isOpen.add(node);
      }
      const target = next.get(node)?.[step.at];
      if (target !== undefined) {
        step.at += 1;
        if (!order.has(target)) path.push({ node: target, at: 0 });
        else if (isOpen.has(target)) lowest.set(node, Math.min(lowest.get(node)!, order.get(target)!));
        continue;
      }
      path.pop();
      const before = path.at(-1);
      if (before) lowest.set(before.node, Math.min(lowest.get(before.node)!, lowest.get(node)!));
      if (lowest.get(node) !== order.get(node)) continue;
      const component = open.splice(open.lastIndexOf(node));
      for (const member of component) isOpen.delete(member);
      if (component.length > 1 || next.get(node)?.includes(node)) found.push(component.sort());
    }
  }
  return found;
}
