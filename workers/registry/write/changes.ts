/**
 * Commits a change set: the facts of all its changes are computed together, round by round, until the primary applies
 * every change or refuses the first impossible one. Unlike for a single registration the primary never computes,
 * because two hundred computations would block every other writer.
 */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import { sentTrace } from "../../../observe/trace-context.ts";
import type { Change, ChangeOutcome, MakeChangesCommand } from "../../../registry/change-set.ts";
import { MAX_CHANGE_DEPTH } from "../../../registry/change-set.ts";
import type { ChangeNeed, Need, Outcome, UnstoredContent } from "../../../registry/commands.ts";
import type { ApproveProposalCommand, OpenProposalCommand } from "../../../registry/governance.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { Closure } from "../../../registry/record.ts";
import type { Caller } from "../../../registry/rpc.ts";
import { textKey } from "../../../registry/text-key.ts";
import type { ContentHash } from "../../../schema/content-hash.ts";
import type { Fact } from "../../../schema/facts.ts";
import type { GroupedPlans } from "../../../schema/plan-groups.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import type { Edge } from "../../edge.ts";
import { forgetContents } from "../../read-path/content.ts";
import { forgetRecords, outrunLatest } from "../../read-path/records.ts";
import { nudgeFeed } from "../follow/followers.ts";
import { chooseStrictness, commandIdentity, firstFacts, putText } from "./commit.ts";
import { collectHashes, computeFacts, loadTexts } from "./facts.ts";

/** Every link of a chain may take a reading and a verdict; the rest allows for concurrent changes. */
const MAX_ROUNDS = 2 * MAX_CHANGE_DEPTH + 4;
/** Differences per verdict: hundreds of verdicts are sent together, and one breaking difference decides. */
const MAX_VERDICT_BYTES = 16 * 1024;
/** All facts of a set as JSON: far below the platform's 32 MiB for an RPC argument. */
const MAX_FACTS_BYTES = 16 * 1024 * 1024;

type CommittedChanges = {
  changeSet: string | null;
  outcomes: readonly ChangeOutcome[];
  plans: GroupedPlans | undefined;
  asOf: AsOf;
};

/** A command with changes: it makes them, tries them, or makes them if they are approved. */
type ChangingCommand = MakeChangesCommand | OpenProposalCommand | ApproveProposalCommand;

type ChangingOutcome = Extract<Outcome, { type: "changes" | "proposal" }>;

export async function commitChanges(
  edge: Edge,
  caller: Caller,
  command: MakeChangesCommand,
  options: { idempotencyKey?: string | undefined },
): Promise<Result<CommittedChanges, Refusal>> {
  const committed = await commitChanging(edge, caller, command, command.changes, options);
  if (!committed.ok) return committed;
  const { outcome, asOf } = committed.value;
  if (outcome.type !== "changes") throw new Error(`A change set ended as "${outcome.type}".`);
  return ok({ changeSet: outcome.changeSet, outcomes: outcome.changes, plans: outcome.plans, asOf });
}

/** Commits a command together with the facts for all its changes. */
export async function commitChanging(
  edge: Edge,
  caller: Caller,
  command: ChangingCommand,
  changes: readonly Change[],
  options: { idempotencyKey?: string | undefined },
): Promise<Result<{ outcome: ChangingOutcome; asOf: AsOf }, Refusal>> {
  const identity = commandIdentity(edge, caller, command, options);
  const facts = new Map<string, Fact>();
  for (const change of changes) {
    if (change.type !== "register") continue;
    for (const fact of await firstFacts(edge, change, chooseStrictness(change))) facts.set(fact.key, fact);
  }
  const storedTexts: ContentHash[] = [];
  const trace = sentTrace(edge.trace());
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    const sent = [...facts.values()];
    if (round > 1 && JSON.stringify(sent).length > MAX_FACTS_BYTES) return refuse(tooComplex());
    const request = { ...identity, caller, command, facts: sent, storedTexts, computeMissing: false, trace };
    const answer = await edge.primary.commit(request);
    if (!answer.ok) {
      edge.counters.add("registry_commits_total", [command.type, "refused"]);
      return answer;
    }
    const { value, asOf } = answer;
    if (value.type === "done") {
      const { outcome, repeated } = value;
      if (outcome.type !== "changes" && outcome.type !== "proposal") {
        throw new Error(`A command about changes ended as "${outcome.type}".`);
      }
      edge.counters.add("registry_commits_total", [command.type, repeated ? "repeated" : "done"]);
      if (!repeated && outcome.changeSet !== null) outrun(edge, outcome.changes, asOf);
      if (!repeated) nudgeFeed(edge, asOf.seq);
      return ok({ outcome, asOf });
    }
    const { unstored = [] } = value;
    const needs = value.needs as readonly ChangeNeed[];
    const unmet = await meetNeeds(edge, changes, { needs, unstored }, facts, storedTexts);
    if (unmet) return refuse(unmet);
  }
  edge.counters.add("registry_commits_total", [command.type, "busy"]);
  const detail = "Concurrent changes kept interfering with this change set; retry the request.";
  return refuse(makeRefusal("BUSY", [detail], detail, { retryAfterSeconds: 1 }));
}

async function meetNeeds(
  edge: Edge,
  changes: readonly Change[],
  { needs, unstored }: { needs: readonly ChangeNeed[]; unstored: readonly UnstoredContent[] },
  facts: Map<string, Fact>,
  storedTexts: ContentHash[],
): Promise<Refusal | undefined> {
  const textOf = (reading: string | null) => {
    const fact = reading === null ? undefined : facts.get(reading);
    return fact?.type === "reading" && fact.reading.ok ? fact.reading.value.text : undefined;
  };
  const texts = new Map(unstored.map(({ contentHash, reading }) => [contentHash, textOf(reading) ?? ""]));
  // Requested together, because they are used one by one below.
  await loadTexts(
    edge,
    collectHashes(needs.flatMap(listClosures)).filter((hash) => !texts.has(hash)),
  );
  for (const need of needs) {
    const change = changes[need.change];
    const read = textOf(need.reading);
    const candidate = read === undefined ? undefined : { text: read };
    if (need.type === "text") {
      if (!candidate) throw new Error("A text was requested that has not been read.");
      await putText(edge, textKey(edge.tenant, need.contentHash), candidate.text);
      storedTexts.push(need.contentHash);
      continue;
    }
    const rawText = change?.type === "register" ? change.text : "";
    const options = { maxVerdictBytes: MAX_VERDICT_BYTES, unstored: texts };
    const computed = await computeFacts(edge, [need], rawText, candidate, options);
    if (!computed.ok) return computed.refusal;
    for (const fact of computed.value) facts.set(fact.key, fact);
  }
  return undefined;
}

function listClosures(need: Need): readonly Closure[] {
  if (need.type === "text") return [];
  return need.type === "reading" ? need.closures : [need.reader, need.writer];
}

/** Updates this isolate's memory for the changed subjects and records. */
function outrun(edge: Edge, outcomes: readonly ChangeOutcome[], asOf: AsOf): void {
  for (const outcome of outcomes) {
    if (outcome.type === "deleted") {
      forgetRecords(edge, outcome.records);
      if (outcome.permanent) forgetContents(edge, outcome, asOf);
    } else {
      outrunLatest(edge, outcome, asOf);
      forgetRecords(edge, [outcome.id]);
    }
  }
}

function tooComplex(): Refusal {
  const detail = "Checking these changes together exceeds the limit of one request; split the set.";
  return makeRefusal("TOO_COMPLEX", [detail], detail);
}
