/** `/governance` and `/proposals`: subjects that require approval, freezes, and open proposals. */
import { makeRefusal } from "../../../contract/errors.ts";
import type { Change } from "../../../registry/change-set.ts";
import type { Governance, Proposal, ProposalStatus, WholeProposal } from "../../../registry/governance.ts";
import { isTenantWide } from "../../../registry/grant.ts";
import type { Permission } from "../../../registry/permission.ts";
import { timestamp } from "../../../registry/record-view.ts";
import { printSubjectName } from "../../../schema/subject-name.ts";
import type { Actor } from "../../edge.ts";
import { approveProposal, changeProposal, openProposal, setGovernance } from "../../registry/write/proposals.ts";
import { inRequest, orderChanges } from "../../registry/write/requested-changes.ts";
import { type Answer, jsonAnswer, provenance } from "../answer.ts";
import { RegistryError, refusing, requireValue } from "../errors.ts";
import { changesJson, readChanges } from "./change-sets.ts";
import { idempotencyKey } from "./fields.ts";
import type { NativeRequest } from "./request.ts";
import type { Shape } from "./shapes.ts";

const DEFAULT_EXPIRY_HOURS = 168;

export async function getGovernance({ edge }: NativeRequest): Promise<Answer> {
  const { asOf, value } = requireValue(await edge.primary.read("governance", {}));
  return jsonAnswer(200, governanceJson(value), provenance(asOf, "primary"));
}

export async function putGovernance(request: NativeRequest): Promise<Answer> {
  const { edge, caller } = request;
  const governance = readGovernance(request.body as Shape<"Governance">);
  const set = requireValue(await setGovernance(edge, caller, governance, idempotencyKey(request)));
  return jsonAnswer(200, governanceJson(set.governance), provenance(set.asOf, "primary"));
}

export async function postProposal(request: NativeRequest): Promise<Answer> {
  const { edge, caller } = request;
  const { message = null } = request.body as Shape<"ChangeSetRequest">;
  const { changes: requested } = await readChanges(request);
  const placed = requireValue(orderChanges(requested));
  const changes = placed.map(({ change }) => change);
  const opened = await openProposal(edge, caller, { message, changes }, idempotencyKey(request));
  if (!opened.ok) throw new RegistryError(inRequest(opened.refusal, placed));
  const { proposal, asOf } = opened.value;
  if (proposal === null) throw refusing("UNPROCESSABLE", "Nothing would change: everything is as the proposal asks.");
  return jsonAnswer(201, proposalJson(proposal), {
    ...provenance(asOf, "primary"),
    Location: `/api/v1/proposals/${proposal.id}`,
  });
}

export async function getProposals({ edge, query }: NativeRequest): Promise<Answer> {
  const limit = query.limit as number;
  const before = query.before === undefined ? Number.MAX_SAFE_INTEGER : (query.before as number);
  const status = (query.status as ProposalStatus | undefined) ?? null;
  const { asOf, value } = requireValue(await edge.primary.read("proposals", { status, before, limit: limit + 1 }));
  const items = value.slice(0, limit);
  const next = value.length > limit ? { next_before: items.at(-1)!.openedSeq } : {};
  return jsonAnswer(200, { items: items.map(proposalJson), ...next }, provenance(asOf, "primary"));
}

export async function getProposal({ edge, path }: NativeRequest): Promise<Answer> {
  const id = path.proposal!;
  const { asOf, value } = requireValue(await edge.primary.read("proposal", { id }));
  if (value === null) {
    throw new RegistryError(makeRefusal("PROPOSAL_NOT_FOUND", [id], `There is no proposal with id ${id}.`));
  }
  return jsonAnswer(200, wholeJson(value), provenance(asOf, "primary"));
}

export async function postComment(request: NativeRequest): Promise<Answer> {
  const { text } = request.body as Shape<"ProposalCommentText">;
  return changed(request, { type: "commentProposal", id: request.path.proposal!, text });
}

export async function postRejection(request: NativeRequest): Promise<Answer> {
  const { reason = null } = request.body as Shape<"ProposalRejection">;
  return changed(request, { type: "rejectProposal", id: request.path.proposal!, reason });
}

export async function postApproval(request: NativeRequest): Promise<Answer> {
  const { edge, caller, actor, path } = request;
  const approval = { id: path.proposal!, roles: listRoleNames(actor) };
  const approved = requireValue(await approveProposal(edge, caller, approval, idempotencyKey(request)));
  return jsonAnswer(
    200,
    { proposal: proposalJson(approved.proposal), ...changesJson(approved) },
    provenance(approved.asOf, "primary"),
  );
}

/**
 * Roles that an actor has without restriction: a narrowed role does not count for subjects outside of it, one that the
 * scopes of a key cut not as that role, and one that administers not without the second factor that this needs.
 */
function listRoleNames({ identity, permissions, needsSecondFactor }: Actor): string[] {
  if (identity === undefined) return ["admin"];
  const isHeld = (permission: Permission) =>
    permissions.has(permission) && (needsSecondFactor === undefined || !permission.startsWith("admin:"));
  const roles = identity.grants
    .filter((grant) => isTenantWide(grant) && grant.condition === null && grant.permissions.every(isHeld))
    .map(({ role }) => role);
  return [...new Set(roles)];
}

async function changed(request: NativeRequest, command: Parameters<typeof changeProposal>[2]): Promise<Answer> {
  const { edge, caller } = request;
  const { proposal, asOf } = requireValue(await changeProposal(edge, caller, command, idempotencyKey(request)));
  return jsonAnswer(200, proposalJson(proposal), provenance(asOf, "primary"));
}

function readGovernance({ protections = [], freezes = [] }: Shape<"Governance">): Governance {
  for (const [index, { from, until }] of freezes.entries()) {
    const [fromMs, untilMs] = [Date.parse(from), Date.parse(until)];
    if (fromMs < untilMs) continue;
    const message = `A freeze takes two RFC 3339 times, "from" before "until"; got "${from}" and "${until}".`;
    throw refusing("UNPROCESSABLE", message, { items: [{ pointer: `/freezes/${index}`, rule: "times", message }] });
  }
  return {
    protections: protections.map(({ name, subjects, approvals, expires_after_hours: hours }) => ({
      name,
      subjects,
      approvals: approvals.map(({ role = null, count = 1 }) => ({ role, count })),
      expiresAfterHours: hours ?? DEFAULT_EXPIRY_HOURS,
    })),
    freezes: freezes.map(({ name, subjects, from, until, reason }) => ({
      name,
      subjects,
      fromMs: Date.parse(from),
      untilMs: Date.parse(until),
      reason,
    })),
  };
}

function governanceJson({ protections, freezes }: Governance) {
  return {
    protections: protections.map(({ name, subjects, approvals, expiresAfterHours }) => ({
      name,
      subjects,
      approvals,
      expires_after_hours: expiresAfterHours,
    })),
    freezes: freezes.map(({ name, subjects, fromMs, untilMs, reason }) => ({
      name,
      subjects,
      from: timestamp(fromMs),
      until: timestamp(untilMs),
      reason,
    })),
  };
}

function proposalJson(proposal: Proposal) {
  const { id, status, message, author, subjects, required, approvals, reason, closedBy, closedAtMs } = proposal;
  return {
    id,
    status,
    message,
    author,
    subjects,
    required,
    approvals: approvals.map(({ actor, roles, atMs }) => ({ actor, roles, at: timestamp(atMs) })),
    opened_at: timestamp(proposal.openedAtMs),
    expires_at: timestamp(proposal.expiresAtMs),
    reason,
    closed_by: closedBy,
    closed_at: closedAtMs === null ? null : timestamp(closedAtMs),
    seq: proposal.openedSeq,
  };
}

function wholeJson({ proposal, changes, review, comments }: WholeProposal) {
  return {
    proposal: proposalJson(proposal),
    changes: changes.map(changeJson),
    review,
    comments: comments.map(({ seq, actor, atMs, text }) => ({ seq, actor, at: timestamp(atMs), text })),
  };
}

function changeJson(change: Change) {
  switch (change.type) {
    case "register": {
      const { name, format, text, references } = change;
      return { operation: "register", subject: printSubjectName(name), format, content: text, references };
    }
    case "deleteSubject":
      return { operation: "delete", subject: printSubjectName(change.name), permanent: change.permanent };
    case "deleteVersion": {
      const { name, versionNumber, permanent } = change;
      return { operation: "delete", subject: printSubjectName(name), version_number: versionNumber, permanent };
    }
    case "deleteRecord":
      return { operation: "delete", id: change.id, permanent: change.permanent };
    case "activate":
    case "undelete":
      return { operation: change.type, id: change.id };
  }
}
