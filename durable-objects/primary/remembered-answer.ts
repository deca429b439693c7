/** The stored answer to a command, for repeats of the request. */
import type { Outcome } from "../../registry/commands.ts";
import type { AsOf } from "../../registry/log-entry.ts";

/** The stored form, which earlier builds also wrote. `digest` identifies the command that was answered. */
export type RememberedAnswer = {
  type: "done";
  outcome: Outcome;
  asOf: AsOf;
  repeated: boolean;
  digest?: string | undefined;
};

export function parseRememberedAnswer(text: string): RememberedAnswer {
  const answer = JSON.parse(text) as RememberedAnswer;
  return { ...answer, outcome: withSemver(answer.outcome) };
}

/** Answers are kept for a day, so after an update some have the previous build's form, whose records had a `label`. */
function withSemver(outcome: Outcome): Outcome {
  if (!("record" in outcome) || !("label" in outcome.record)) return outcome;
  const { label, ...record } = outcome.record as typeof outcome.record & { label: string | null };
  return { ...outcome, record: { ...record, semver: label } };
}
