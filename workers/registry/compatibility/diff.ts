/** Compares two versions of a subject in both directions. */

import type { Refusal } from "../../../contract/errors.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import { isCompatible, type Policy, type WriterAssumption } from "../../../schema/compatibility.ts";
import { listWithin } from "../../../schema/difference-list.ts";
import type { Plan } from "../../../schema/plan.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import type { Role } from "../../../schema/rules/roles.ts";
import { mergeRuleBooks } from "../../../schema/rules/rule-book.ts";
import type { Edge } from "../../edge.ts";
import { goneMeanwhile } from "../../read-path/texts.ts";
import { readBySelector } from "../read/read.ts";
import {
  type Comparable,
  compareSides,
  MAX_SHOWN_DIFFERENCE_BYTES,
  MAX_WITNESSES,
  registeredSide,
  type ShownDifference,
  shownDifferences,
} from "./compare.ts";

type DiffQuestion = {
  subject: string;
  context: string | undefined;
  from: string;
  to: string;
  deleted: boolean;
  policy: Policy | undefined;
  writers: WriterAssumption | undefined;
};

/** `total`: the number of differences, listed or not. */
export type DirectionalDiff = { compatible: boolean; differences: ShownDifference[]; total: number; plan?: Plan };

type VersionDiff = {
  from: SchemaRecord;
  to: SchemaRecord;
  policy: Policy;
  writers: WriterAssumption;
  role: Role | null;
  /** `to` reads what `from` wrote. */
  backward: DirectionalDiff;
  /** `from` reads what `to` writes. */
  forward: DirectionalDiff;
  asOf: AsOf;
};

export async function diffVersions(edge: Edge, question: DiffQuestion): Promise<Result<VersionDiff, Refusal>> {
  const { subject, context, deleted } = question;
  const sides: { record: SchemaRecord; side: Comparable }[] = [];
  for (const version of [question.from, question.to]) {
    const read = await readBySelector(edge, { subject, context, version, deleted }, STRICT);
    if (!read.ok) return read;
    const side = await sideOfRecord(edge, read.value.record);
    if (!side.ok) return side;
    sides.push({ record: read.value.record, side: side.value });
  }
  const [from, to] = sides as [(typeof sides)[0], (typeof sides)[0]];
  const name = { context: to.record.context, subject: to.record.subject };
  const answer = await edge.primary.read("subjectPolicies", { names: [name], api: "native" });
  if (!answer.ok) return answer;
  const { tenantRules, subjects } = answer.value.value;
  const own = subjects[0]!;
  const judgement = {
    policy: question.policy ?? own.policy,
    writers: question.writers ?? own.writers,
    role: own.role,
    book: mergeRuleBooks(tenantRules, own.rules),
  };
  const shown = { writers: judgement.writers, role: judgement.role, left: { witnesses: MAX_WITNESSES } };
  const direction = async (reader: Comparable, writer: Comparable): Promise<Result<DirectionalDiff, Refusal>> => {
    const compared = await compareSides(edge, reader, writer, judgement);
    if (!compared.ok) return compared;
    const { differences: all, total } = compared.value;
    const differences = listWithin(
      await shownDifferences(edge, reader, writer, all, shown),
      MAX_SHOWN_DIFFERENCE_BYTES,
    );
    const { plan } = compared.value;
    return ok({ compatible: isCompatible(all), differences, total, ...(plan === undefined ? {} : { plan }) });
  };
  const backward = await direction(to.side, from.side);
  if (!backward.ok) return backward;
  const forward = await direction(from.side, to.side);
  if (!forward.ok) return forward;
  const { policy, writers, role } = judgement;
  return ok({
    from: from.record,
    to: to.record,
    policy,
    writers,
    role,
    backward: backward.value,
    forward: forward.value,
    asOf: answer.value.asOf,
  });
}

const STRICT = { token: undefined, maxAgeMs: 0 };

async function sideOfRecord(edge: Edge, record: SchemaRecord): Promise<Result<Comparable, Refusal>> {
  const { contentHash, context } = record;
  const answer = await edge.primary.read("closure", { contentHash, context });
  if (!answer.ok) return answer;
  return answer.value.value === null ? refuse(goneMeanwhile()) : registeredSide(edge, record, answer.value.value);
}
