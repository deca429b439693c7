/** Decisions of change management: settings, comments, rejections, and approvals with their effects. */
import type { Refusal } from "../../../contract/errors.ts";
import {
  type ApproveProposalCommand,
  type CommentProposalCommand,
  type Governance,
  MAX_COMMENTS,
  MAX_FREEZES,
  MAX_OPEN_PROPOSALS,
  MAX_OPEN_PROPOSALS_PER_SUBJECT,
  MAX_PROPOSAL_BYTES,
  MAX_PROTECTIONS,
  MAX_REVIEW_BYTES,
  type OpenProposalCommand,
  type Proposal,
  type RejectProposalCommand,
  type RequiredApproval,
  type SetGovernanceCommand,
  type WholeProposal,
} from "../../../registry/governance.ts";
import { ok, type Result } from "../../../schema/result.ts";
import { readGovernance, readOpenProposals, readProposal } from "../state/governance.ts";
import { type DecidedEntry, type Decision, type Refused, refused } from "./decision.ts";
import { findProtections } from "./guard.ts";

/** How long a proposal stays open if no protection requires its approval any more. */
const DEFAULT_EXPIRY_HOURS = 7 * 24;
const HOUR_MS = 60 * 60 * 1_000;

export function decideSetGovernance(sql: SqlStorage, { governance }: SetGovernanceCommand): Decision {
  if (governance.protections.length > MAX_PROTECTIONS || governance.freezes.length > MAX_FREEZES) {
    const detail = `At most ${MAX_PROTECTIONS} protections and ${MAX_FREEZES} freezes are possible.`;
    return refused("UNPROCESSABLE", [detail], detail);
  }
  const isChange = JSON.stringify(governance) !== JSON.stringify(readGovernance(sql));
  return ok({
    type: "done",
    entries: isChange ? [{ type: "governance.changed", subject: null, payload: { v: 1, governance } }] : [],
    texts: [],
    outcome: () => ({ type: "governance", governance }),
  });
}

/**
 * Called after a successful trial of the changes. An open proposal of the same changes is returned instead of a new
 * one.
 */
export function decideOpenProposal(
  sql: SqlStorage,
  command: OpenProposalCommand,
  { id, subjects, nowMs }: { id: string; subjects: readonly string[]; nowMs: number },
): Decision {
  const open = readOpenProposals(sql).filter(({ expiresAtMs }) => expiresAtMs > nowMs);
  const known = open.find(({ digest }) => digest === command.digest);
  if (known) return proposalDecision(sql, known.id, []);
  const crowded = subjects.find(
    (subject) => open.filter((other) => other.subjects.includes(subject)).length >= MAX_OPEN_PROPOSALS_PER_SUBJECT,
  );
  if (open.length >= MAX_OPEN_PROPOSALS || crowded !== undefined) {
    const detail =
      crowded === undefined
        ? `${MAX_OPEN_PROPOSALS} proposals are open, the maximum: approve or reject some first.`
        : `${MAX_OPEN_PROPOSALS_PER_SUBJECT} proposals of "${crowded}" are open, the maximum: approve or reject some first.`;
    return refused("CONFLICT", [detail], detail);
  }
  const bytes = Buffer.byteLength(JSON.stringify(command.changes));
  if (bytes > MAX_PROPOSAL_BYTES) {
    const detail = `The proposal's changes have ${bytes} bytes of JSON; at most ${MAX_PROPOSAL_BYTES} are accepted. Register large schemas as drafts, and propose to activate them.`;
    return refused("PAYLOAD_TOO_LARGE", [], detail);
  }
  const protections = findProtections(readGovernance(sql), subjects);
  const hours = Math.min(...protections.map(({ expiresAfterHours }) => expiresAfterHours), DEFAULT_EXPIRY_HOURS * 52);
  const { message, changes, digest } = command;
  const review = Buffer.byteLength(JSON.stringify(command.review)) <= MAX_REVIEW_BYTES ? command.review : null;
  return proposalDecision(sql, id, [
    {
      type: "proposal.opened",
      subject: subjects.length === 1 ? subjects[0]! : null,
      payload: {
        v: 1,
        id,
        digest,
        message,
        changes,
        subjects,
        required: mergeRequired(protections.flatMap(({ approvals }) => approvals)),
        expiresAtMs: nowMs + (protections.length === 0 ? DEFAULT_EXPIRY_HOURS : hours) * HOUR_MS,
        review: review ?? null,
      },
    },
  ]);
}

export function decideComment(sql: SqlStorage, { id, text }: CommentProposalCommand): Decision {
  const whole = readProposal(sql, id);
  if (!whole) return noProposal(id);
  if (whole.comments.length >= MAX_COMMENTS) {
    const detail = `The proposal has ${MAX_COMMENTS} comments, the maximum.`;
    return refused("CONFLICT", [detail], detail);
  }
  return proposalDecision(sql, id, [{ type: "proposal.commented", subject: null, payload: { v: 1, id, text } }]);
}

export function decideReject(
  sql: SqlStorage,
  { id, reason }: RejectProposalCommand,
  { actor, nowMs }: { actor: string; nowMs: number },
): Decision {
  const open = findOpen(sql, id, nowMs);
  if (!open.ok) return open;
  const isWithdrawn = open.value.proposal.author === actor;
  return proposalDecision(sql, id, [
    { type: "proposal.rejected", subject: null, payload: { v: 1, id, reason, isWithdrawn } },
  ]);
}

/** Whether this approval completes the required ones, and the entry that records it. */
export function decideApproval(
  sql: SqlStorage,
  { id, roles }: ApproveProposalCommand,
  { actor, nowMs }: { actor: string; nowMs: number },
): Result<{ whole: WholeProposal; isComplete: boolean; entry: DecidedEntry }, Refusal> {
  const open = findOpen(sql, id, nowMs);
  if (!open.ok) return open;
  const { proposal } = open.value;
  const problem =
    proposal.author === actor
      ? "A proposal cannot be approved by its author."
      : proposal.approvals.some((approval) => approval.actor === actor)
        ? "You have already approved this proposal."
        : undefined;
  if (problem !== undefined) return refused("CONFLICT", [problem], problem);
  const required = requiredNow(readGovernance(sql), proposal);
  const given = [...proposal.approvals, { actor, roles, atMs: nowMs }];
  const isComplete = required.every(
    ({ role, count }) => given.filter((approval) => role === null || approval.roles.includes(role)).length >= count,
  );
  return ok({
    whole: open.value,
    isComplete,
    entry: { type: "proposal.approved", subject: null, payload: { v: 1, id, roles } },
  });
}

/** The stricter of the approvals required when it was opened and those required now. */
function requiredNow(governance: Governance, { subjects, required }: Proposal): RequiredApproval[] {
  const now = findProtections(governance, subjects).flatMap(({ approvals }) => approvals);
  const merged = mergeRequired([...required, ...now]);
  return merged.length > 0 ? merged : [{ role: null, count: 1 }];
}

function mergeRequired(approvals: readonly RequiredApproval[]): RequiredApproval[] {
  const most = new Map<string | null, number>();
  for (const { role, count } of approvals) most.set(role, Math.max(count, most.get(role) ?? 0));
  return [...most].map(([role, count]) => ({ role, count }));
}

function findOpen(sql: SqlStorage, id: string, nowMs: number): Result<WholeProposal, Refusal> {
  const whole = readProposal(sql, id);
  if (!whole) return noProposal(id);
  const { status, expiresAtMs } = whole.proposal;
  if (status === "open" && expiresAtMs > nowMs) return ok(whole);
  const detail = `Proposal ${id} is ${status === "open" ? "expired" : status}.`;
  return refused("CONFLICT", [detail], detail);
}

/** The entries, and the proposal after them. */
export function proposalDecision(sql: SqlStorage, id: string, entries: readonly DecidedEntry[]): Decision {
  return ok({
    type: "done",
    entries,
    texts: [],
    outcome: () => ({ type: "proposal", proposal: readProposal(sql, id)!.proposal, changeSet: null, changes: [] }),
  });
}

function noProposal(id: string): Refused {
  return refused("PROPOSAL_NOT_FOUND", [id], `There is no proposal with id ${id}.`);
}
