/**
 * Registration and lookup of the Confluent API: copies the newest version, changes tags, and responds to known content
 * from memory.
 */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import type { RegisterCommand, Registered } from "../../../registry/commands.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { CheckResult } from "../../../registry/lookup.ts";
import { NO_ATTRIBUTES, type SchemaRecord } from "../../../registry/record.ts";
import type { Caller } from "../../../registry/rpc.ts";
import { incompatibilityLines } from "../../../schema/confluent-messages.ts";
import { sha256Hex } from "../../../schema/content-hash.ts";
import type { FormatName } from "../../../schema/format.ts";
import { formatNamed } from "../../../schema/formats.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import type { DataContractMetadata, RuleSet } from "../../../schema/rules/data-contract.ts";
import { printSubjectName, type SubjectName } from "../../../schema/subject-name.ts";
import { changeTags, inlineTags, type TagChanges } from "../../../schema/tags.ts";
import type { Edge } from "../../edge.ts";
import type { Source } from "../../read-path/read-through.ts";
import { type Consistency, keepKnownRecord, readKnownRecord } from "../../read-path/records.ts";
import { readShownText } from "../../read-path/texts.ts";
import { CONFLUENT_DIALECT } from "../read/views.ts";
import { checkContent, commitCommand, lookUpContent } from "./commit.ts";
import { proposeInstead } from "./proposals.ts";

type ConfluentSchema = {
  format: FormatName;
  text: string;
  references: RegisterCommand["references"];
  metadata: DataContractMetadata | null;
  ruleSet: RuleSet | null;
  normalise: boolean;
};

export type ConfluentRegistration = ConfluentSchema & {
  name: SubjectName;
  versionNumber: number | null;
  confluentId: number | null;
  force: boolean;
};

/** Changes to inline tags; `propagate` keeps those of the newest version. */
export type TagOperations = TagChanges & { propagate: boolean };

export type ConfirmedRegistration = { record: SchemaRecord; asOf: AsOf; source: Source };

type Options = { idempotencyKey?: string | undefined };

/** Attempts to derive a text from the newest version while others keep registering newer ones. */
const REWORK_ATTEMPTS = 5;

export async function registerConfluent(
  edge: Edge,
  caller: Caller,
  registration: ConfluentRegistration,
  tags: TagOperations,
  consistency: Consistency,
  options: Options,
): Promise<Result<ConfirmedRegistration, Refusal>> {
  const changesTags = tags.add.length > 0 || tags.remove.length > 0;
  if (registration.text === "" || tags.propagate) return registerReworked(edge, caller, registration, tags, options);
  if (changesTags) return registerTagged(edge, caller, registration, tags, {}, options);
  const key = knownKey("register", registration);
  const known = readKnownRecord(edge, key, consistency);
  if (known) return ok({ ...known, source: "memory" });
  const askedAtMs = edge.now();
  const registered = await commitRegistration(edge, caller, registration, {}, options);
  if (registered.ok) keepKnownRecord(edge, key, consistency, { ...registered.value, readAtMs: askedAtMs });
  return registered;
}

/** Takes the text, or only its tags, from the newest live version. */
async function registerReworked(
  edge: Edge,
  caller: Caller,
  registration: ConfluentRegistration,
  tags: TagOperations,
  options: Options,
): Promise<Result<ConfirmedRegistration, Refusal>> {
  for (let attempt = 1; ; attempt += 1) {
    const newest = await readNewest(edge, registration.name);
    if (!newest.ok) return newest;
    if (newest.value.record === null) {
      if (registration.text === "") return refuse(makeRefusal("INVALID_SCHEMA", ["Empty schema"], "Empty schema"));
      return registerTagged(edge, caller, registration, tags, {}, options);
    }
    const { record, text } = newest.value;
    const basedOn = record.contentHash;
    const whole =
      registration.text === ""
        ? { ...registration, format: record.format, text, references: record.references }
        : registration;
    const kept = tags.propagate ? withTagsOf(whole, record, text) : whole;
    const registered = await registerTagged(edge, caller, kept, tags, { basedOn }, options);
    if (registered.ok || registered.refusal.error !== "BUSY" || attempt === REWORK_ATTEMPTS) return registered;
  }
}

/** Adds the newest version's inline tags, as far as their entities still exist. */
function withTagsOf(
  registration: ConfluentRegistration,
  newest: SchemaRecord,
  newestText: string,
): ConfluentRegistration {
  if (newest.format !== registration.format) return registration;
  const format = formatNamed(registration.format);
  let { text } = registration;
  for (const entity of inlineTags(format, newestText)) {
    const changed = changeTags(format, text, { add: [entity], remove: [] });
    if (changed.ok) text = changed.value;
  }
  return { ...registration, text };
}

/** A change of tags always makes a new version, even if the content is known. */
async function registerTagged(
  edge: Edge,
  caller: Caller,
  registration: ConfluentRegistration,
  tags: TagChanges,
  more: Pick<RegisterCommand, "basedOn">,
  options: Options,
): Promise<Result<ConfirmedRegistration, Refusal>> {
  if (tags.add.length === 0 && tags.remove.length === 0) {
    return commitRegistration(edge, caller, registration, more, options);
  }
  const changed = changeTags(formatNamed(registration.format), registration.text, tags);
  if (!changed.ok) {
    const detail = `No matching path '${changed.refusal}' found in the schema`;
    return refuse(makeRefusal("INVALID_SCHEMA", [detail], detail));
  }
  const versionNumber = registration.versionNumber ?? -1;
  const tagged = { ...registration, text: changed.value, versionNumber };
  return commitRegistration(edge, caller, tagged, { ...more, alwaysNewVersion: true }, options);
}

export type VersionChanges = TagChanges & {
  /** Null: the next number. */
  versionNumber: number | null;
  /** Undefined: unchanged. */
  metadata: DataContractMetadata | undefined;
  changeRules(ruleSet: RuleSet | null): RuleSet | null;
};

/** Registers a new version that differs from an existing one in tags, metadata or rules. */
export async function registerChanged(
  edge: Edge,
  caller: Caller,
  record: SchemaRecord,
  { versionNumber, metadata, changeRules, ...tags }: VersionChanges,
  options: Options,
): Promise<Result<ConfirmedRegistration, Refusal>> {
  const stored = await readShownText(edge, record.contentHash);
  if (!stored.ok) return stored;
  const { context, subject, format, references, contract } = record;
  const registration: ConfluentRegistration = {
    name: { context, subject },
    format,
    text: stored.value.text,
    references,
    metadata: metadata ?? contract.metadata,
    ruleSet: changeRules(contract.ruleSet),
    normalise: false,
    versionNumber: versionNumber ?? -1,
    confluentId: null,
    force: false,
  };
  const changesTags = tags.add.length > 0 || tags.remove.length > 0;
  return changesTags
    ? registerTagged(edge, caller, registration, tags, {}, options)
    : commitRegistration(edge, caller, registration, { alwaysNewVersion: true }, options);
}

/** The newest live version with its text, or null. */
async function readNewest(
  edge: Edge,
  name: SubjectName,
): Promise<Result<{ record: SchemaRecord; text: string } | { record: null }, Refusal>> {
  const answer = await edge.primary.read("recordByProperties", { name, properties: [], deleted: false });
  if (!answer.ok) return answer;
  if (!("found" in answer.value.value)) return ok({ record: null });
  const record = answer.value.value.found;
  const text = await readShownText(edge, record.contentHash);
  return text.ok ? ok({ record, text: text.value.text }) : text;
}

async function commitRegistration(
  edge: Edge,
  caller: Caller,
  registration: ConfluentRegistration,
  more: Pick<RegisterCommand, "basedOn" | "alwaysNewVersion">,
  options: Options,
): Promise<Result<ConfirmedRegistration, Refusal>> {
  const command: RegisterCommand = {
    type: "register",
    api: "confluent",
    dialect: CONFLUENT_DIALECT,
    semver: null,
    state: "active",
    attributes: NO_ATTRIBUTES,
    compatibilityLevel: null,
    ...registration,
    ...more,
  };
  const committed = await commitCommand(edge, caller, command, options);
  if (committed.ok) {
    const { record } = committed.value.outcome as Registered;
    return ok({ record, asOf: committed.value.asOf, source: "primary" });
  }
  if (committed.refusal.error === "PROTECTED") {
    return refuse(await proposeInstead(edge, caller, committed.refusal, [command]));
  }
  if (committed.refusal.error !== "INCOMPATIBLE_SCHEMA") return committed;
  // The message shows the earlier schema's text, which the primary may not hold, so the check is repeated from here.
  return refuse((await registrationProblem(edge, registration)) ?? committed.refusal);
}

/** The reason a schema cannot be registered, naming the earlier version it conflicts with; undefined if it can. */
export async function registrationProblem(
  edge: Edge,
  { name, format, text, references, metadata, ruleSet, normalise }: ConfluentSchema & { name: SubjectName },
): Promise<Refusal | undefined> {
  const asked = { name, format, text, references, metadata, ruleSet, normalise };
  const checked = await checkContent(edge, { ...asked, dialect: CONFLUENT_DIALECT, selector: "level" });
  if (!checked.ok) return checked.refusal;
  const { result } = checked.value;
  const lines = await readIncompatibilityLines(edge, result, format);
  if (!lines.ok) return lines.refusal;
  if (result.incompatible === null) return undefined;
  const printed = printSubjectName(name);
  const detail = `The schema is incompatible with an earlier one of "${printed}" under ${result.level}.`;
  return makeRefusal("INCOMPATIBLE_SCHEMA", [printed, `[${lines.value.join(", ")}]`], detail);
}

/** The Confluent API's messages for an incompatible schema; empty for a compatible one. */
export async function readIncompatibilityLines(
  edge: Edge,
  { incompatible, level, validateFields }: CheckResult,
  format: FormatName,
): Promise<Result<string[], Refusal>> {
  if (incompatible === null) return ok([]);
  const { record, differences } = incompatible;
  const shown = { differences, level, validateFields };
  if (record === null) return ok(incompatibilityLines(formatNamed(format), { ...shown, earlier: null }));
  const read = await readShownText(edge, record.contentHash);
  if (!read.ok) return read;
  const earlier = { versionNumber: record.versionNumber, text: read.value.text };
  return ok(incompatibilityLines(formatNamed(format), { ...shown, earlier }));
}

export async function lookUpConfluent(
  edge: Edge,
  lookup: ConfluentSchema & { name: SubjectName; deleted: boolean },
  consistency: Consistency,
): Promise<Result<ConfirmedRegistration & { exact: boolean }, Refusal>> {
  const key = knownKey("lookup", lookup);
  const known = readKnownRecord(edge, key, consistency);
  if (known) return ok({ exact: false, ...known, source: "memory" });
  const askedAtMs = edge.now();
  const found = await lookUpContent(edge, { dialect: CONFLUENT_DIALECT, anyContext: true, ...lookup });
  if (!found.ok) return found;
  const { record, exact, asOf } = found.value;
  keepKnownRecord(edge, key, consistency, { record, asOf, readAtMs: askedAtMs });
  return ok({ record, exact, asOf, source: "primary" });
}

/** Hashes the whole request, so requests that may have different answers never share a key. */
function knownKey(operation: "register" | "lookup", asked: ConfluentSchema & { name: SubjectName }): string {
  return `${operation}/${sha256Hex(JSON.stringify({ ...asked, name: printSubjectName(asked.name) }))}`;
}
