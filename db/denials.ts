/** Denied attempts in Postgres: counted once per message, queried for the audit, and deleted after their retention. */
import { and, asc, eq, inArray, type SQL, sql } from "drizzle-orm";
import { type Denial, mergeDenial } from "../registry/denial.ts";
import { timestamp } from "../registry/record-view.ts";
import { type DatabaseAccess, inTransaction, readDatabase } from "./client.ts";
import { recordset } from "./projection/write.ts";
import { denialMessages, denials, readColumns } from "./tables.ts";

const COLUMNS = readColumns(denials);
/** Longer than any queue keeps a message (https://developers.cloudflare.com/queues/platform/limits/). */
const MESSAGES_KEPT_MS = 15 * 24 * 60 * 60 * 1_000;
/** Rows deleted per transaction: well below a second's work. */
export const DENIALS_PER_DELETE = 5_000;

/** One tenant's denials of one message. */
type CountedMessage = { id: string; denials: readonly Denial[] };

/** Those of the messages that have not been counted. */
export async function uncountedMessages<M extends CountedMessage>(
  access: DatabaseAccess,
  tenant: string,
  messages: readonly M[],
): Promise<M[]> {
  const ids = messages.map(({ id }) => id);
  const known = await readDatabase(access, (db) =>
    db
      .select({ id: denialMessages.id })
      .from(denialMessages)
      .where(and(eq(denialMessages.tenant, tenant), inArray(denialMessages.id, ids))),
  );
  const counted = new Set(known.map(({ id }) => id));
  return messages.filter(({ id }) => !counted.has(id));
}

/** Counts the messages that no other consumer has counted meanwhile. */
export async function countDenials(
  access: DatabaseAccess,
  tenant: string,
  messages: readonly CountedMessage[],
  nowMs: number,
): Promise<void> {
  await inTransaction(access, async (transaction) => {
    const at = timestamp(nowMs);
    const fresh = await transaction
      .insert(denialMessages)
      .values(messages.map(({ id }) => ({ tenant, id, at })))
      .onConflictDoNothing()
      .returning({ id: denialMessages.id });
    const ids = new Set(fresh.map(({ id }) => id));
    const merged = new Map<string, Denial>();
    for (const { id, denials: counted } of messages) {
      if (ids.has(id)) for (const denial of counted) mergeDenial(merged, denial);
    }
    if (merged.size === 0) return;
    // In one order everywhere, so that concurrent consumers cannot lock each other's rows.
    const rows = [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, denial]) => toRow(key, denial));
    await transaction.execute(sql`INSERT INTO denials (tenant, ${sql.raw(Object.keys(COLUMNS).join(", "))})
      SELECT ${tenant}, input.* FROM ${recordset(rows, COLUMNS)}
      ON CONFLICT (tenant, minute, key) DO UPDATE SET count = denials.count + excluded.count,
        first_at = least(denials.first_at, excluded.first_at), last_at = greatest(denials.last_at, excluded.last_at)`);
  });
}

function toRow(key: string, denial: Denial) {
  const { tenant: _, minuteMs, firstAtMs, lastAtMs, requestId, ...same } = denial;
  const times = { minute: timestamp(minuteMs), first_at: timestamp(firstAtMs), last_at: timestamp(lastAtMs) };
  return { ...same, key, ...times, request_id: requestId };
}

export type DenialFilter = {
  /** The actor, or the key that an invalid credential claimed to be. */
  actor?: string;
  subject?: string;
  fromMs?: number;
  /** Exclusive. */
  untilMs?: number;
};

/** The place after a denial in their order. */
export type DenialPlace = { minuteMs: number; key: string };

/** By minute. `next`: the place of the last one, if others follow. */
export async function readDenials(
  access: DatabaseAccess,
  tenant: string,
  asked: { filter: DenialFilter; after: DenialPlace | undefined; limit: number },
): Promise<{ denials: Denial[]; next: DenialPlace | undefined }> {
  const { filter, after, limit } = asked;
  const { actor, subject, fromMs, untilMs } = filter;
  const conditions: (SQL | undefined)[] = [
    eq(denials.tenant, tenant),
    after && sql`(${denials.minute}, ${denials.key}) > (${timestamp(after.minuteMs)}::timestamptz, ${after.key})`,
    actor === undefined ? undefined : sql`(${denials.actor} = ${actor} OR ${denials.credential} = ${actor})`,
    subject === undefined ? undefined : eq(denials.subject, subject),
    fromMs === undefined ? undefined : sql`${denials.lastAt} >= ${timestamp(fromMs)}::timestamptz`,
    untilMs === undefined ? undefined : sql`${denials.firstAt} < ${timestamp(untilMs)}::timestamptz`,
    // Implied by the two above, and what the index knows.
    fromMs === undefined
      ? undefined
      : sql`${denials.minute} >= ${timestamp(fromMs)}::timestamptz - interval '1 minute'`,
    untilMs === undefined ? undefined : sql`${denials.minute} < ${timestamp(untilMs)}::timestamptz`,
  ];
  const rows = await readDatabase(access, (db) =>
    db
      .select()
      .from(denials)
      .where(and(...conditions))
      .orderBy(asc(denials.minute), asc(denials.key))
      .limit(limit + 1),
  );
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  return { denials: page.map(toDenial), next: last && { minuteMs: Date.parse(last.minute), key: last.key } };
}

function toDenial({ key: _, minute, firstAt, lastAt, ...same }: typeof denials.$inferSelect): Denial {
  return { ...same, minuteMs: Date.parse(minute), firstAtMs: Date.parse(firstAt), lastAtMs: Date.parse(lastAt) };
}

/** Deletes one batch of what is older than the retention; returns whether more may be left. */
export async function deleteOldDenials(access: DatabaseAccess, beforeMs: number, nowMs: number): Promise<boolean> {
  return inTransaction(access, async (transaction) => {
    const old = (table: typeof denials | typeof denialMessages, where: SQL) =>
      transaction
        .delete(table)
        .where(sql`ctid = ANY (ARRAY (SELECT ctid FROM ${table} WHERE ${where} LIMIT ${DENIALS_PER_DELETE}))`);
    const { rowCount } = await old(denials, sql`${denials.minute} < ${timestamp(beforeMs)}::timestamptz`);
    const messages = await old(
      denialMessages,
      sql`${denialMessages.at} < ${timestamp(nowMs - MESSAGES_KEPT_MS)}::timestamptz`,
    );
    return Math.max(rowCount ?? 0, messages.rowCount ?? 0) === DENIALS_PER_DELETE;
  });
}
