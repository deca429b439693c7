/**
 * Checks the entries of a decision against protections and freezes. It checks entries and not commands, so that every
 * way to make a change is covered.
 */
import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import type { Freeze, Governance, Protection } from "../../../registry/governance.ts";
import type { Caller } from "../../../registry/rpc.ts";
import { matchesGlob } from "../../../schema/glob.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { printSubjectName } from "../../../schema/subject-name.ts";
import type { StateReader } from "../state/reader.ts";
import type { DecidedEntry } from "./decision.ts";

type Guarding = {
  state: StateReader;
  governance: Governance;
  caller: Caller;
  nowMs: number;
  /** The changes have the approvals that protections require. */
  isApproved?: boolean;
};

/** A refusal, or the entries including the one that records an override. */
export function guardEntries(
  guarding: Guarding,
  entries: readonly DecidedEntry[],
): Result<readonly DecidedEntry[], Refusal> {
  const { state, governance, caller, nowMs, isApproved = false } = guarding;
  if (governance.protections.length === 0 && governance.freezes.length === 0) return ok(entries);
  const subjects = [...new Set(entries.flatMap((entry) => changedSubjects(state, entry)))];
  const freezes = findFreezes(governance, subjects, nowMs);
  const protections = isApproved ? [] : findProtections(governance, subjects);
  if (freezes.length === 0 && protections.length === 0) return ok(entries);
  if (caller.override === undefined) return refuse(refuseGuarded(freezes, protections, subjects));
  const overridden: DecidedEntry = {
    type: "change.overridden",
    subject: null,
    payload: {
      v: 1,
      reason: caller.override,
      subjects,
      protections: protections.map(({ name }) => name),
      freezes: freezes.map(({ name }) => name),
    },
  };
  return ok([...entries, overridden]);
}

export function findProtections({ protections }: Governance, subjects: readonly string[]): Protection[] {
  return protections.filter(({ subjects: globs }) => matchesAny(globs, subjects));
}

function findFreezes({ freezes }: Governance, subjects: readonly string[], nowMs: number): Freeze[] {
  return freezes.filter(
    ({ subjects: globs, fromMs, untilMs }) => fromMs <= nowMs && nowMs < untilMs && matchesAny(globs, subjects),
  );
}

function matchesAny(globs: readonly string[], subjects: readonly string[]): boolean {
  return globs.some((glob) => subjects.some((subject) => matchesGlob(glob, subject)));
}

/**
 * The subjects whose versions or settings an entry changes. Drafts do not count as versions, nor attributes as content.
 */
export function changedSubjects(state: StateReader, { type, subject, payload }: DecidedEntry): string[] {
  const own = subject === null ? [] : [subject];
  switch (type) {
    case "schema.registered":
      return payload.numbering === null ? [] : own;
    case "schema.deleted":
    case "schema.undeleted":
    case "schema.erased":
      return payload.recordKeys.some((key) => state.recordByKey(key)?.number != null) ? own : [];
    case "schema.activated":
    case "schema.deprecated":
    case "schema.archived":
      return own;
    case "config.changed":
    case "rule.changed":
      return payload.subject === "" ? [] : own;
    case "mode.changed":
      return payload.scopes.filter((scope) => scope.subject !== "").map(printSubjectName);
    case "association.changed":
      return payload.subjects.map(printSubjectName);
    case "schema.updated":
    case "context.deleted":
    case "webhook.changed":
    case "change_set.committed":
    case "governance.changed":
    case "proposal.opened":
    case "proposal.commented":
    case "proposal.approved":
    case "proposal.rejected":
    case "proposal.applied":
    case "proposal.expired":
    case "change.overridden":
    // Aliases have protections of their own, and evidence changes nothing.
    case "alias.moved":
    case "evidence.attached":
      return [];
  }
}

function refuseGuarded(
  freezes: readonly Freeze[],
  protections: readonly Protection[],
  subjects: readonly string[],
): Refusal {
  const [freeze] = freezes;
  const named = `"${subjects.slice(0, 3).join('", "')}"${subjects.length > 3 ? ` and ${subjects.length - 3} more` : ""}`;
  if (freeze) {
    const until = new Date(freeze.untilMs).toISOString();
    const detail = `Changes of ${named} are frozen until ${until} (${freeze.name}): ${freeze.reason}`;
    return makeRefusal("FROZEN", [detail], detail, { extra: { freeze: freeze.name, until } });
  }
  const names = protections.map(({ name }) => name);
  const detail = `Changes of ${named} need approval (${names.join(", ")}): propose them with POST /api/v1/proposals.`;
  return makeRefusal("PROTECTED", [detail], detail, { extra: { protections: names } });
}
