/** Changes a record's attributes and lifecycle state; activating a draft is a registration. */

import type { Refusal } from "../../../contract/errors.ts";
import type { Command, Outcome } from "../../../registry/commands.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import { type Attributes, type SchemaRecord, schemaNotFound } from "../../../registry/record.ts";
import type { Caller } from "../../../registry/rpc.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { DEFAULT_CONTEXT } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { forgetRecords } from "../../read-path/records.ts";
import { isId } from "../read/read.ts";
import { commitCommand } from "./commit.ts";
import { withWitnesses } from "./refusal-witnesses.ts";

type RecordChanges = {
  id: string;
  changes: Partial<Attributes>;
  state: "active" | "deprecated" | "archived" | null;
  reason: string | null;
  ifMatchSeq: number | null;
};

type Changed = { record: SchemaRecord; asOf: AsOf };

export async function updateRecord(
  edge: Edge,
  caller: Caller,
  update: RecordChanges,
  options: { idempotencyKey?: string | undefined },
): Promise<Result<Changed, Refusal>> {
  const { id, changes, state, reason, ifMatchSeq } = update;
  if (!isId(id)) return refuse(schemaNotFound(id));
  const commit = async (command: Command, step: string): Promise<Result<Changed, Refusal>> => {
    const idempotencyKey = options.idempotencyKey && `${options.idempotencyKey}${step}`;
    const committed = await commitCommand(edge, caller, command, { idempotencyKey });
    if (!committed.ok) return refuse(await withWitnesses(edge, committed.refusal, { id }, DEFAULT_CONTEXT));
    forgetRecords(edge, [id]);
    return ok({ record: (committed.value.outcome as Outcome & { type: "record" }).record, asOf: committed.value.asOf });
  };
  const simple = () => commit({ type: "updateRecord", id, changes, state, reason, ifMatchSeq }, "");
  if (state !== "active") return simple();
  const draft = await isDraft(edge, id);
  // A repeated request finds the draft already activated; the key makes it return the first outcome.
  if (!draft && options.idempotencyKey === undefined) return simple();
  // Activates first, because activation can be refused, and then nothing has changed.
  const activated = await commit({ type: "activate", id, reason, ifMatchSeq }, "#activate");
  if (!activated.ok) return draft || activated.refusal.error !== "CONFLICT" ? activated : simple();
  if (Object.keys(changes).length === 0) return activated;
  return commit({ type: "updateRecord", id, changes, state: null, reason: null, ifMatchSeq: null }, "#update");
}

async function isDraft(edge: Edge, id: string): Promise<boolean> {
  const answer = await edge.primary.read("recordById", { id, deleted: false });
  return answer.ok && answer.value.value?.state === "draft";
}
