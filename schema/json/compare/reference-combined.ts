/** allOf, anyOf and oneOf under the reference registry's rules: members are paired so that as many as possible are compatible. */
import { equalityKey } from "../equality";
import { type Findings, step } from "./findings";
import { maximumMatching } from "./matching";
import type { ReferenceComparison } from "./reference";
import type { CombinedSchema, TypedSchema } from "./typed-schema";

export function compareCombined(
  comparison: ReferenceComparison,
  findings: Findings,
  original: CombinedSchema,
  update: CombinedSchema,
): void {
  const before = distinctMembers(original);
  const after = distinctMembers(update);
  comparison.meter.spend(before.length * after.length, "");
  if (!compareCriteria(findings, original, update, before.length === 1, after.length === 1)) return;
  if (before.length < after.length) {
    const kind = update.criterion === "allOf" ? "PRODUCT_TYPE_EXTENDED" : "SUM_TYPE_EXTENDED";
    findings.add(step(update.criterion), kind);
  } else if (before.length > after.length) {
    const kind = original.criterion === "allOf" ? "PRODUCT_TYPE_NARROWED" : "SUM_TYPE_NARROWED";
    findings.add(step(original.criterion), kind);
  }
  const outcomes = before.map((a, index) =>
    after.map((b) => comparison.compare(a, b, step(original.criterion, index))),
  );
  // The fewer differences, the likelier the two are the same member.
  const edges = outcomes.map((row) =>
    [...row.keys()].filter((index) => row[index]!.isCompatible).sort((a, b) => row[a]!.count - row[b]!.count),
  );
  let matched = 0;
  maximumMatching(edges, after.length).forEach((partner, index) => {
    if (partner === -1) return;
    matched += 1;
    findings.include(step(original.criterion, index), outcomes[index]![partner]!);
  });
  if (matched < Math.min(before.length, after.length)) findings.add("", "COMBINED_TYPE_SUBSCHEMAS_CHANGED");
}

/** Whether the members can be compared at all. */
function compareCriteria(
  findings: Findings,
  original: CombinedSchema,
  update: CombinedSchema,
  originalIsSingle: boolean,
  updateIsSingle: boolean,
): boolean {
  if (original.criterion === update.criterion) return true;
  const isLooser =
    update.criterion === "anyOf" ||
    (originalIsSingle && updateIsSingle) ||
    (originalIsSingle && update.criterion === "oneOf") ||
    (updateIsSingle && original.criterion === "allOf");
  findings.add("", isLooser ? "COMBINED_TYPE_EXTENDED" : "COMBINED_TYPE_CHANGED");
  return isLooser;
}

/** Parts of one schema are distinct by their nature; written members are compared as texts. */
function distinctMembers(schema: CombinedSchema): TypedSchema[] {
  const seen = new Set<string>();
  return schema.members
    .map((member) => member())
    .filter((member) => {
      if (member.isPart) return true;
      const key = equalityKey(member.node);
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
}
