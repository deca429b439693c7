/** The primary's table of change sets: read here, and written only on behalf of apply.ts. */
import type { ChangeSet, ChangeSetKind } from "../../../registry/change-set.ts";
import type { LogHeader } from "../../../registry/log-entry.ts";
import type { Payloads } from "../../../registry/payloads.ts";

type ChangeSetRow = {
  change_set_key: number;
  id: string;
  kind: ChangeSetKind;
  message: string | null;
  proposal: string | null;
  first_seq: number;
  at: number;
  actor: string;
};

/** The change set that an entry belongs to. */
export function readChangeSetAt(sql: SqlStorage, seq: number): ChangeSet | undefined {
  const [row] = sql
    .exec<ChangeSetRow>("SELECT * FROM change_sets WHERE change_set_key >= ? ORDER BY change_set_key LIMIT 1", seq)
    .toArray();
  return row && row.first_seq <= seq ? toChangeSet(row) : undefined;
}

export function readChangeSet(sql: SqlStorage, id: string): ChangeSet | undefined {
  return sql.exec<ChangeSetRow>("SELECT * FROM change_sets WHERE id = ?", id).toArray().map(toChangeSet)[0];
}

/** Newest first, those that end before an entry. */
export function readChangeSets(sql: SqlStorage, before: number, limit: number): ChangeSet[] {
  return sql
    .exec<ChangeSetRow>(
      "SELECT * FROM change_sets WHERE change_set_key < ? ORDER BY change_set_key DESC LIMIT ?",
      before,
      limit,
    )
    .toArray()
    .map(toChangeSet);
}

export function insertChangeSet(
  sql: SqlStorage,
  { seq, at, actor }: LogHeader,
  { id, kind, message, proposal, firstSeq }: Payloads["change_set.committed"],
): void {
  sql.exec(
    `INSERT INTO change_sets (change_set_key, id, kind, message, proposal, first_seq, at, actor)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    seq,
    id,
    kind,
    message,
    proposal,
    firstSeq,
    at,
    actor,
  );
}

function toChangeSet(row: ChangeSetRow): ChangeSet {
  const { id, kind, message, proposal, first_seq: firstSeq, change_set_key: lastSeq, at: atMs, actor } = row;
  return { id, kind, message, proposal, firstSeq, lastSeq, atMs, actor };
}
