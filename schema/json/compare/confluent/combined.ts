/**
 * allOf, anyOf and oneOf under the Confluent server's rules: members are paired so that as many as possible are
 * compatible.
 */

import type { ComparisonMeter } from "../bounds.ts";
import { type Findings, step } from "./findings.ts";
import { maximumMatching } from "./matching.ts";
import type { NodeIds } from "./node-ids.ts";
import type { PairComparison } from "./pair-comparison.ts";
import type { CombinedSchema, TypedSchema } from "./typed-schema.ts";

/** Steps to read a member, before it is compared. */
const WORK_PER_MEMBER = 2;
/** Steps to consider a member as a partner. */
const WORK_PER_CANDIDATE = 0.02;

export function compareCombined(
  comparison: PairComparison,
  findings: Findings,
  original: CombinedSchema,
  update: CombinedSchema,
): void {
  const { meter, nodeIds } = comparison;
  const before = distinctMembers(comparison, original);
  const after = distinctMembers(comparison, update);
  if (!compareCriteria(findings, original, update, before.length === 1, after.length === 1)) return;
  if (before.length < after.length) {
    const kind = update.criterion === "allOf" ? "PRODUCT_TYPE_EXTENDED" : "SUM_TYPE_EXTENDED";
    findings.add(step(update.criterion), kind);
  } else if (before.length > after.length) {
    const kind = original.criterion === "allOf" ? "PRODUCT_TYPE_NARROWED" : "SUM_TYPE_NARROWED";
    findings.add(step(original.criterion), kind);
  }
  const outcomeOf = (a: number, b: number) => comparison.compare(before[a], after[b], step(original.criterion, a));
  const indexes = new Map(after.map((member, index) => [memberKey(nodeIds, member), index]));
  const partners = maximumMatching(
    before.length,
    after.length,
    (a) => likelyPartners(a, indexes.get(memberKey(nodeIds, before[a]!)), after.length, meter),
    (a, b) => {
      meter.spend(1, "");
      return comparison.isCompatible(before[a], after[b], step(original.criterion, a));
    },
  );
  const matched = partners.filter((partner) => partner !== -1).length;
  partners.forEach((partner, index) => {
    if (partner !== -1) findings.include(step(original.criterion, index), outcomeOf(index, partner));
  });
  if (matched < Math.min(before.length, after.length)) findings.add("", "COMBINED_TYPE_SUBSCHEMAS_CHANGED");
}

function memberKey(nodeIds: NodeIds, { class: kind, node, isPart }: TypedSchema): string | number {
  return isPart ? `part ${kind}` : nodeIds.idOf(node);
}

/** Prefers members with equal text, then members at the same index. */
function* likelyPartners(
  index: number,
  alike: number | undefined,
  count: number,
  meter: ComparisonMeter,
): Generator<number> {
  if (alike !== undefined) yield alike;
  if (index < count && index !== alike) yield index;
  for (let other = 0; other < count; other += 1) {
    meter.spend(WORK_PER_CANDIDATE, "");
    if (other !== alike && other !== index) yield other;
  }
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

const knownMembers = new WeakMap<CombinedSchema, readonly TypedSchema[]>();

/** Parts of one schema are always distinct; written members are compared as texts. */
function distinctMembers({ meter, nodeIds }: PairComparison, schema: CombinedSchema): readonly TypedSchema[] {
  const known = knownMembers.get(schema);
  if (known !== undefined) return known;
  meter.spend(schema.members.length * WORK_PER_MEMBER, step(schema.criterion));
  const seen = new Set<number>();
  const members = schema.members
    .map((member) => member())
    .filter((member) => {
      if (member.isPart) return true;
      const key = nodeIds.idOf(member.node);
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
  knownMembers.set(schema, members);
  return members;
}
