/**
 * Registration, activation and undelete: everything that adds a live version to a subject. Everything they depend on is
 * read here, in one synchronous step: references, config, mode and earlier versions (docs/confluent-compatibility.md
 * describes the order of the steps).
 */
import { deflateRawSync } from "node:zlib";
import type { Need, RegisterCommand } from "../../../registry/commands.ts";
import type { EffectiveConfig, Mode } from "../../../registry/config.ts";
import { toHex } from "../../../registry/log-entry.ts";
import { NATIVE_HASHES } from "../../../registry/native-hashes.ts";
import type { Numbering, RegisteredPayload } from "../../../registry/payloads.ts";
import { type Attributes, NO_ATTRIBUTES } from "../../../registry/record.ts";
import { type ContentHash, computeGuid, contentHash } from "../../../schema/content-hash.ts";
import type { ParsedText } from "../../../schema/facts.ts";
import type { SchemaProblem } from "../../../schema/format.ts";
import { ok } from "../../../schema/result.ts";
import {
  type DataContract,
  mergeMetadata,
  mergeRuleSets,
  ruleSetProblem,
  sortMetadata,
  sortRuleSet,
  VERSION_PROPERTY,
} from "../../../schema/rules/data-contract.ts";
import { isModelRole, type Role } from "../../../schema/rules/roles.ts";
import { compareSemvers } from "../../../schema/semver.ts";
import { printSubjectName, type SubjectName, subjectNameProblem } from "../../../schema/subject-name.ts";
import { TOOL_DEFINITION_RULE } from "../../../schema/tool-definition.ts";
import type { ContentRow } from "../state/reader.ts";
import { DEFAULT_POLICY, type RecordRow, readDataContract, type SubjectRow, toRecord } from "../state/reader.ts";
import { contractProblem, mergedContractProblem } from "./bounds.ts";
import { tooWide } from "./compatibility.ts";
import {
  type DecidedEntry,
  type DecidedText,
  type Deciding,
  type Decision,
  type DecisionStep,
  isImporting,
  isReadOnly,
  type Refused,
  refused,
  refuseMode,
  refuseReadOnly,
} from "./decision.ts";
import { eraseEntry } from "./hard-delete.ts";
import { findEquivalent, inheritDataContract, readContentHash } from "./lookup.ts";
import { decideNumbering } from "./numbering.ts";
import { readSchemaText, type TextToRead } from "./reading.ts";
import type { ResolvedReferences } from "./references.ts";
import { findStored, strictnessFor } from "./stored-content.ts";

/** A deflated text above this size is stored in R2, before the commit that references it (docs/architecture.md). */
export const MAX_INLINE_TEXT_BYTES = 4_096;

/**
 * Canonical text of a new schema: far above any real one, and low enough that comparing it is affordable. Imports bring
 * what another registry accepted and are limited only by the size of a request.
 */
const MAX_CANONICAL_TEXT_BYTES = 1024 * 1024;

/** The state that a registration depends on, at this moment. */
type Registration = {
  deciding: Deciding;
  command: RegisterCommand;
  /** With aliases resolved. */
  name: SubjectName;
  subject: SubjectRow | undefined;
  config: EffectiveConfig;
  mode: Mode;
};

type ReadRegistration = Registration & {
  reading: ParsedText;
  references: ResolvedReferences;
  /** The requested data contract, before defaults, inheritance and overrides. */
  requested: DataContract;
};

/** The content that would be stored, and the number that its version would get. */
type Content = {
  number: number;
  contract: DataContract;
  hash: ContentHash;
  guid: string;
  existing: ContentRow | undefined;
};

export function decideRegister(deciding: Deciding, command: RegisterCommand): Decision {
  const name = deciding.state.resolveAlias(command.name);
  const subject = deciding.state.subject(name);
  const malformed = malformedProblem(name, command) ?? outrunProblem(deciding, name, subject, command);
  if (malformed) return malformed;

  const read = readCandidate({
    deciding,
    command,
    name,
    subject,
    config: deciding.state.effectiveConfig(name, command.api, command.attributes.role),
    mode: deciding.state.effectiveMode(name),
  });
  if ("ok" in read) return read;
  const settled = findRequested(read) ?? modeProblem(read) ?? mixedProblem(read);
  if (settled) return settled;

  const content = completeContent(read);
  const known = findComplete(read, content) ?? findImported(read, content);
  if (known) return known;
  const unfit = contentProblem(read, content);
  if (unfit) return unfit;

  const text = storeText(read, content);
  const numbered = numberCandidate(read, content);
  if (!numbered.ok) return numbered;
  const { value } = numbered;
  // Requested together, so that a large text does not need its own round.
  const needs = value.type === "needs" ? [...text.needs, ...value.needs] : text.needs;
  if (needs.length > 0 || value.type === "needs") return ok({ type: "needs", needs });
  return registered(read, content, text.texts, value.numbering);
}

function malformedProblem(name: SubjectName, command: RegisterCommand): Decision | undefined {
  const nameProblem = subjectNameProblem(name);
  if (nameProblem !== undefined) {
    return refused("INVALID_SUBJECT", [printSubjectName(name)], `Subject "${printSubjectName(name)}": ${nameProblem}`);
  }
  const tooLarge = contractProblem(command);
  if (tooLarge) return tooLarge;
  const ruleProblem = command.ruleSet ? ruleSetProblem(command.ruleSet) : undefined;
  if (ruleProblem !== undefined) return refused("INVALID_RULE_SET", [ruleProblem], ruleProblem);
  return command.text === "" ? refused("INVALID_SCHEMA", ["Empty schema"], "Empty schema") : undefined;
}

/** The Confluent API hides the subjects of artefacts, so a subject holds either artefacts or what that API shows. */
function mixedProblem({
  deciding: { state },
  name,
  subject,
  command: { format },
}: ReadRegistration): Decision | undefined {
  if (!subject || state.subjectFor(name, format)) return undefined;
  const held = state.formatOf(subject.subject_key);
  const detail = `Subject "${printSubjectName(name)}" holds versions of format ${held}; register a ${format} under another subject.`;
  return refused("CONFLICT", [detail], detail);
}

/** A text derived from the newest version requires that this version is still the newest. */
function outrunProblem(
  { state }: Deciding,
  name: SubjectName,
  subject: SubjectRow | undefined,
  command: RegisterCommand,
): Decision | undefined {
  if (command.basedOn === undefined) return undefined;
  const newest = subject && state.newestLive(subject.subject_key);
  if (newest && (readContentHash(newest) === command.basedOn || hasTextOf(newest, command))) return undefined;
  return refusedAsOutrun(name);
}

/** The reading of the text, or the result that ends the registration here. */
function readCandidate(registration: Registration): ReadRegistration | Decision {
  const { deciding, command, name, subject, config, mode } = registration;
  const textToRead: TextToRead = {
    ...command,
    strictness: strictnessFor(command, mode, config),
    validateFields: config.validateFields ?? false,
    normalise: !isImporting(mode) && (command.normalise || config.normalize === true),
    deleted: isImporting(mode),
  };
  const read = readSchemaText(deciding, name.context, textToRead);
  if (!read.ok) {
    return (read.refusal.error === "INVALID_SCHEMA" ? findStoredAgain(registration, textToRead) : undefined) ?? read;
  }
  if (read.value.type === "needs") return ok(read.value);
  const { reading, references } = read.value;
  const misused = isImporting(mode)
    ? undefined
    : toolDefinitionRefusal(reading.warnings, () => command.attributes.role ?? deciding.state.roleOf(subject, config));
  if (misused) return misused;
  const requested: DataContract = { metadata: sortMetadata(command.metadata), ruleSet: sortRuleSet(command.ruleSet) };
  return { ...registration, reading, references, requested };
}

/** A text that is refused as new but was stored by an import can be registered again. */
function findStoredAgain(registration: Registration, textToRead: TextToRead): Decision | undefined {
  const { deciding, command, subject, config } = registration;
  if (!subject || !mayBeKnown(command) || hasDefaults(config)) return undefined;
  const stored = findStored(deciding, { command, config, subject, textToRead });
  if (stored === undefined) return undefined;
  if (stored.type === "needs") return ok(stored);
  if (!namesTheSame(stored.record, command)) return undefined;
  return alreadyRegistered(stored.record, { dialect: stored.record.dialect, warnings: stored.warnings });
}

/** The version that matches the request, before defaults and overrides are applied. */
function findRequested(read: ReadRegistration): Decision | undefined {
  const { command, subject, config, requested } = read;
  if (!subject || !mayBeKnownAsRequested(command, config)) return undefined;
  const inheritFrom = command.api === "confluent" ? { ...config, said: command } : null;
  return findKnown(read, subject, requested, inheritFrom);
}

/** The version that matches exactly what would be stored. */
function findComplete(read: ReadRegistration, { contract }: Content): Decision | undefined {
  const { command, subject, config, requested } = read;
  if (!subject || !mayBeKnown(command) || command.versionNumber !== null) return undefined;
  if (mayBeKnownAsRequested(command, config) && JSON.stringify(contract) === JSON.stringify(requested))
    return undefined;
  return findKnown(read, subject, contract, null);
}

function findKnown(
  { deciding, command, reading, references }: ReadRegistration,
  subject: SubjectRow,
  contract: DataContract,
  inheritFrom: Parameters<typeof findEquivalent>[3]["inheritFrom"],
): Decision | undefined {
  const sought = {
    format: command.format,
    text: reading.text,
    equivalenceHash: reading.equivalenceHash,
    references: references.resolved,
    ...(command.api === "native" ? { orderlessHash: reading.orderlessHash } : {}),
    ...(command.namesDialect ? { dialect: reading.dialect } : {}),
    contract,
  };
  const known = findEquivalent(deciding.state, subject, sought, { deleted: false, inheritFrom });
  return known && namesTheSame(known, command) ? alreadyRegistered(known, reading) : undefined;
}

/** An import of an existing number with the same content and id. */
function findImported(
  { deciding, command, subject, mode, reading }: ReadRegistration,
  { hash }: Content,
): Decision | undefined {
  if (!subject || !isImporting(mode) || command.versionNumber === null) return undefined;
  const held = deciding.state.recordByNumber(subject.subject_key, command.versionNumber);
  if (!held || readContentHash(held) !== hash || held.confluent_id !== command.confluentId) return undefined;
  return held.deleted === 0 ? alreadyRegistered(held, reading) : importedAgain(held, reading.warnings);
}

/** Only writes depend on the mode; requests for known content have already been answered. */
function modeProblem({ name, mode, command }: Registration): Decision | undefined {
  if (isReadOnly(mode)) return refuseReadOnly(name);
  if (command.confluentId !== null && !isImporting(mode)) return refuseMode(name, "not in import mode");
  if (command.confluentId === null && isImporting(mode)) return refuseMode(name, "not in read-write mode");
  return undefined;
}

function completeContent(read: ReadRegistration): Content {
  const { deciding, command, subject, config, mode, reading, references, requested } = read;
  const { state } = deciding;
  const number = (subject?.last_number ?? 0) + 1;
  const previous = subject && state.newestLive(subject.subject_key);
  const contract = isImporting(mode) ? requested : finalizeDataContract(requested, command, previous, config, number);
  const content = { format: command.format, text: reading.text, references: references.resolved, contract };
  const hash = contentHash(content, NATIVE_HASHES);
  return { number, contract, hash, guid: computeGuid(content, NATIVE_HASHES), existing: state.contentByHash(hash) };
}

function contentProblem(
  { deciding, command, mode, reading }: ReadRegistration,
  { contract, guid, existing }: Content,
): Decision | undefined {
  if (existing) return undefined;
  const tooLarge = mergedContractProblem(contract);
  if (tooLarge) return tooLarge;
  if (deciding.state.contentsByGuid(guid).some(({ format }) => format === command.format)) {
    const detail = `Another schema of the same format already has the guid ${guid}.`;
    return refused("CONFLICT", [detail], detail);
  }
  const textBytes = Buffer.byteLength(reading.text, "utf8");
  if (isImporting(mode) || textBytes <= MAX_CANONICAL_TEXT_BYTES) return undefined;
  const detail = `The schema's canonical text has ${textBytes} bytes; at most ${MAX_CANONICAL_TEXT_BYTES} are accepted.`;
  return refused("SCHEMA_TOO_LARGE", [], detail);
}

/** The text to store with the entry, if it is new; a large text must be in R2 first. */
function storeText(
  { deciding, reading }: ReadRegistration,
  { hash, existing }: Content,
): { texts: DecidedText[]; needs: Need[] } {
  if (existing) return { texts: [], needs: [] };
  const bytes = Buffer.from(reading.text, "utf8");
  const deflated = deflateRawSync(bytes);
  const isInline = deflated.byteLength <= MAX_INLINE_TEXT_BYTES;
  const stored = isInline ? Uint8Array.from(deflated) : null;
  return {
    texts: [{ contentHash: hash, deflated: stored, textBytes: bytes.byteLength }],
    needs: isInline || deciding.storedTexts.has(hash) ? [] : [{ type: "text", key: hash, contentHash: hash }],
  };
}

/** The verdict and, for an active version, its number, semver and Confluent id; a draft has none. */
function numberCandidate(
  read: ReadRegistration,
  { number, contract, hash }: Content,
): DecisionStep<{ type: "numbered"; numbering: Numbering | null }> {
  const { deciding, command, name, subject, config, mode, reading, references } = read;
  if (command.state !== "active") {
    if (command.semver === null) return ok({ type: "numbered", numbering: null });
    const detail = "A draft gets its version when it is activated; omit version.";
    return refused("UNPROCESSABLE", [detail], detail, { items: [{ pointer: "/version", message: detail }] });
  }
  const closure = deciding.state.closureOf(hash, references.resolved, name.context);
  if (!closure) return tooWide(name);
  return decideNumbering(deciding, {
    name,
    subject,
    mode,
    config,
    candidate: {
      name,
      format: command.format,
      contract,
      closure,
      dialect: reading.dialect,
      topLevelNames: reading.topLevelNames,
      role: resolveRole(deciding, command.attributes, subject, config),
    },
    hash,
    number,
    command,
    skipCompatibility: command.force || isImporting(mode),
  });
}

function registered(
  read: ReadRegistration,
  content: Content,
  texts: readonly DecidedText[],
  numbering: Numbering | null,
): Decision {
  const { deciding, command, name, subject, reading } = read;
  const payload = registeredPayload(read, content, numbering);
  const printed = printSubjectName(name);
  const entries: DecidedEntry[] = [{ type: "schema.registered", subject: printed, payload }];
  if (!subject && command.compatibilityLevel) {
    const config = { ...deciding.state.scopeConfig(name), compatibilityLevel: command.compatibilityLevel };
    entries.push({
      type: "config.changed",
      subject: printed,
      payload: { v: 1, context: name.context, subject: name.subject, config },
    });
  }
  if (numbering && subject) entries.push(...replacedEntries(deciding, subject, name, content.hash, numbering));
  return ok({
    type: "done",
    entries,
    texts,
    outcome: (after) => ({
      type: "registered",
      created: true,
      record: toRecord(after.recordById(payload.id)!),
      warnings: reading.warnings,
    }),
  });
}

function registeredPayload(
  { deciding, command, name, subject, reading, references }: ReadRegistration,
  { hash, guid, contract, existing }: Content,
  numbering: Numbering | null,
): RegisteredPayload {
  return {
    v: 1,
    subject: {
      key: subject?.subject_key ?? deciding.nextSeq,
      context: name.context,
      subject: name.subject,
      defaultPolicy: subject?.default_policy ?? DEFAULT_POLICY[command.api],
    },
    id: deciding.newId(),
    content: {
      key: existing?.content_key ?? deciding.nextSeq,
      hash,
      guid,
      format: command.format,
      dialect: existing ? existing.dialect : reading.dialect,
      references: references.resolved,
      contract,
      equivalenceHash: existing ? toHex(new Uint8Array(existing.equivalence_hash)) : reading.equivalenceHash,
    },
    reading: { dialect: reading.dialect, orderlessHash: reading.orderlessHash },
    targets: listTargets(references),
    attributes: isEmpty(command.attributes) ? null : command.attributes,
    numbering,
  };
}

/** Whether it was looked up by the request (`findRequested`). */
function mayBeKnownAsRequested(command: RegisterCommand, config: EffectiveConfig): boolean {
  return mayBeKnown(command) && !hasDefaults(config);
}

function mayBeKnown({ state, alwaysNewVersion }: RegisterCommand): boolean {
  return state === "active" && !alwaysNewVersion;
}

/**
 * A tool definition registered as a schema accepts every value, so under a role for models nothing would be checked.
 */
function toolDefinitionRefusal(warnings: readonly SchemaProblem[], readRole: () => Role | null): Decision | undefined {
  const items = warnings.filter(({ rule }) => rule === TOOL_DEFINITION_RULE);
  const [first] = items;
  const role = first && readRole();
  if (first === undefined || !role || !isModelRole(role)) return undefined;
  return refused("INVALID_SCHEMA", [first.message], `${first.message} The role "${role}" needs the schema itself.`, {
    items,
  });
}

/** The version's own role, else the subject's. Not computed if nothing is compared. */
export function resolveRole(
  { state }: Deciding,
  { role }: Pick<Attributes, "role">,
  subject: SubjectRow | undefined,
  config: EffectiveConfig,
): Role | null {
  const isCompared = config.compatibilityLevel !== "NONE" || config.enforceVersion === true;
  return isCompared ? (role ?? state.roleOf(subject, config)) : null;
}

/**
 * Older soft-deleted versions of the same content are removed in favour of the new one unless something references them
 * (docs/confluent-compatibility.md).
 */
export function replacedEntries(
  deciding: Deciding,
  subject: SubjectRow,
  name: SubjectName,
  hash: ContentHash,
  { confluentId }: Numbering,
): DecidedEntry[] {
  const { state } = deciding;
  const replaced = state.recordsOfContent(subject.subject_key, hash).filter(
    (row) =>
      row.deleted === 1 &&
      row.number !== null &&
      // An import may bring the content under a second id; versions with the first id keep that one readable.
      row.confluent_id === confluentId &&
      state.referrers(subject.subject_key, row.number).length === 0,
  );
  return replaced.length === 0 ? [] : [eraseEntry(state, printSubjectName(name), replaced, { subjectStays: true })];
}

/**
 * The data contract that is stored: defaults, then the request's or the previous version's, then overrides
 * (docs/confluent-compatibility.md).
 */
export function finalizeDataContract(
  requested: DataContract,
  command: Pick<RegisterCommand, "api" | "versionNumber" | "metadata" | "ruleSet">,
  previous: RecordRow | undefined,
  config: EffectiveConfig,
  number: number,
): DataContract {
  const base =
    command.api === "confluent" && previous
      ? inheritDataContract(requested, command, readDataContract(previous))
      : requested;
  let metadata = mergeMetadata(mergeMetadata(config.defaultMetadata, base.metadata), config.overrideMetadata);
  const ruleSet = mergeRuleSets(mergeRuleSets(config.defaultRuleSet, base.ruleSet), config.overrideRuleSet);
  if (command.versionNumber !== null || metadata?.properties?.[VERSION_PROPERTY] !== undefined) {
    metadata = mergeMetadata(metadata, { properties: { [VERSION_PROPERTY]: String(number) } });
  }
  return { metadata, ruleSet };
}

function hasDefaults(config: EffectiveConfig): boolean {
  return Boolean(config.defaultMetadata || config.overrideMetadata || config.defaultRuleSet || config.overrideRuleSet);
}

/** Whether a known version has the id, number and semver of the request, as far as it specifies them. */
function namesTheSame(known: RecordRow, command: RegisterCommand): boolean {
  return (
    (command.confluentId === null || command.confluentId === known.confluent_id) &&
    (command.versionNumber === null || command.versionNumber <= 0 || command.versionNumber === known.number) &&
    (command.semver === null || (known.label !== null && compareSemvers(command.semver, known.label) === 0))
  );
}

/** An import that restores a soft-deleted version under the same number and id. */
function importedAgain(record: RecordRow, warnings: readonly SchemaProblem[]): Decision {
  return ok({
    type: "done",
    entries: [
      {
        type: "schema.undeleted",
        subject: printSubjectName(toSubjectName(record)),
        payload: { v: 1, recordKeys: [record.record_key] },
      },
    ],
    texts: [],
    outcome: (after) => ({
      type: "registered",
      created: true,
      record: toRecord(after.recordById(record.id)!),
      warnings,
    }),
  });
}

/** Whether a version has exactly the text and references of the request, regardless of metadata and rules. */
function hasTextOf(record: RecordRow, { format, text, references }: RegisterCommand): boolean {
  return (
    readContentHash(record) ===
    contentHash({ format, text, references, contract: readDataContract(record) }, NATIVE_HASHES)
  );
}

/** A concurrent registration has changed the newest version: the caller derives its text again. */
function refusedAsOutrun(name: SubjectName): Decision {
  const detail = `The newest version of "${printSubjectName(name)}" has changed in the meantime; retry the request.`;
  return refused("BUSY", [detail], detail, { retryAfterSeconds: 1 });
}

type KnownReading = Pick<ParsedText, "dialect" | "warnings">;

function alreadyRegistered(known: RecordRow, { dialect, warnings }: KnownReading): Decision {
  const otherwiseRead: SchemaProblem[] =
    known.dialect === dialect
      ? []
      : [
          {
            rule: "dialect_unchanged",
            message: `The content is already registered with dialect ${known.dialect}; send "dialect" to register it as ${dialect}.`,
            pointer: "/dialect",
          },
        ];
  return ok({
    type: "done",
    entries: [],
    texts: [],
    outcome: () => ({
      type: "registered",
      created: false,
      record: toRecord(known),
      warnings: [...warnings, ...otherwiseRead],
    }),
  });
}

export function staleProblem(record: RecordRow, ifMatchSeq: number | null): Refused | undefined {
  if (ifMatchSeq === null || ifMatchSeq === record.updated_seq) return undefined;
  const detail = `Schema ${record.id} has changed since: its ETag is now "${record.updated_seq}".`;
  return refused("PRECONDITION_FAILED", [detail], detail);
}

function listTargets({ targets }: ResolvedReferences): RegisteredPayload["targets"] {
  return targets.map(({ subject_key, number }) => ({ subjectKey: subject_key, number: number! }));
}

function isEmpty(attributes: RegisterCommand["attributes"]): boolean {
  return JSON.stringify(attributes) === JSON.stringify(NO_ATTRIBUTES);
}

export function toSubjectName({ context, subject }: { context: string; subject: string }): SubjectName {
  return { context, subject };
}
