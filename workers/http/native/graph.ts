/** `/schemas/{id}/dependencies` and `/dependents`. */
import { recordView } from "../../../registry/record-view.ts";
import { type GraphQuestion, readGraph } from "../../registry/read/graph.ts";
import { type Answer, jsonAnswer, provenance } from "../answer.ts";
import { requireValue } from "../errors.ts";
import type { NativeRequest } from "./request.ts";

export function getDependencies(request: NativeRequest): Promise<Answer> {
  return answerGraph(request, "dependencies");
}

export function getDependents(request: NativeRequest): Promise<Answer> {
  return answerGraph(request, "dependents");
}

async function answerGraph(request: NativeRequest, direction: GraphQuestion["direction"]): Promise<Answer> {
  const { edge, path, query } = request;
  const question = {
    id: path.id!,
    direction,
    transitive: query.transitive as boolean | undefined,
    depth: query.depth as number | undefined,
    deleted: query.deleted === true,
  };
  const { slice, cycles, subjectCycles, asOf } = requireValue(await readGraph(edge, question));
  const { root, nodes, edges, missing, frontier } = slice;
  return jsonAnswer(
    200,
    {
      root,
      nodes: nodes.map(({ record, depth }) => ({ record: recordView(record), depth })),
      edges,
      missing,
      cycles,
      subject_cycles: subjectCycles,
      truncated: frontier.length > 0,
      frontier,
    },
    provenance(asOf, "primary"),
  );
}
