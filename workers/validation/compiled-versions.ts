/** Many versions of a subject and one datum: as many versions as allowed are compiled together. */
import type { DataForm, DataOptions } from "../../schema/data.ts";
import { writeDataText } from "../../schema/data-text.ts";
import type { Edge } from "../edge.ts";
import { compiledFor, findCompilable, MAX_COMPILED_TOGETHER, MAX_ISOLATES_IN_FLIGHT } from "./compiled.ts";
import { mayPayToCompile, paysToCompile } from "./pays.ts";
import type { Target } from "./targets.ts";
import type { UnframedPayload } from "./validate.ts";

/** The targets for which the compiled engine says that the datum is valid; the others are the interpreter's. */
export async function findCertainlyValid(
  edge: Edge,
  targets: readonly Target[],
  payload: UnframedPayload,
  options: DataOptions,
): Promise<Set<Target>> {
  const valid = new Set<Target>();
  if ("unreadable" in payload || edge.env.VALIDATORS === undefined) return valid;
  const form: DataForm = "value" in payload ? "value" : "bytes";
  if (form === "value" && !mayPayToCompile(targets, form)) return valid;
  const compilable = targets.filter((target) => findCompilable(target, form, options) !== undefined);
  if (compilable.length === 0) return valid;
  const bytes = "value" in payload ? new TextEncoder().encode(writeDataText(payload.value)) : payload.bytes;
  const groups = groupTargets(compilable).filter((group) => paysToCompile(group, form, bytes.length));
  for (let at = 0; at < groups.length; at += MAX_ISOLATES_IN_FLIGHT) {
    await Promise.all(
      groups.slice(at, at + MAX_ISOLATES_IN_FLIGHT).map(async (group) => {
        const compiled = await compiledFor(edge, group, form, options);
        const answers = await compiled?.check([bytes]);
        for (const [index, target] of group.entries()) if (answers?.[index] === 1) valid.add(target);
      }),
    );
  }
  return valid;
}

/** Groups of one format each. Versions have the format of their subject, so there is usually one kind. */
function groupTargets(targets: readonly Target[]): Target[][] {
  const groups: Target[][] = [];
  for (const sameFormat of Map.groupBy(targets, ({ format }) => format.name).values()) {
    for (let at = 0; at < sameFormat.length; at += MAX_COMPILED_TOGETHER) {
      groups.push(sameFormat.slice(at, at + MAX_COMPILED_TOGETHER));
    }
  }
  return groups;
}
