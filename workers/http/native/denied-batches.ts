/** `/audit/denied-batches`: the signed batches of denied attempts, as stored in R2. */
import { batchVerifiers, isBatchPath, listBatches, readBatch } from "../../access-record/batches.ts";
import { type Answer, jsonAnswer } from "../answer.ts";
import { refusing } from "../errors.ts";
import type { NativeRequest } from "./request.ts";

export async function getDeniedBatches({ edge, query }: NativeRequest): Promise<Answer> {
  const after = query.after as string | undefined;
  if (after !== undefined && !isBatchPath(after)) {
    const message = `Query parameter "after" must be a next_after of this list, got "${after}".`;
    throw refusing("BAD_REQUEST", message, { items: [{ rule: "after", message }] });
  }
  const asked = { after, limit: query.limit as number };
  const { batches, next } = await listBatches(edge.env, edge.tenant, asked);
  const keys = await batchVerifiers(edge.env, edge.tenant);
  return jsonAnswer(200, { items: batches, next_after: next, keys }, {});
}

export async function getDeniedBatch({ edge, path }: NativeRequest): Promise<Answer> {
  const { day, batch } = path as { day: string; batch: string };
  const stored = await readBatch(edge.env, edge.tenant, day, batch);
  if (stored === null) {
    throw refusing("ROUTE_NOT_FOUND", `There is no batch "${batch}" of denied attempts of ${day}.`);
  }
  return { status: 200, headers: { "Content-Type": "application/x-ndjson" }, body: stored.body };
}
