/** Change management: which subjects take an approval, when nothing may change, and proposals of changes that wait for approval. */

import type { Change } from "./change-set.ts";

/** Protections, and freezes, of a tenant: each entry that is written is held against all of them. */
export const MAX_PROTECTIONS = 50;
export const MAX_FREEZES = 50;
/** Proposals that wait at the same time, for the alarm looks at each; and of one subject, for people do. */
export const MAX_OPEN_PROPOSALS = 500;
export const MAX_OPEN_PROPOSALS_PER_SUBJECT = 20;
/** A proposal with its comments is one answer. */
export const MAX_COMMENTS = 100;
/** Changes of a proposal as JSON, which are kept in one row. */
export const MAX_PROPOSAL_BYTES = 512 * 1024;
/** What was found out about a proposal when it was opened, as JSON. */
export const MAX_REVIEW_BYTES = 64 * 1024;

/** `role` null: anybody's. */
export type RequiredApproval = { role: string | null; count: number };

export type Protection = {
  name: string;
  /** Globs over qualified names. */
  subjects: readonly string[];
  approvals: readonly RequiredApproval[];
  expiresAfterHours: number;
};

export type Freeze = { name: string; subjects: readonly string[]; fromMs: number; untilMs: number; reason: string };

export type Governance = { protections: readonly Protection[]; freezes: readonly Freeze[] };

export const NO_GOVERNANCE: Governance = { protections: [], freezes: [] };

export const PROPOSAL_STATUSES = ["open", "applied", "rejected", "withdrawn", "expired"] as const;
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
  /** Why it was rejected or withdrawn. */
  reason: string | null;
  closedBy: string | null;
  closedAtMs: number | null;
  openedSeq: number;
};

export type ProposalComment = { seq: number; actor: string; atMs: number; text: string };

export type WholeProposal = {
  proposal: Proposal;
  changes: readonly Change[];
  /** Verdicts, witnesses, suggested versions and referring subjects as they were when it was opened. */
  review: unknown;
  comments: readonly ProposalComment[];
};

export type SetGovernanceCommand = { type: "setGovernance"; governance: Governance };

/** Opens a proposal if its changes could be made now; an open one with the same changes is given instead. */
export type OpenProposalCommand = {
  type: "openProposal";
  message: string | null;
  changes: readonly Change[];
  /** SHA-256 of the changes. */
  digest: string;
  review: unknown;
};

/** The approval that completes the required ones makes the changes in the same transaction, if they can still be made. */
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
