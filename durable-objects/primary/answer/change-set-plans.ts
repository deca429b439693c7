/**
 * What the users of a change set's artefacts must do. It is read from the entries at every answer and stored nowhere
 * else, so that a hard delete of a version takes its plan along.
 */
import type { CommitAnswer } from "../../../registry/rpc.ts";
import type { Plan } from "../../../schema/plan.ts";
import { type GroupedPlans, groupPlans } from "../../../schema/plan-groups.ts";
import { readChangeSet } from "../state/change-sets.ts";

/** SQLite extracts the plans, because payloads with large contracts would take seconds to parse here. */
export function readGroupedPlans(sql: SqlStorage, firstSeq: number, lastSeq: number): GroupedPlans | undefined {
  const rows = sql
    .exec<{ subject: string; version_number: number; plan: string }>(
      `SELECT CAST(header AS TEXT) ->> '$.subject' AS subject,
         CAST(payload AS TEXT) ->> '$.numbering.number' AS version_number,
         CAST(payload AS TEXT) -> '$.numbering.plan' AS plan
       FROM entries
       WHERE seq BETWEEN ? AND ? AND CAST(payload AS TEXT) -> '$.numbering.plan' IS NOT NULL
       ORDER BY seq`,
      firstSeq,
      lastSeq,
    )
    .toArray();
  return groupPlans(rows.map(({ plan, ...version }) => ({ ...version, plan: JSON.parse(plan) as Plan })));
}

/** The answer to a command that made a change set, with its plans. */
export function withGroupedPlans(sql: SqlStorage, answer: CommitAnswer): CommitAnswer {
  if (!answer.ok || answer.value.type !== "done") return answer;
  const { outcome } = answer.value;
  if ((outcome.type !== "changes" && outcome.type !== "proposal") || outcome.changeSet === null) return answer;
  const changeSet = readChangeSet(sql, outcome.changeSet);
  const plans = changeSet && readGroupedPlans(sql, changeSet.firstSeq, changeSet.lastSeq);
  return plans === undefined ? answer : { ...answer, value: { ...answer.value, outcome: { ...outcome, plans } } };
}
