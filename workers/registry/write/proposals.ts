/** Proposals of changes: opened with a review, commented, approved, rejected. */

import type { Refusal } from "../../../contract/errors.ts";
import type { Change, ChangeOutcome } from "../../../registry/change-set.ts";
import type {
  CommentProposalCommand,
  Governance,
  Proposal,
  RejectProposalCommand,
} from "../../../registry/governance.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import { NATIVE_HASHES } from "../../../registry/native-hashes.ts";
import type { Caller } from "../../../registry/rpc.ts";
import { sha256Hex } from "../../../schema/content-hash.ts";
import type { GroupedPlans } from "../../../schema/plan-groups.ts";
import { ok, type Result } from "../../../schema/result.ts";
import { printSubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { checkBundle } from "../compatibility/bundle.ts";
import { commitChanging } from "./changes.ts";
import { commitCommand } from "./commit.ts";

type Options = { idempotencyKey?: string | undefined };

/** `proposal` null: no change is needed. */
type Opened = { proposal: Proposal | null; asOf: AsOf };

export async function openProposal(
  edge: Edge,
  caller: Caller,
  { message, changes }: { message: string | null; changes: readonly Change[] },
  options: Options = {},
): Promise<Result<Opened, Refusal>> {
  const digest = sha256Hex(JSON.stringify(changes), NATIVE_HASHES);
  const review = await reviewChanges(edge, changes);
  const command = { type: "openProposal", message, changes, digest, review } as const;
  const committed = await commitChanging(edge, caller, command, changes, options);
  if (!committed.ok) return committed;
  const { outcome, asOf } = committed.value;
  return ok({ proposal: outcome.type === "proposal" ? outcome.proposal : null, asOf });
}

/**
 * If a protection refuses a change, stores it as a proposal, whose address the refusal names. Other refusals are
 * unchanged.
 */
export async function proposeInstead(
  edge: Edge,
  caller: Caller,
  refusal: Refusal,
  changes: readonly Change[],
): Promise<Refusal> {
  if (refusal.error !== "PROTECTED") return refusal;
  const opened = await openProposal(edge, caller, { message: null, changes });
  if (!opened.ok) return opened.refusal;
  if (opened.value.proposal === null) return refusal;
  const { id, subjects, required } = opened.value.proposal;
  const address = `/api/v1/proposals/${id}`;
  const detail = `"${subjects.join('", "')}" is protected: the change waits for approval as ${address}`;
  return {
    ...refusal,
    arguments: [detail],
    detail: `${detail}.`,
    extra: { ...refusal.extra, proposal: { id, address, required } },
  };
}

type Approved = {
  proposal: Proposal;
  changeSet: string | null;
  outcomes: readonly ChangeOutcome[];
  plans: GroupedPlans | undefined;
  asOf: AsOf;
};

export async function approveProposal(
  edge: Edge,
  caller: Caller,
  { id, roles }: { id: string; roles: readonly string[] },
  options: Options,
): Promise<Result<Approved, Refusal>> {
  const read = await edge.primary.read("proposal", { id });
  if (!read.ok) return read;
  const changes = read.value.value?.changes ?? [];
  const committed = await commitChanging(edge, caller, { type: "approveProposal", id, roles }, changes, options);
  if (!committed.ok) return committed;
  const { outcome, asOf } = committed.value;
  if (outcome.type !== "proposal") throw new Error(`An approval ended as "${outcome.type}".`);
  const { proposal, changeSet, changes: outcomes, plans } = outcome;
  return ok({ proposal, changeSet, outcomes, plans, asOf });
}

export async function changeProposal(
  edge: Edge,
  caller: Caller,
  command: CommentProposalCommand | RejectProposalCommand,
  options: Options,
): Promise<Result<{ proposal: Proposal; asOf: AsOf }, Refusal>> {
  const committed = await commitCommand(edge, caller, command, options);
  if (!committed.ok) return committed;
  const { outcome, asOf } = committed.value;
  if (outcome.type !== "proposal") throw new Error(`A change of a proposal ended as "${outcome.type}".`);
  return ok({ proposal: outcome.proposal, asOf });
}

export async function setGovernance(
  edge: Edge,
  caller: Caller,
  governance: Governance,
  options: Options,
): Promise<Result<{ governance: Governance; asOf: AsOf }, Refusal>> {
  const committed = await commitCommand(edge, caller, { type: "setGovernance", governance }, options);
  return committed.ok ? ok({ governance, asOf: committed.value.asOf }) : committed;
}

/**
 * Verdicts with witnesses, suggested versions and the subjects that reference the changed ones; or the reason there are
 * none.
 */
async function reviewChanges(edge: Edge, changes: readonly Change[]): Promise<unknown> {
  const registrations = changes.filter((change) => change.type === "register");
  if (registrations.length === 0) return null;
  const schemas = registrations.map((change) => ({
    subject: printSubjectName(change.name),
    context: undefined,
    name: undefined,
    format: change.format,
    dialect: change.dialect,
    textFor: () => ok({ text: change.text }),
    references: change.references.map(({ name, subject, version }, at) => {
      const isOwn = (change.ownReferences ?? []).some(({ reference }) => reference === at);
      return { name, subject, version: isOwn ? undefined : version === -1 ? ("latest" as const) : version };
    }),
    contract: { metadata: change.metadata, ruleSet: change.ruleSet },
  }));
  const none = { level: undefined, policy: undefined, writers: undefined, role: undefined };
  const checked = await checkBundle(edge, { schemas, ...none, witnesses: true });
  if (!checked.ok) return { problem: checked.refusal.detail };
  const { compatible, items, referring } = checked.value;
  return { compatible, schemas: items, referencing: referring };
}
