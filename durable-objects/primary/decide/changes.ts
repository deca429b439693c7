/**
 * Applies the changes of a set within one transaction, which the caller rolls back unless all succeed. Each is decided
 * on the state after the previous ones, so a reference may resolve to a version that the same set registers.
 */
import type { Refusal } from "../../../contract/errors.ts";
import type { Change, ChangeOutcome } from "../../../registry/change-set.ts";
import type { ChangeNeed, Outcome, UnstoredContent } from "../../../registry/commands.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { printSubjectName } from "../../../schema/subject-name.ts";
import type { StateReader } from "../state/reader.ts";
import { decide } from "./decide.ts";
import { type Deciding, type Decision, type Done, type Refused, refused } from "./decision.ts";
import { deletedCountProblem } from "./delete.ts";

/** Deletes may be in any order: one that is blocked by a reference from the set itself is retried after the others. */
const MAX_PASSES = 8;

type MadeChanges = Result<
  | { type: "made"; outcomes: readonly ChangeOutcome[] }
  | { type: "needs"; needs: readonly ChangeNeed[]; unstored: readonly UnstoredContent[] },
  Refusal
>;

type ChangeHost = {
  /** The inputs of the next change's decision. */
  deciding(): Deciding;
  /** The decision if it may be written, or its refusal. */
  guard(decision: Done): Decision;
  /** Appends and applies a decision's entries. */
  write(decision: Done): void;
  /** The state after the entries written so far. */
  state(): StateReader;
};

export function makeChanges(host: ChangeHost, changes: readonly Change[]): MadeChanges {
  return new Making(host, changes).run();
}

type RefusedChange = { change: number; refusal: Refusal };

class Making {
  readonly #host: ChangeHost;
  readonly #changes: readonly Change[];
  readonly #outcomes: ChangeOutcome[] = [];
  /** The records that changes created, for references to them. */
  readonly #records = new Map<number, SchemaRecord>();
  readonly #unstored: UnstoredContent[] = [];
  readonly #needs = new Map<string, ChangeNeed>();
  /** Subjects and changes whose state is still provisional, because facts about an earlier change are missing. */
  readonly #unsettled = new Set<string | number>();
  /** Versions deleted so far. */
  #deleted = 0;

  constructor(host: ChangeHost, changes: readonly Change[]) {
    this.#host = host;
    this.#changes = changes;
  }

  run(): MadeChanges {
    let open = this.#changes.map((_, index) => index);
    for (let pass = 1; ; pass += 1) {
      const refusals: RefusedChange[] = [];
      for (const index of open) {
        const refusal = this.#make(index);
        if (!refusal) continue;
        const refusedChange = { change: index, refusal };
        if (!isDelete(this.#changes[index]!)) return refuseChange(refusedChange);
        refusals.push(refusedChange);
      }
      if (this.#needs.size > 0)
        return ok({ type: "needs", needs: [...this.#needs.values()], unstored: this.#unstored });
      const [first] = refusals;
      if (first === undefined) return ok({ type: "made", outcomes: this.#outcomes });
      if (refusals.length === open.length || pass === MAX_PASSES) return refuseChange(first);
      // Referenced changes usually come before their referrers.
      open = refusals.map(({ change }) => change).toReversed();
    }
  }

  /** Applies one change, records its needs, or returns its refusal. */
  #make(index: number): Refusal | undefined {
    const change = this.#changes[index]!;
    let reading: string | null = null;
    const deciding: Deciding = {
      ...this.#host.deciding(),
      noteReading: (key) => {
        reading = key;
      },
    };
    const subjects = listSubjects(deciding.state, change);
    if (this.#waits(change, subjects)) {
      this.#settleLater(index, subjects);
      return undefined;
    }
    const decided = this.#decide(deciding, change);
    const decision = decided.ok && decided.value.type === "done" ? this.#host.guard(decided.value) : decided;
    if (!decision.ok) {
      if (this.#unsettled.size === 0) return decision.refusal;
      // It may be refused only because an earlier change has not been applied yet; the next round decides.
      this.#settleLater(index, subjects);
      return undefined;
    }
    const { value } = decision;
    if (value.type === "needs") {
      for (const need of value.needs) {
        if (!this.#needs.has(need.key)) this.#needs.set(need.key, { ...need, change: index, reading });
      }
      this.#settleLater(index, subjects);
      return undefined;
    }
    const deleted = this.#deleted + countDeleted(value);
    const tooMany = deletedCountProblem(deleted);
    if (tooMany) return tooMany.refusal;
    this.#deleted = deleted;
    if (value.entries.length > 0) this.#host.write(value);
    const outcome = value.outcome(this.#host.state());
    if ("record" in outcome) this.#records.set(index, outcome.record);
    if (outcome.type === "registered" && outcome.created && reading !== null) {
      this.#unstored.push({ contentHash: outcome.record.contentHash, reading });
    }
    this.#outcomes[index] = shortOutcome(change, outcome, value.entries.length > 0);
    return undefined;
  }

  #waits(change: Change, subjects: readonly string[]): boolean {
    const own = change.type === "register" ? (change.ownReferences ?? []) : [];
    return (
      own.some(({ change: other }) => this.#unsettled.has(other)) || subjects.some((name) => this.#unsettled.has(name))
    );
  }

  #settleLater(index: number, subjects: readonly string[]): void {
    this.#unsettled.add(index);
    for (const subject of subjects) this.#unsettled.add(subject);
  }

  #decide(deciding: Deciding, change: Change): Decision {
    if (change.type !== "register") return decide(deciding, change);
    const { ownReferences = [], ...command } = change;
    const references = [...command.references];
    for (const { reference, change: other } of ownReferences) {
      const target = this.#records.get(other);
      if (target === undefined || target.versionNumber === null) {
        const detail = `Reference ${reference} refers to change ${other}, which creates no version.`;
        return refused("INVALID_SCHEMA", [detail], detail, {
          items: [{ pointer: `/references/${reference}`, rule: "reference_not_found", message: detail }],
        });
      }
      const { name } = references[reference]!;
      references[reference] = { name, subject: printSubjectName(target), version: target.versionNumber };
    }
    return decide(deciding, { ...command, references });
  }
}

/** Identifies the refused change; the edge adds its location in the request. */
function refuseChange({ change, refusal }: RefusedChange): Refused {
  return refuse({ ...refusal, extra: { ...refusal.extra, change } });
}

function countDeleted({ entries }: Done): number {
  return entries.reduce(
    (sum, entry) =>
      entry.type === "schema.deleted" || entry.type === "schema.erased" ? sum + entry.payload.recordKeys.length : sum,
    0,
  );
}

function isDelete({ type }: Change): boolean {
  return type === "deleteRecord" || type === "deleteVersion" || type === "deleteSubject";
}

/** The subjects whose versions a change reads or writes. */
function listSubjects(state: StateReader, change: Change): string[] {
  if ("name" in change) return [printSubjectName(change.name), printSubjectName(state.resolveAlias(change.name))];
  const record = state.recordById(change.id);
  return record ? [printSubjectName(record)] : [];
}

function shortOutcome(change: Change, outcome: Outcome, isChange: boolean): ChangeOutcome {
  if (outcome.type === "deleted") return { ...outcome, permanent: "permanent" in change && change.permanent };
  if (outcome.type !== "registered" && outcome.type !== "record") {
    throw new Error(`A change set cannot hold a change whose outcome is "${outcome.type}".`);
  }
  const { id, context, subject, versionNumber, semver, confluentId, state, seq } = outcome.record;
  const created = outcome.type === "registered" ? outcome.created : isChange;
  return { type: outcome.type, created, id, context, subject, versionNumber, semver, confluentId, state, seq };
}
