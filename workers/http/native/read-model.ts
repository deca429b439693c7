/** `/read-model`: its lag, comparison with the log, repair and rebuild. */

import { DatabaseUnreachable } from "../../../db/client.ts";
import { timestamp } from "../../../registry/record-view.ts";
import { parseCursor, printCursor } from "../../registry/read/cursor.ts";
import { StateUnsettled } from "../../registry/read-model/parked.ts";
import { readModelStatus } from "../../registry/read-model/read-model.ts";
import { rebuildSlice } from "../../registry/read-model/rebuild.ts";
import type { SlicePosition } from "../../registry/read-model/reconcile.ts";
import { FIRST_SLICE, reconcileSlice } from "../../registry/read-model/reconcile.ts";
import { type Answer, jsonAnswer } from "../answer.ts";
import { RegistryError, refusing } from "../errors.ts";
import type { NativeRequest } from "./request.ts";

const RETRY_AFTER_SECONDS = 5;

export async function getReadModel({ edge }: NativeRequest): Promise<Answer> {
  const status = await askingReadModel(() => readModelStatus(edge.env, edge.tenant, edge.now()));
  return jsonAnswer(200, {
    configured: status.configured,
    seq: status.seq,
    primary_seq: status.primarySeq,
    lag_entries: status.lagEntries,
    lag_seconds: status.lagSeconds,
    updated_at: status.updatedAtMs === null ? null : timestamp(status.updatedAtMs),
    rebuild: status.rebuild,
    diverged: status.diverged,
    rebuild_recommended: status.rebuildRecommended,
    parked_count: status.parkedCount,
    parked: status.parked.map(({ seq, attempts, error, lastFailedAtMs }) => ({
      seq,
      attempts,
      error,
      last_failed_at: timestamp(lastFailedAtMs),
    })),
  });
}

export async function reconcile({ edge, body }: NativeRequest): Promise<Answer> {
  const { after, repair = false } = body as { after?: string | null; repair?: boolean };
  const from = parsePosition(after ?? null);
  const slice = await askingReadModel(async () => {
    await requireReadModel(edge.env, edge.tenant, edge.now());
    return reconcileSlice(edge.env, edge.tenant, { from, repair, now: edge.now });
  });
  return jsonAnswer(200, {
    table: slice.table,
    compared: slice.compared,
    discrepancies: slice.discrepancies,
    repaired: slice.repaired,
    unsettled: slice.unsettled,
    next: slice.next && printPosition(slice.next),
  });
}

export async function rebuild({ edge, body }: NativeRequest): Promise<Answer> {
  const { restart = false } = body as { restart?: boolean };
  const progress = await askingReadModel(() => rebuildSlice(edge, restart));
  return jsonAnswer(200, {
    phase: progress.phase,
    deleted: progress.deleted,
    applied: progress.applied,
    seq: progress.seq,
    primary_seq: progress.primarySeq,
    problem: progress.problem,
  });
}

/** Turns an absent or unreachable Postgres, and a read model that is being rebuilt, into refusals. */
async function askingReadModel<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof StateUnsettled) {
      throw refusing("NOT_READY", error.message, { retryAfterSeconds: RETRY_AFTER_SECONDS });
    }
    if (!(error instanceof DatabaseUnreachable)) throw error;
    if (error.reason === "not_configured") {
      throw refusing("NOT_CONFIGURED", "This deployment has no read model: DATABASE_URL is not set.");
    }
    throw refusing("NOT_READY", "The read model's Postgres is currently unreachable.", {
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  }
}

async function requireReadModel(env: NativeRequest["edge"]["env"], tenant: string, nowMs: number): Promise<void> {
  const { rebuild: phase } = await readModelStatus(env, tenant, nowMs);
  if (phase !== "emptying") return;
  throw refusing("NOT_READY", "A rebuild is emptying the read model: continue it with npm run rebuild.", {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}

function printPosition(position: SlicePosition): string {
  const after =
    position.table === "scopes" ? [position.after.context, position.after.subject] : [String(position.after), ""];
  return printCursor("reconciliation", [position.table, ...after]);
}

function parsePosition(cursor: string | null): SlicePosition {
  if (cursor === null) return FIRST_SLICE;
  const parsed = parseCursor("reconciliation", cursor);
  if (!parsed.ok) throw new RegistryError(parsed.refusal);
  const [table, first, second] = parsed.value as [string, string, string];
  if (table === "scopes") return { table, after: { context: first, subject: second } };
  const after = Number(first);
  if ((table !== "log_entries" && table !== "versions" && table !== "subjects") || !Number.isSafeInteger(after)) {
    throw refusing("BAD_REQUEST", "The cursor was not issued by this operation: use next from the previous slice.");
  }
  return { table, after };
}
