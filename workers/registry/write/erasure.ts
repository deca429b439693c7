/** Erases a version at once: a soft and a hard delete in one transaction, which destroy its text and payloads. */

import type { Refusal } from "../../../contract/errors.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import { schemaNotFound } from "../../../registry/record.ts";
import type { Caller } from "../../../registry/rpc.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import type { Edge } from "../../edge.ts";
import { isId } from "../read/read.ts";
import { makeRequestedChanges, type RequestedChange } from "./requested-changes.ts";

export async function eraseVersion(
  edge: Edge,
  caller: Caller,
  { id, reason }: { id: string; reason: string | null },
  { idempotencyKey }: { idempotencyKey?: string | undefined },
): Promise<Result<{ changeSet: string; asOf: AsOf }, Refusal>> {
  if (!isId(id)) return refuse(schemaNotFound(id));
  const message = reason ?? "Erases a version.";
  const erase = (changes: readonly RequestedChange[], key: string | undefined) =>
    makeRequestedChanges(edge, caller, { kind: "bulk", message, changes }, { idempotencyKey: key });
  const permanent = { operation: "delete", id, permanent: true } as const;
  let erased = await erase([{ operation: "delete", id, permanent: false }, permanent], idempotencyKey);
  const isDeleted = !erased.ok && DELETED.has(erased.refusal.error);
  // A separate key, because this is a separate command. A repeat reaches it too, and gets its first outcome.
  if (isDeleted) erased = await erase([permanent], idempotencyKey && `${idempotencyKey}/hard`);
  if (!erased.ok) {
    // The places are those of changes that the caller has not sent.
    const { items: _, extra: __, ...refusal } = erased.refusal;
    return refuse(refusal.error === "SCHEMA_NOT_FOUND" ? schemaNotFound(id) : refusal);
  }
  return ok({ changeSet: erased.value.changeSet!, asOf: erased.value.asOf });
}

/** Refusals of a soft delete because the version is already deleted. */
const DELETED: ReadonlySet<string> = new Set(["VERSION_SOFT_DELETED", "SCHEMA_NOT_FOUND"]);
