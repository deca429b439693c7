/** Commits change sets: every change in one transaction, or none of them. */
import type { MakeChangesCommand } from "../../registry/change-set.ts";
import type { Outcome } from "../../registry/commands.ts";
import type { AsOf } from "../../registry/log-entry.ts";
import type { Caller, CommitAnswer, CommitRequest } from "../../registry/rpc.ts";
import { makeChanges } from "./decide/changes.ts";
import type { Deciding, Decision } from "./decide/decision.ts";
import type { StateReader } from "./state/reader.ts";

/** What a change set uses of its primary. */
export type ChangingHost = {
  asOf(): AsOf;
  newId(): string;
  transaction<T>(write: () => T): T;
  write(decision: Pick<Decision & { type: "done" }, "entries" | "texts">, caller: Caller): void;
  state(): StateReader;
  remember(outcome: Outcome, request: CommitRequest): CommitAnswer;
};

type Attempt = { request: CommitRequest; command: MakeChangesCommand; deciding: () => Deciding };

/** Synchronous, like the attempt of any other command. */
export function attemptChanges(host: ChangingHost, { request, command, deciding }: Attempt): CommitAnswer {
  const { kind, message, changes } = command;
  const { caller } = request;
  const run = () => {
    const { seq } = host.asOf();
    const made = makeChanges(
      { deciding, state: () => host.state(), write: (decision) => host.write(decision, caller) },
      changes,
    );
    if (made.type !== "made") throw new TakenBack({ ...made, asOf: host.asOf() });
    const { outcomes } = made;
    if (host.asOf().seq === seq) {
      const outcome: Outcome = { type: "changes", changeSet: null, changes: outcomes };
      throw new TakenBack({ type: "done", outcome, asOf: host.asOf(), repeated: false });
    }
    const id = host.newId();
    const payload = { v: 1, id, kind, message, proposal: null, firstSeq: seq + 1 } as const;
    host.write({ entries: [{ type: "change_set.committed", subject: null, payload }], texts: [] }, caller);
    return host.remember({ type: "changes", changeSet: id, changes: outcomes }, request);
  };
  try {
    return host.transaction(run);
  } catch (error) {
    if (error instanceof TakenBack) return { ...error.answer, asOf: host.asOf() };
    throw error;
  }
}

/** Thrown to roll back a transaction. */
class TakenBack extends Error {
  readonly answer: CommitAnswer;

  constructor(answer: CommitAnswer) {
    super("The transaction was rolled back.");
    this.answer = answer;
  }
}
