/**
 * Log entries for auditors. The read model finds them by actor, subject, type and time, where the primary would scan the log;
 * the primary adds what it alone knows, and everything after the read model's checkpoint. So the answer is never older
 * than the primary's, regardless of the token.
 */
import type { Refusal } from "../../../contract/errors.ts";
import { type FoundEntries, findAuditEntries } from "../../../db/audit.ts";
import { DatabaseUnreachable } from "../../../db/client.ts";
import type { AuditFilter } from "../../../registry/audit.ts";
import type { ReadAnswer } from "../../../registry/questions.ts";
import { ok, type Result } from "../../../schema/result.ts";
import type { Edge } from "../../edge.ts";

type Asked = { filter: AuditFilter; after: number; limit: number };

export async function readAuditEntries(
  edge: Pick<Edge, "env" | "tenant" | "primary">,
  asked: Asked,
): Promise<Result<ReadAnswer<"auditEntries">, Refusal>> {
  const found = await findInReadModel(edge, asked);
  if (found === undefined) return edge.primary.read("auditEntries", asked);
  const { seqs, checkpointSeq, more } = found;
  const { filter, limit } = asked;
  // A later page may begin beyond the checkpoint.
  const reached = Math.max(checkpointSeq, asked.after);
  const [named, rest] = await Promise.all([
    edge.primary.read("auditEntriesAt", { filter, seqs }),
    more || seqs.length === limit
      ? undefined
      : edge.primary.read("auditEntries", { filter, after: reached, limit: limit - seqs.length }),
  ]);
  if (!named.ok) return named;
  // Another log, such as after a restore: the read model waits for its rebuild.
  if (named.value.value.length < seqs.length || checkpointSeq > named.value.asOf.seq) {
    return edge.primary.read("auditEntries", asked);
  }
  if (rest === undefined) {
    const { asOf, value: entries } = named.value;
    const end = more ? { through: seqs.at(-1)!, more } : { through: reached, more: reached < asOf.seq };
    return ok({ asOf, value: { entries, ...end } });
  }
  if (!rest.ok) return rest;
  const { entries, ...end } = rest.value.value;
  return ok({ asOf: rest.value.asOf, value: { ...end, entries: [...named.value.value, ...entries] } });
}

/** Without a filter, or for one change set, the primary reads exactly the entries that it returns. */
async function findInReadModel(
  { env, tenant }: Pick<Edge, "env" | "tenant">,
  { filter: { changeSet, ...filter }, after, limit }: Asked,
): Promise<FoundEntries | undefined> {
  if (!env.DATABASE_URL || changeSet !== undefined || Object.keys(filter).length === 0) return undefined;
  try {
    return await findAuditEntries(env, tenant, { filter, after, limit });
  } catch (error) {
    if (error instanceof DatabaseUnreachable) return undefined;
    throw error;
  }
}
