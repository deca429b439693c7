/** Change management: subjects that require approval, freezes, and proposals of changes that wait for approval. */

import type { Change } from "./change-set.ts";

/** Maximum number of protections, and of freezes, per tenant: each written entry is checked against all of them. */
export const MAX_PROTECTIONS = 50;
export const MAX_FREEZES = 50;
/**
 * Maximum number of open proposals, because the alarm examines each, and of those per subject, because users review
 * them.
 */
export const MAX_OPEN_PROPOSALS = 500;
export const MAX_OPEN_PROPOSALS_PER_SUBJECT = 20;
/** A proposal is returned with all its comments. */
export const MAX_COMMENTS = 100;
/** Maximum size of a proposal's changes as JSON, which are stored in one row. */
export const MAX_PROPOSAL_BYTES = 512 * 1024;
/** Maximum size of a proposal's review as JSON. */
export const MAX_REVIEW_BYTES = 64 * 1024;

/** `role` null: any role. */
export type RequiredApproval = { role: string | null; count: number };

export type Protection = {
  name: string;
  /** Globs that match qualified names. */
  subjects: readonly string[];
  approvals: readonly RequiredApproval[];
  expiresAfterHours: number;
};

export type Freeze = { name: string; subjects: readonly string[]; fromMs: number; untilMs: number; reason: string };

export type Governance = { protections: readonly Protection[]; freezes: readonly Freeze[] };

export const NO_GOVERNANCE: Governance = { protections: [], freezes: [] };

const PROPOSAL_STATUSES = ["open", "applied", "rejected", "withdrawn", "expired"] as const;
export type ProposalStatus = (typeof PROPOSAL_STATUSES)[number];

export type Approval = { actor: string; roles: readonly string[]; atMs: number };

export type Proposal = {
  /** UUIDv7. */
  id: string;
  status: ProposalStatus;
  message: string | null;
  author: string;
  /** Qualified names of the subjects it changes. */
  subjects: readonly string[];
  required: readonly RequiredApproval[];
  approvals: readonly Approval[];
  openedAtMs: number;
  expiresAtMs: number;
  /** The reason for the rejection or withdrawal. */
  reason: string | null;
  closedBy: string | null;
  closedAtMs: number | null;
  openedSeq: number;
};

export type ProposalComment = { seq: number; actor: string; atMs: number; text: string };

export type WholeProposal = {
  proposal: Proposal;
  changes: readonly Change[];
  /** Verdicts, witnesses, suggested versions and referring subjects at the time it was opened. */
  review: unknown;
  comments: readonly ProposalComment[];
};

export type SetGovernanceCommand = { type: "setGovernance"; governance: Governance };

/** Opens a proposal if its changes could be made now; if one with the same changes is open, returns that. */
export type OpenProposalCommand = {
  type: "openProposal";
  message: string | null;
  changes: readonly Change[];
  /** SHA-256 of the changes. */
  digest: string;
  review: unknown;
};

/**
 * The approval that completes the required ones applies the changes in the same transaction, if they are still
 * possible.
 */
export type ApproveProposalCommand = { type: "approveProposal"; id: string; roles: readonly string[] };

export type CommentProposalCommand = { type: "commentProposal"; id: string; text: string };

/** By the author: withdraws it. */
export type RejectProposalCommand = { type: "rejectProposal"; id: string; reason: string | null };

export type GovernanceCommand =
  | SetGovernanceCommand
  | OpenProposalCommand
  | ApproveProposalCommand
  | CommentProposalCommand
  | RejectProposalCommand;
