/** Rows of a data set, streamed: each against the row's schema, all of them against the expectations. */
import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import type { DataError } from "../../../schema/data.ts";
import { readDataBytes } from "../../../schema/data-text.ts";
import { ExpectationCheck, type ExpectationResult } from "../../../schema/dataset/expectations.ts";
import type { DatasetModel } from "../../../schema/dataset/model.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { Fairness } from "../../validation/fairness.ts";
import { readLineGroups } from "../../validation/lines.ts";
import type { FoundTarget } from "../../validation/targets.ts";
import { validateValue } from "../../validation/validate.ts";

/** Rows of one request. */
const MAX_CHECKED_ROWS = 200_000;
/** Rows that are named with their first error. */
const MAX_NAMED_ROWS = 100;

type CheckedRows = {
  rows: number;
  invalid: number;
  errors: readonly (DataError & { line: number })[];
  expectations: readonly ExpectationResult[];
};

export async function checkRows(
  { target }: FoundTarget,
  chunks: AsyncIterable<Uint8Array>,
): Promise<Result<CheckedRows, Refusal>> {
  const expectations = new ExpectationCheck((target.model as DatasetModel).own.expectations);
  const fairness = new Fairness();
  const errors: (DataError & { line: number })[] = [];
  let rows = 0;
  let invalid = 0;
  for await (const group of readLineGroups(chunks)) {
    for (const line of group) {
      rows += 1;
      if (rows > MAX_CHECKED_ROWS) {
        const detail = `A check takes at most ${MAX_CHECKED_ROWS} rows; send the rest in further requests.`;
        return refuse(makeRefusal("UNPROCESSABLE", [detail], detail));
      }
      const read = "bytes" in line ? readDataBytes(line.bytes) : refuse(line.unreadable);
      const outcome = read.ok
        ? validateValue(target, read.value, { formats: true })
        : ok({ verdict: read.refusal, engine: "interpreted" as const });
      if (!outcome.ok) return outcome;
      const [first] = outcome.value.verdict.errors;
      if (!outcome.value.verdict.valid) {
        invalid += 1;
        if (first !== undefined && errors.length < MAX_NAMED_ROWS) errors.push({ line: line.line, ...first });
      }
      if (read.ok) expectations.add(read.value, line.line);
      const turn = fairness.after(outcome);
      if (turn !== undefined) await turn;
    }
  }
  return ok({ rows, invalid, errors, expectations: expectations.results() });
}
