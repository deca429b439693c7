/** Finds schemas by Confluent id, in the contexts that the Confluent API searches. */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import { MAX_QUERY_ROWS } from "../../../registry/rpc.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { DEFAULT_CONTEXT, parseSubjectName, type SubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { type Consistency, type RecordAnswer, readRecordOfId } from "../../read-path/records.ts";

/** An id in a context, or as a subject sees it. */
type IdInScope = { confluentId: number; subject: string | undefined };

/** The context to search if no subject is given or the name is only a context; undefined if a subject is given. */
export function contextOfScope(subject: string | undefined): string | undefined {
  if (subject === undefined) return DEFAULT_CONTEXT;
  const name = parseSubjectName(subject);
  return name.subject === "" ? name.context : undefined;
}

/** The subject's version with this id, else any in its context. */
export async function readRecordByConfluentId(
  edge: Edge,
  wanted: { confluentId: number; name: SubjectName },
  consistency: Consistency,
): Promise<Result<RecordAnswer, Refusal>> {
  const found = await readRecordOfId(edge, wanted, consistency);
  if (!found.ok) return found;
  return "missing" in found.value ? refuse(confluentIdNotFound(wanted.confluentId)) : ok({ ...found.value });
}

/** The newest version with this id of each subject. */
export async function listUsesOfConfluentId(
  edge: Edge,
  { confluentId, subject, deleted }: IdInScope & { deleted: boolean },
): Promise<Result<{ records: SchemaRecord[]; asOf: AsOf }, Refusal>> {
  const primary = edge.primary;
  const notFound = () =>
    makeRefusal("SCHEMA_TEXT_NOT_FOUND", [], `There is no schema with Confluent id ${confluentId}.`);
  let context = contextOfScope(subject);
  if (context === undefined) {
    const name = parseSubjectName(subject!);
    const answer = await primary.read("recordByConfluentId", { name, confluentId });
    if (!answer.ok) return answer;
    if (answer.value.value === null) return refuse(notFound());
    context = answer.value.value.context;
  }
  const records: SchemaRecord[] = [];
  for (;;) {
    const offset = records.length;
    const answer = await primary.read("usesOfConfluentId", { context, confluentId, deleted, offset });
    if (!answer.ok) return answer;
    if (!answer.value.value.known) return refuse(notFound());
    records.push(...answer.value.value.records);
    if (answer.value.value.records.length < MAX_QUERY_ROWS) return ok({ records, asOf: answer.value.asOf });
  }
}

export function confluentIdNotFound(id: number | string): Refusal {
  return makeRefusal("SCHEMA_NOT_FOUND", [id], `There is no schema with Confluent id ${id}.`);
}
