/** Soft and hard deletes, and undelete. A hard delete also drops entries from its own region's caches. */

import type { Refusal } from "../../../contract/errors.ts";
import type { Outcome } from "../../../registry/commands.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import { type SchemaRecord, schemaNotFound } from "../../../registry/record.ts";
import type { Caller } from "../../../registry/rpc.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { DEFAULT_CONTEXT, type SubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { forgetContents } from "../../read-path/content.ts";
import { forgetRecords } from "../../read-path/records.ts";
import { isId } from "../read/read.ts";
import { parseSubject } from "../read/subject-names.ts";
import { type Committed, commitCommand } from "./commit.ts";
import { withWitnesses } from "./refusal-witnesses.ts";

type Deleted = Outcome & { type: "deleted" };

export async function deleteById(
  edge: Edge,
  caller: Caller,
  { id, permanent, ifMatchSeq }: { id: string; permanent: boolean; ifMatchSeq: number | null },
  options: { idempotencyKey?: string | undefined },
): Promise<Result<AsOf, Refusal>> {
  if (!isId(id)) return refuse(schemaNotFound(id));
  const committed = await commitCommand(edge, caller, { type: "deleteRecord", id, permanent, ifMatchSeq }, options);
  if (!committed.ok) return committed;
  forgetDeleted(edge, committed.value, permanent);
  return ok(committed.value.asOf);
}

type SubjectToDelete = {
  subject: string;
  context: string | undefined;
  permanent: boolean;
  /** A subject that has only drafts counts as missing. */
  needsVersion: boolean;
};

export async function deleteSubject(
  edge: Edge,
  caller: Caller,
  { subject, context, ...how }: SubjectToDelete,
  options: { idempotencyKey?: string | undefined },
): Promise<Result<{ name: SubjectName; deleted: Deleted; asOf: AsOf }, Refusal>> {
  const parsed = parseSubject(subject, context);
  if (!parsed.ok) return parsed;
  const command = { type: "deleteSubject", name: parsed.value, ...how } as const;
  const committed = await commitCommand(edge, caller, command, options);
  if (!committed.ok) return committed;
  forgetDeleted(edge, committed.value, how.permanent);
  return ok({ name: parsed.value, deleted: committed.value.outcome as Deleted, asOf: committed.value.asOf });
}

/** One version of a subject by its number, or its newest live one. */
export async function deleteVersion(
  edge: Edge,
  caller: Caller,
  version: { name: SubjectName; versionNumber: number | "latest"; permanent: boolean },
  options: { idempotencyKey?: string | undefined },
): Promise<Result<{ versionNumber: number; asOf: AsOf }, Refusal>> {
  const committed = await commitCommand(edge, caller, { type: "deleteVersion", ...version }, options);
  if (!committed.ok) return committed;
  forgetDeleted(edge, committed.value, version.permanent);
  const { versions } = committed.value.outcome as Deleted;
  return ok({ versionNumber: versions[0]!, asOf: committed.value.asOf });
}

export async function undelete(
  edge: Edge,
  caller: Caller,
  id: string,
  options: { idempotencyKey?: string | undefined },
): Promise<Result<{ record: SchemaRecord; asOf: AsOf }, Refusal>> {
  if (!isId(id)) return refuse(schemaNotFound(id));
  const committed = await commitCommand(edge, caller, { type: "undelete", id }, options);
  if (!committed.ok) return refuse(await withWitnesses(edge, committed.refusal, { id }, DEFAULT_CONTEXT));
  forgetRecords(edge, [id]);
  return ok({ record: (committed.value.outcome as Outcome & { type: "record" }).record, asOf: committed.value.asOf });
}

/**
 * Speeds up this region after any delete; the guarantee comes from the age limit and the token (docs/architecture.md).
 */
export function forgetDeleted(edge: Edge, { outcome, asOf }: Committed, permanent: boolean): void {
  const deleted = outcome.type === "mode" ? outcome.hardDeleted : outcome.type === "deleted" ? outcome : undefined;
  if (!deleted || deleted.records.length === 0) return;
  forgetRecords(edge, deleted.records);
  if (permanent) forgetContents(edge, deleted, asOf);
}
