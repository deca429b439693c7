/** Commits change sets and proposals of them: every change in one transaction, or none. */
import type { Change, ChangeOutcome, ChangeSetKind, MakeChangesCommand } from "../../registry/change-set.ts";
import type { Outcome } from "../../registry/commands.ts";
import type { ApproveProposalCommand, GovernanceCommand, OpenProposalCommand } from "../../registry/governance.ts";
import type { AsOf } from "../../registry/log-entry.ts";
import type { Caller, CommitAnswer, CommitRequest } from "../../registry/rpc.ts";
import { ok } from "../../schema/result.ts";
import { makeChanges } from "./decide/changes.ts";
import type { DecidedEntry, Deciding, Decision, Done } from "./decide/decision.ts";
import { changedSubjects, guardEntries } from "./decide/guard.ts";
import {
  decideApproval,
  decideComment,
  decideOpenProposal,
  decideReject,
  decideSetGovernance,
  proposalDecision,
} from "./decide/proposals.ts";
import { readGovernance, readProposal } from "./state/governance.ts";
import type { StateReader } from "./state/reader.ts";

/** What a change set uses of its primary. */
export type ChangingHost = {
  sql: SqlStorage;
  nowMs(): number;
  asOf(): AsOf;
  newId(): string;
  transaction<T>(write: () => T): T;
  write(decision: Pick<Done, "entries" | "texts">, caller: Caller): void;
  state(): StateReader;
  remember(outcome: Outcome, request: CommitRequest): CommitAnswer;
};

type SeveralCommand = MakeChangesCommand | GovernanceCommand;
type Attempt<C> = { request: CommitRequest; command: C; deciding: () => Deciding };

export function isSeveral(command: CommitRequest["command"]): command is SeveralCommand {
  return SEVERAL.has(command.type);
}

const SEVERAL: ReadonlySet<string> = new Set<SeveralCommand["type"]>([
  "makeChanges",
  "setGovernance",
  "openProposal",
  "approveProposal",
  "commentProposal",
  "rejectProposal",
]);

/** Synchronous, like the attempt of any other command. */
export function attemptSeveral(host: ChangingHost, attempt: Attempt<SeveralCommand>): CommitAnswer {
  const { command } = attempt;
  switch (command.type) {
    case "makeChanges":
      return attemptChanges(host, { ...attempt, command });
    case "openProposal":
      return attemptProposal(host, { ...attempt, command });
    case "approveProposal":
      return attemptApproval(host, { ...attempt, command });
    case "setGovernance":
      return attemptDecision(host, attempt.request, decideSetGovernance(host.sql, command));
    case "commentProposal":
      return attemptDecision(host, attempt.request, decideComment(host.sql, command));
    case "rejectProposal": {
      const { actor } = attempt.request.caller;
      return attemptDecision(host, attempt.request, decideReject(host.sql, command, { actor, nowMs: host.nowMs() }));
    }
  }
}

/** A decision's entries after the guard, or its refusal. */
export function guarded(host: Pick<ChangingHost, "sql" | "state" | "nowMs">, decision: Done, caller: Caller): Decision {
  return guardedAs(host, decision, caller, false);
}

function guardedAs(
  host: Pick<ChangingHost, "sql" | "state" | "nowMs">,
  decision: Done,
  caller: Caller,
  isApproved: boolean,
): Decision {
  const guarding = {
    state: host.state(),
    governance: readGovernance(host.sql),
    caller,
    nowMs: host.nowMs(),
    isApproved,
  };
  const result = guardEntries(guarding, decision.entries);
  return result.ok ? ok({ ...decision, entries: result.value }) : result;
}

/** Writes a decision, or returns its needs or its refusal. */
export function attemptDecision(host: ChangingHost, request: CommitRequest, decision: Decision): CommitAnswer {
  if (!decision.ok) return { ...decision, asOf: host.asOf() };
  const { value } = decision;
  if (value.type === "needs") return { ...ok(value), asOf: host.asOf() };
  if (value.entries.length === 0) return unchanged(host, value.outcome(host.state()));
  return host.transaction(() => {
    host.write(value, request.caller);
    return host.remember(value.outcome(host.state()), request);
  });
}

function attemptChanges(host: ChangingHost, { request, command, deciding }: Attempt<MakeChangesCommand>): CommitAnswer {
  const { kind, message, changes } = command;
  return unlessTakenBack(host, () => {
    const { seq } = host.asOf();
    const { outcomes } = runChanges(host, { request, changes, deciding, isApproved: false });
    if (host.asOf().seq === seq) {
      throw new TakenBack(unchanged(host, { type: "changes", changeSet: null, changes: outcomes }));
    }
    const changeSet = endChangeSet(host, request, { kind, message, proposal: null, firstSeq: seq + 1 }, []);
    return host.remember({ type: "changes", changeSet, changes: outcomes }, request);
  });
}

/** Tries the changes, rolls them back, and stores them for approval. */
function attemptProposal(
  host: ChangingHost,
  { request, command, deciding }: Attempt<OpenProposalCommand>,
): CommitAnswer {
  const subjects = new Set<string>();
  let isChange = false;
  const tried = unlessTakenBack(host, () => {
    const { seq } = host.asOf();
    const noteSubjects = (entries: readonly DecidedEntry[], state: StateReader) => {
      for (const entry of entries) for (const subject of changedSubjects(state, entry)) subjects.add(subject);
    };
    const { outcomes } = runChanges(host, {
      request,
      changes: command.changes,
      deciding,
      isApproved: true,
      noteSubjects,
    });
    const outcome: Outcome = { type: "changes", changeSet: null, changes: outcomes };
    isChange = host.asOf().seq > seq;
    throw new TakenBack(unchanged(host, outcome));
  });
  // If the set would change nothing, the response is the same as after applying it.
  if (!tried.ok || tried.value.type === "needs" || !isChange) return tried;
  const opening = { id: host.newId(), subjects: [...subjects].sort(), nowMs: host.nowMs() };
  return attemptDecision(host, request, decideOpenProposal(host.sql, command, opening));
}

function attemptApproval(
  host: ChangingHost,
  { request, command, deciding }: Attempt<ApproveProposalCommand>,
): CommitAnswer {
  const { caller } = request;
  const approval = decideApproval(host.sql, command, { actor: caller.actor, nowMs: host.nowMs() });
  if (!approval.ok) return { ...approval, asOf: host.asOf() };
  const { whole, isComplete, entry } = approval.value;
  if (!isComplete) {
    return attemptDecision(host, request, proposalDecision(host.sql, command.id, [entry]));
  }
  return unlessTakenBack(host, () => {
    const { seq } = host.asOf();
    host.write({ entries: [entry], texts: [] }, caller);
    const { outcomes } = runChanges(host, { request, changes: whole.changes, deciding, isApproved: true });
    const { id, message } = whole.proposal;
    const recordKeys = outcomes.flatMap((outcome) =>
      outcome.type === "deleted" ? [] : (host.state().recordById(outcome.id)?.record_key ?? []),
    );
    const applied: DecidedEntry = { type: "proposal.applied", subject: null, payload: { v: 1, id, recordKeys } };
    const set = { kind: "proposal", message, proposal: id, firstSeq: seq + 1 } as const;
    const changeSet = endChangeSet(host, request, set, [applied]);
    const { proposal } = readProposal(host.sql, id)!;
    return host.remember({ type: "proposal", proposal, changeSet, changes: outcomes }, request);
  });
}

type Run = {
  request: CommitRequest;
  changes: readonly Change[];
  deciding: () => Deciding;
  isApproved: boolean;
  noteSubjects?: (entries: readonly DecidedEntry[], state: StateReader) => void;
};

/** Runs in a transaction, which it rolls back unless all changes succeed. */
function runChanges(
  host: ChangingHost,
  { request, changes, deciding, isApproved, noteSubjects }: Run,
): { outcomes: readonly ChangeOutcome[] } {
  const { caller } = request;
  const made = makeChanges(
    {
      deciding,
      state: () => host.state(),
      guard: (decision) => {
        noteSubjects?.(decision.entries, host.state());
        return guardedAs(host, decision, caller, isApproved);
      },
      write: (decision) => host.write(decision, caller),
    },
    changes,
  );
  if (!made.ok) throw new TakenBack({ ...made, asOf: host.asOf() });
  const { value } = made;
  if (value.type === "needs") throw new TakenBack({ ...ok(value), asOf: host.asOf() });
  return value;
}

/** Writes the last entries of a change set; returns its id. */
function endChangeSet(
  host: ChangingHost,
  { caller }: CommitRequest,
  set: { kind: ChangeSetKind; message: string | null; proposal: string | null; firstSeq: number },
  before: readonly DecidedEntry[],
): string {
  const id = host.newId();
  const last: DecidedEntry = { type: "change_set.committed", subject: null, payload: { v: 1, id, ...set } };
  host.write({ entries: [...before, last], texts: [] }, caller);
  return id;
}

function unlessTakenBack(host: ChangingHost, write: () => CommitAnswer): CommitAnswer {
  try {
    return host.transaction(write);
  } catch (error) {
    if (error instanceof TakenBack) return { ...error.answer, asOf: host.asOf() };
    throw error;
  }
}

function unchanged(host: ChangingHost, outcome: Outcome): CommitAnswer {
  return { ...ok({ type: "done", outcome, repeated: false }), asOf: host.asOf() };
}

/** Expired proposals, closed by the alarm: as many as one alarm may write. */
export const EXPIRED_AT_ONCE = 100;

export function expiryEntries(ids: readonly string[]): DecidedEntry[] {
  return ids.map((id) => ({ type: "proposal.expired", subject: null, payload: { v: 1, id } }));
}

/** Thrown to roll back a transaction. */
class TakenBack extends Error {
  readonly answer: CommitAnswer;

  constructor(answer: CommitAnswer) {
    super("The transaction was rolled back.");
    this.answer = answer;
  }
}
