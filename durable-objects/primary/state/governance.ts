/** The primary's tables of change management: read here, and written only for apply.ts. */
import type { Change } from "../../../registry/change-set.ts";
import {
  type Approval,
  type Governance,
  NO_GOVERNANCE,
  type Proposal,
  type ProposalComment,
  type ProposalStatus,
  type RequiredApproval,
  type WholeProposal,
} from "../../../registry/governance.ts";
import type { LogHeader } from "../../../registry/log-entry.ts";
import type { Payloads } from "../../../registry/payloads.ts";

export const GOVERNANCE_TABLES = `
  CREATE TABLE governance (
    governance_key INTEGER PRIMARY KEY CHECK (governance_key = 1),
    settings       TEXT NOT NULL
  );
  CREATE TABLE proposals (
    proposal_key INTEGER PRIMARY KEY,
    id           TEXT NOT NULL,
    status       TEXT NOT NULL,
    author       TEXT NOT NULL,
    opened_at    INTEGER NOT NULL, -- milliseconds since the Unix epoch
    expires_at   INTEGER NOT NULL,
    digest       TEXT NOT NULL,
    subjects     TEXT NOT NULL,
    required     TEXT NOT NULL,
    message      TEXT,
    changes      TEXT NOT NULL,
    review       TEXT,
    approvals    TEXT NOT NULL,
    reason       TEXT,
    closed_by    TEXT,
    closed_at    INTEGER
  );
  CREATE UNIQUE INDEX proposals_by_id ON proposals (id);
  CREATE INDEX open_proposals ON proposals (expires_at) WHERE status = 'open';
  CREATE TABLE proposal_comments (
    comment_key  INTEGER PRIMARY KEY,
    proposal_key INTEGER NOT NULL,
    actor        TEXT NOT NULL,
    at           INTEGER NOT NULL,
    text         TEXT NOT NULL
  );
  CREATE INDEX proposal_comments_by_proposal ON proposal_comments (proposal_key);
`;

type ProposalRow = {
  proposal_key: number;
  id: string;
  status: ProposalStatus;
  author: string;
  opened_at: number;
  expires_at: number;
  digest: string;
  subjects: string;
  required: string;
  message: string | null;
  changes: string;
  review: string | null;
  approvals: string;
  reason: string | null;
  closed_by: string | null;
  closed_at: number | null;
};

export function readGovernance(sql: SqlStorage): Governance {
  const [row] = sql.exec<{ settings: string }>("SELECT settings FROM governance").toArray();
  return row ? (JSON.parse(row.settings) as Governance) : NO_GOVERNANCE;
}

export function readProposal(sql: SqlStorage, id: string): WholeProposal | undefined {
  const [row] = sql.exec<ProposalRow>("SELECT * FROM proposals WHERE id = ?", id).toArray();
  if (!row) return undefined;
  const comments = sql
    .exec<{ comment_key: number; actor: string; at: number; text: string }>(
      "SELECT * FROM proposal_comments WHERE proposal_key = ? ORDER BY comment_key",
      row.proposal_key,
    )
    .toArray()
    .map(({ comment_key, actor, at, text }): ProposalComment => ({ seq: comment_key, actor, atMs: at, text }));
  return {
    proposal: toProposal(row),
    changes: JSON.parse(row.changes) as Change[],
    review: row.review === null ? null : JSON.parse(row.review),
    comments,
  };
}

/** Newest first, those opened before an entry. */
export function readProposals(
  sql: SqlStorage,
  { status, before, limit }: { status: ProposalStatus | null; before: number; limit: number },
): Proposal[] {
  return sql
    .exec<ProposalRow>(
      "SELECT * FROM proposals WHERE proposal_key < ? AND (? IS NULL OR status = ?) ORDER BY proposal_key DESC LIMIT ?",
      before,
      status,
      status,
      limit,
    )
    .toArray()
    .map(toProposal);
}

/** Earliest expiry first, at most MAX_OPEN_PROPOSALS. */
export function readOpenProposals(sql: SqlStorage): (Proposal & { digest: string })[] {
  return sql
    .exec<ProposalRow>("SELECT * FROM proposals WHERE status = 'open' ORDER BY expires_at")
    .toArray()
    .map((row) => ({ ...toProposal(row), digest: row.digest }));
}

export function firstExpiryMs(sql: SqlStorage): number | undefined {
  const [row] = sql
    .exec<{ expires_at: number }>("SELECT expires_at FROM proposals WHERE status = 'open' ORDER BY expires_at LIMIT 1")
    .toArray();
  return row?.expires_at;
}

export function storeGovernance(sql: SqlStorage, governance: Governance): void {
  sql.exec("INSERT OR REPLACE INTO governance (governance_key, settings) VALUES (1, ?)", JSON.stringify(governance));
}

export function insertProposal(sql: SqlStorage, header: LogHeader, payload: Payloads["proposal.opened"]): void {
  const { id, digest, message, changes, subjects, required, expiresAtMs, review } = payload;
  sql.exec(
    `INSERT INTO proposals (proposal_key, id, status, author, opened_at, expires_at, digest, subjects, required,
       message, changes, review, approvals) VALUES (?, ?, 'open', ?, ?, ?, ?, ?, ?, ?, ?, ?, '[]')`,
    header.seq,
    id,
    header.actor,
    header.at,
    expiresAtMs,
    digest,
    JSON.stringify(subjects),
    JSON.stringify(required),
    message,
    JSON.stringify(changes),
    review === null ? null : JSON.stringify(review),
  );
}

export function insertComment(sql: SqlStorage, { seq, actor, at }: LogHeader, id: string, text: string): void {
  sql.exec(
    `INSERT INTO proposal_comments (comment_key, proposal_key, actor, at, text)
     SELECT ?, proposal_key, ?, ?, ? FROM proposals WHERE id = ?`,
    seq,
    actor,
    at,
    text,
    id,
  );
}

export function insertApproval(sql: SqlStorage, { actor, at }: LogHeader, id: string, roles: readonly string[]): void {
  const approval: Approval = { actor, roles, atMs: at };
  sql.exec(
    "UPDATE proposals SET approvals = json_insert(approvals, '$[#]', json(?)) WHERE id = ?",
    JSON.stringify(approval),
    id,
  );
}

export function closeProposal(
  sql: SqlStorage,
  { actor, at }: LogHeader,
  id: string,
  { status, reason }: { status: ProposalStatus; reason: string | null },
): void {
  sql.exec(
    "UPDATE proposals SET status = ?, reason = ?, closed_by = ?, closed_at = ? WHERE id = ?",
    status,
    reason,
    actor,
    at,
    id,
  );
}

/** A hard delete of a record also erases proposals about it: their entries concern the record. */
export function tieProposal(sql: SqlStorage, id: string, recordKeys: readonly number[]): void {
  for (const recordKey of recordKeys) {
    sql.exec(
      "INSERT OR IGNORE INTO amendments (record_key, seq) SELECT ?, proposal_key FROM proposals WHERE id = ?",
      recordKey,
      id,
    );
  }
}

/** Before the record's amendments are deleted. */
export function removeProposalsOf(sql: SqlStorage, recordKey: number): void {
  const those = "SELECT seq FROM amendments WHERE record_key = ?";
  sql.exec(`DELETE FROM proposal_comments WHERE proposal_key IN (${those})`, recordKey);
  sql.exec(`DELETE FROM proposals WHERE proposal_key IN (${those})`, recordKey);
}

function toProposal(row: ProposalRow): Proposal {
  return {
    id: row.id,
    status: row.status,
    message: row.message,
    author: row.author,
    subjects: JSON.parse(row.subjects) as string[],
    required: JSON.parse(row.required) as RequiredApproval[],
    approvals: JSON.parse(row.approvals) as Approval[],
    openedAtMs: row.opened_at,
    expiresAtMs: row.expires_at,
    reason: row.reason,
    closedBy: row.closed_by,
    closedAtMs: row.closed_at,
    openedSeq: row.proposal_key,
  };
}
