/**
 * The edge's half of a write (docs/architecture.md): computes the facts the primary lacks and calls again. On the third
 * call the primary computes the rest itself, so a racing writer always succeeds.
 */

import { deflateRawSync } from "node:zlib";
import type { Refusal } from "../../../contract/errors.ts";
import { PrimaryUnreachable } from "../../../durable-objects/primary/client.ts";
import type { CandidateText } from "../../../durable-objects/primary/decide/compute.ts";
import { sentTrace } from "../../../observe/trace-context.ts";
import type { Command, Need, Outcome } from "../../../registry/commands.ts";
import type { Answered, AsOf } from "../../../registry/log-entry.ts";
import type { CheckRequest, CheckResult, LookupRequest } from "../../../registry/lookup.ts";
import { NATIVE_HASHES } from "../../../registry/native-hashes.ts";
import type { Api, SchemaRecord } from "../../../registry/record.ts";
import type { Caller, CommitAnswer } from "../../../registry/rpc.ts";
import { textKey } from "../../../registry/text-key.ts";
import { type ContentHash, sha256Hex } from "../../../schema/content-hash.ts";
import type { Fact } from "../../../schema/facts.ts";
import type { Strictness } from "../../../schema/format.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import type { Edge } from "../../edge.ts";
import { keepRegistered } from "../../read-path/content.ts";
import { outrunLatest } from "../../read-path/records.ts";
import { nudgeFeed } from "../follow/followers.ts";
import { computeFacts, likelyReading } from "./facts.ts";
import { ForeseenVerdicts } from "./foreseen-verdicts.ts";

/** Calls of one commit; the last one sets `computeMissing`. */
const COMMIT_CALLS = 3;

export type Committed = {
  outcome: Outcome;
  asOf: AsOf;
  repeated: boolean;
  /** The canonical text of the version that this commit registered, which therefore need not be read. */
  registeredText?: string;
};

export type RepeatOptions = {
  idempotencyKey?: string | undefined;
  /** The parts of the request that the command leaves out, so that a different request with the same key is refused. */
  alongside?: unknown;
};

/**
 * Commits a command, or returns the refusal. With an idempotency key, repeating the request within 24 hours returns the
 * first outcome.
 */
export async function commitCommand(
  edge: Edge,
  caller: Caller,
  command: Command,
  options: RepeatOptions = {},
): Promise<Result<Committed, Refusal>> {
  const identity = commandIdentity(edge, caller, command, options);
  const text = command.type === "register" ? command.text : "";
  const storedTexts: ContentHash[] = [];
  const writtenAtMs = edge.now();
  const facts = command.type === "register" ? await firstFacts(edge, command, chooseStrictness(command)) : [];
  const foreseen = command.type === "register" ? new ForeseenVerdicts(edge, command) : undefined;
  if (foreseen) facts.push(...(await foreseen.facts(facts)));
  const trace = sentTrace(edge.trace());
  const met = new Set<Need["type"]>();
  for (let call = 1; ; call += 1) {
    const computeMissing = call === COMMIT_CALLS;
    const request = { ...identity, caller, command, facts, storedTexts, computeMissing, trace };
    const answer = await counted(edge, command, { call, met }, edge.primary.commit(request));
    if (!answer.ok) return answer;
    const { value, asOf } = answer;
    if (value.type === "done") {
      const { outcome, repeated } = value;
      const isNew = outcome.type === "registered" && outcome.created && !repeated;
      const stored = isNew ? candidateText(facts) : undefined;
      if (isNew && stored) keepRegistered(edge, { record: outcome.record, text: stored.text, asOf, writtenAtMs });
      if (isNew) foreseen?.keep(outcome);
      if (!repeated) outrun(edge, command, outcome, asOf);
      // Registering existing content is the most common request. It changes nothing, so there is nothing to nudge about.
      if (!repeated && (outcome.type !== "registered" || outcome.created)) nudgeFeed(edge, asOf.seq);
      return ok({ outcome, asOf, repeated, ...(stored && { registeredText: stored.text }) });
    }
    if (computeMissing) throw new Error("The primary requested facts although it was allowed to compute them.");
    foreseen?.note(value.needs);
    const unmet = await meetNeeds(edge, value.needs, text, facts, storedTexts);
    if (unmet) return refuse(unmet);
    for (const { type } of value.needs) met.add(type);
  }
}

/** The identity by which the primary recognises a repeated command. */
export function commandIdentity(
  edge: Edge,
  caller: Caller,
  command: Command,
  { idempotencyKey, alongside }: RepeatOptions,
): { commandId: string; commandDigest?: string } {
  if (idempotencyKey === undefined) return { commandId: timeOrderedId(edge) };
  const known = [edge.tenant, caller.actor, idempotencyKey, command.type, targetOf(command)];
  const request = requestOf(command);
  return {
    commandId: `key:${sha256Hex(JSON.stringify(known))}`,
    commandDigest: sha256Hex(JSON.stringify(alongside === undefined ? request : [request, alongside])),
  };
}

/** What of a command the caller sent. */
function requestOf(command: Command): unknown {
  // A dry run belongs to the same request as the change that follows it. It is never remembered itself.
  if ("dryRun" in command) return { ...command, dryRun: false };
  // A review compares with the present state, which another write may have changed before the request is repeated.
  return command.type === "openProposal" ? { ...command, review: null } : command;
}

/**
 * Outcomes are in the order of their ids. One that begins with the time is sought and stored next to the last ones, on a
 * page that is in memory; a random one would be on any page of the day.
 */
function timeOrderedId(edge: Edge): string {
  return `${edge.now().toString(16).padStart(12, "0")}-${edge.newId()}`;
}

/**
 * Updates this isolate's memory for the subjects whose `latest` the command may have changed; deletes drop records by
 * id.
 */
function outrun(edge: Edge, command: Command, outcome: Outcome, asOf: AsOf): void {
  if ("record" in outcome) outrunLatest(edge, outcome.record, asOf);
  if ("name" in command) outrunLatest(edge, command.name, asOf);
  if ("scope" in command) outrunLatest(edge, command.scope, asOf);
}

/** Counts the outcome of a commit, if the call ended it, and its rounds of facts. */
async function counted(
  { counters }: Edge,
  { type: command }: Command,
  { call, met }: { call: number; met: ReadonlySet<Need["type"]> },
  answering: Promise<CommitAnswer>,
): Promise<CommitAnswer> {
  const ended = (outcome: CommitOutcome) => {
    counters.add("registry_commits_total", [command, outcome]);
    counters.observe("registry_commit_needs_rounds", [command], call - 1);
  };
  try {
    const answer = await answering;
    if (!answer.ok) ended(outcomeOf(answer.refusal));
    else if (answer.value.type === "done") ended(answer.value.repeated ? "repeated" : "done");
    // The primary requests more facts of the same kind, so the state has changed in the meantime.
    else if (answer.value.needs.some(({ type }) => met.has(type)))
      counters.add("registry_commit_conflicts_total", [command]);
    return answer;
  } catch (error) {
    ended("failed");
    throw error;
  }
}

type CommitOutcome = "done" | "repeated" | "incompatible" | "busy" | "refused" | "failed";

function outcomeOf({ error }: Refusal): CommitOutcome {
  if (error === "INCOMPATIBLE_SCHEMA") return "incompatible";
  return error === "BUSY" ? "busy" : "refused";
}

/**
 * What a command targets. It is part of the idempotency key: reusing a key for something else must not return the first
 * command's outcome.
 */
function targetOf(command: Command): unknown {
  const permanent = "permanent" in command && command.permanent;
  if ("id" in command) return [command.id, permanent];
  if ("name" in command) return [command.name, "versionNumber" in command ? command.versionNumber : null, permanent];
  if ("scope" in command) return command.scope;
  if ("context" in command) return command.context;
  if ("resource" in command) return command.resource.id;
  if ("resourceId" in command) return command.resourceId;
  // New or tenant-wide objects have no further target; the digest detects a different command with the same key.
  return null;
}

/** Looks up a content in a subject, with the same rounds of facts; writes nothing. */
export async function lookUpContent(
  edge: Edge,
  request: Omit<LookupRequest, "v" | "tenant" | "facts" | "computeMissing">,
): Promise<Result<{ record: SchemaRecord; exact: boolean; asOf: AsOf }, Refusal>> {
  return withFacts(edge, request, "stored", (rounds) =>
    edge.primary.lookup({ ...request, ...rounds, tenant: edge.tenant }),
  );
}

/** Makes a registration's compatibility check, with the same rounds of facts; writes nothing. */
export async function checkContent(
  edge: Edge,
  request: Omit<CheckRequest, "v" | "tenant" | "facts" | "computeMissing">,
): Promise<Result<{ result: CheckResult; asOf: AsOf }, Refusal>> {
  return withFacts(edge, request, "confluent", (rounds) =>
    edge.primary.check({ ...request, ...rounds, tenant: edge.tenant }),
  );
}

/** The most likely reading of a registration's text. */
export function chooseStrictness({ api, confluentId }: { api: Api; confluentId: number | null }): Strictness {
  if (confluentId !== null) return "stored";
  return api === "confluent" ? "confluent" : "new";
}

async function withFacts<Value extends { type: "found" | "checked" }>(
  edge: Edge,
  request: ForeseenReading,
  strictness: Strictness,
  ask: (
    rounds: Pick<LookupRequest, "facts" | "computeMissing">,
  ) => Promise<Answered<Value | { type: "needs"; needs: readonly Need[] }>>,
): Promise<Result<Value & { asOf: AsOf }, Refusal>> {
  const facts = await firstFacts(edge, request, strictness);
  for (let call = 1; ; call += 1) {
    const computeMissing = call === COMMIT_CALLS;
    const answer = await ask({ facts, computeMissing });
    if (!answer.ok) return answer;
    const { value, asOf } = answer;
    if (value.type !== "needs") return ok({ ...value, asOf });
    if (computeMissing) throw new Error("The primary requested facts although it was allowed to compute them.");
    const unmet = await meetNeeds(edge, value.needs, request.text, facts, []);
    if (unmet) return refuse(unmet);
  }
}

type ForeseenReading = Pick<LookupRequest, "format" | "text" | "references" | "normalise" | "dialect">;

/**
 * With references the edge cannot foresee how they resolve; without them, the reading is known before the first call.
 */
export async function firstFacts(
  edge: Edge,
  { format, text, references, normalise, dialect }: ForeseenReading,
  strictness: Strictness,
): Promise<Fact[]> {
  if (references.length > 0 || text === "") return [];
  const request = { strictness, dialect, validateFields: false, normalise };
  return [await likelyReading(edge, format, text, request, sha256Hex(text, NATIVE_HASHES))];
}

/** Adds the facts and texts that the primary lacks, or refuses if they exceed the work of one request. */
async function meetNeeds(
  edge: Edge,
  needs: readonly Need[],
  rawText: string,
  facts: Fact[],
  storedTexts: ContentHash[],
): Promise<Refusal | undefined> {
  const candidate = candidateText(facts);
  const toCompute = needs.filter((need) => need.type !== "text");
  const computed = await computeFacts(edge, toCompute, rawText, candidate);
  if (!computed.ok) return computed.refusal;
  facts.push(...computed.value);
  for (const need of needs) {
    if (need.type !== "text" || !candidate) continue;
    await putText(edge, textKey(edge.tenant, need.contentHash), candidate.text);
    storedTexts.push(need.contentHash);
  }
  return undefined;
}

/** Delay between checks for a text that another writer is uploading. */
const TEXT_PAUSES_MS = [0, 50, 200];

/**
 * All writers of one content write the same bytes, so a refused put is fine if the text exists: R2 accepts one write
 * per second and key.
 */
export async function putText(edge: Edge, key: string, text: string): Promise<void> {
  try {
    await edge.env.TEXTS.put(key, deflateRawSync(Buffer.from(text, "utf8")));
  } catch (error) {
    for (const pause of TEXT_PAUSES_MS) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      if ((await edge.env.TEXTS.head(key).catch(() => null)) !== null) return;
    }
    // Nothing was committed, so the caller can simply retry.
    throw new PrimaryUnreachable("unreachable", error);
  }
}

/** The newest reading is the one the primary requested. */
function candidateText(facts: readonly Fact[]): CandidateText | undefined {
  for (const fact of facts.toReversed()) {
    if (fact.type === "reading" && fact.reading.ok) return { text: fact.reading.value.text };
  }
  return undefined;
}
