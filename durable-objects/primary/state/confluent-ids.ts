/**
 * Allocates the Confluent ids of a context. Clients write them as signed 32-bit integers, so an imported id near the
 * end must not use up the rest: allocation never continues from an id imported in the upper half of the range, it only
 * avoids it.
 */
import { COUNTED_IDS, fittingId, LARGEST_INTEGER } from "../../../registry/confluent-id.ts";

/**
 * A context's counter after an id was assigned. It never decreases, so an id is never assigned to a second content.
 */
export function counterAfter(counter: number, id: number): number {
  return id < COUNTED_IDS || id === counter ? Math.max(counter, id + 1) : counter;
}

/**
 * The lowest unused id. At the end of the range, ids that were assigned and deleted can no longer be distinguished from
 * unused ones.
 */
export function lowestFreeId(sql: SqlStorage, context: string): number | undefined {
  return sql
    .exec<{ id: number }>(
      `SELECT id FROM (SELECT 1 AS id UNION SELECT confluent_id + 1 FROM confluent_ids WHERE context = ?1)
        WHERE id BETWEEN 1 AND ?2
          AND NOT EXISTS (SELECT 1 FROM confluent_ids WHERE context = ?1 AND confluent_id = id)
        ORDER BY id LIMIT 1`,
      context,
      LARGEST_INTEGER,
    )
    .toArray()[0]?.id;
}

/** Whether allocation can continue from a counter that a hard delete left behind. */
export function isCounter(counter: number): boolean {
  return counter <= LARGEST_INTEGER;
}

type Payload = {
  subject?: { context: string };
  recordKey?: number;
  numbering?: { confluentId: number | null } | null;
  contexts?: readonly { context: string; nextConfluentId: number }[];
};

/**
 * Repairs contexts whose counter one imported id had moved to the end of the range. Reads the log only if there is such
 * a context.
 */
export function repairConfluentIds(sql: SqlStorage): void {
  const ruined = sql
    .exec<{ context: string }>("SELECT context FROM contexts WHERE next_confluent_id > ?", COUNTED_IDS)
    .toArray();
  if (ruined.length === 0) return;
  const counters = new Map(ruined.map(({ context }) => [context, 1]));
  for (const { bytes } of sql.exec<{ bytes: ArrayBuffer }>("SELECT bytes FROM payloads ORDER BY seq")) {
    const payload = JSON.parse(new TextDecoder().decode(bytes)) as Payload;
    const { numbering } = payload;
    const context = numbering ? (payload.subject?.context ?? contextOf(sql, payload.recordKey!)) : undefined;
    const counter = context === undefined ? undefined : counters.get(context);
    if (numbering && numbering.confluentId !== null && counter !== undefined) {
      counters.set(context!, counterAfter(counter, fittingId(numbering.confluentId)));
    }
    for (const { context: left, nextConfluentId } of payload.contexts ?? []) {
      const before = counters.get(left);
      if (before !== undefined && isCounter(nextConfluentId)) counters.set(left, Math.max(before, nextConfluentId));
    }
  }
  for (const [context, counter] of counters) {
    sql.exec("UPDATE contexts SET next_confluent_id = ? WHERE context = ?", counter, context);
  }
  for (const table of ["confluent_ids", "records"]) {
    sql.exec(
      `UPDATE ${table} SET confluent_id = confluent_id - ? WHERE confluent_id > ?`,
      COUNTED_IDS,
      LARGEST_INTEGER,
    );
  }
}

function contextOf(sql: SqlStorage, recordKey: number): string | undefined {
  return sql
    .exec<{ context: string }>(
      "SELECT context FROM records JOIN subjects USING (subject_key) WHERE record_key = ?",
      recordKey,
    )
    .toArray()[0]?.context;
}
