/**
 * Registration, activation and undelete (DESIGN §3; specs: Confluent contract §4.1): everything that gives a subject a
 * version that counts. Nothing is decided outside this block: references, config, mode and earlier versions are read here.
 */

import { deflateRawSync } from "node:zlib";
import type { ActivateCommand, Need, RegisterCommand, UndeleteCommand } from "../../../registry/commands.ts";
import { toHex } from "../../../registry/log-entry.ts";
import { NATIVE_HASHES } from "../../../registry/native-hashes.ts";
import type { Numbering, RegisteredPayload } from "../../../registry/payloads.ts";
import type { EffectiveConfig } from "../../../registry/questions.ts";
import { type Attributes, type Closure, NO_ATTRIBUTES } from "../../../registry/record.ts";
import { type ContentHash, contentHash, guidOf } from "../../../schema/content-hash.ts";
import type { Reading } from "../../../schema/facts.ts";
import type { SchemaProblem } from "../../../schema/format.ts";
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
import {
  attributesOf,
  DEFAULT_POLICY,
  type RecordRow,
  readDataContract,
  referencesOf,
  type SubjectRow,
  toRecord,
} from "../state/reader.ts";
import { type Candidate, closureOfRecord, decideCompatibility, tooWide } from "./compatibility.ts";
import {
  type DecidedEntry,
  type DecidedText,
  type Deciding,
  type Decision,
  isImporting,
  isReadOnly,
  refused,
  refuseMode,
  refuseReadOnly,
} from "./decision.ts";
import { eraseEntry } from "./hard-delete.ts";
import { findEquivalent, hashOf, inheritDataContract } from "./lookup.ts";
import { decideNumbering } from "./numbering.ts";
import { readText, type TextToRead } from "./reading.ts";
import type { ResolvedReferences } from "./references.ts";
import { findStored, strictnessFor } from "./stored-content.ts";

/** A deflated text above this lies in R2, put there before the commit that names it (DESIGN §7). */
export const MAX_INLINE_TEXT_BYTES = 4_096;

/**
 * Canonical text of a new schema: far above any real one, far below what comparing it could cost. Imports bring what
 * another registry accepted and are bounded by the size of a request.
 */
export const MAX_CANONICAL_TEXT_BYTES = 1024 * 1024;

export function decideRegister(deciding: Deciding, command: RegisterCommand): Decision {
  const { state } = deciding;
  const name = state.resolveAlias(command.name);
  const nameProblem = subjectNameProblem(name);
  if (nameProblem !== undefined) {
    return refused("INVALID_SUBJECT", [printSubjectName(name)], `Subject "${printSubjectName(name)}": ${nameProblem}`);
  }
  const ruleProblem = command.ruleSet ? ruleSetProblem(command.ruleSet) : undefined;
  if (ruleProblem !== undefined) return refused("INVALID_RULE_SET", [ruleProblem], ruleProblem);
  if (command.text === "") return refused("INVALID_SCHEMA", ["Empty schema"], "Empty schema");

  const subject = state.subject(name);
  if (command.basedOn !== undefined) {
    const newest = subject && state.newestLive(subject.subject_key);
    if (!newest || (hashOf(newest) !== command.basedOn && !hasTextOf(newest, command))) return refusedAsOutrun(name);
  }
  const config = state.effectiveConfig(name, command.api, command.attributes.role);
  const mode = state.effectiveMode(name);
  const textToRead: TextToRead = {
    ...command,
    strictness: strictnessFor(command, mode, config),
    validateFields: config.validateFields ?? false,
    normalise: !isImporting(mode) && (command.normalise || config.normalize === true),
    deleted: isImporting(mode),
  };
  const read = readText(deciding, name.context, textToRead);
  if (read.type === "refused" && read.refusal.error === "INVALID_SCHEMA" && subject) {
    if (command.state !== "active" || command.alwaysNewVersion || hasDefaults(config)) return read;
    const stored = findStored(deciding, { command, config, subject, textToRead });
    if (stored === undefined || stored.type === "needs") return stored ?? read;
    return namesTheSame(stored.record, command)
      ? alreadyRegistered(stored.record, { dialect: stored.record.dialect, warnings: stored.warnings })
      : read;
  }
  if (read.type !== "read") return read;
  const { reading, references } = read;
  const misused = isImporting(mode)
    ? undefined
    : toolDefinitionRefusal(reading.warnings, () => command.attributes.role ?? state.roleOf(subject, config));
  if (misused) return misused;

  const found = {
    format: command.format,
    text: reading.text,
    equivalenceHash: reading.equivalenceHash,
    references: references.resolved,
    ...(command.api === "native" ? { orderlessHash: reading.orderlessHash } : {}),
    ...(command.namesDialect ? { dialect: reading.dialect } : {}),
  };
  const requested: DataContract = { metadata: sortMetadata(command.metadata), ruleSet: sortRuleSet(command.ruleSet) };
  const mayBeKnown = command.state === "active" && !command.alwaysNewVersion;
  if (subject && mayBeKnown && !hasDefaults(config)) {
    const known = findEquivalent(
      state,
      subject,
      { ...found, contract: requested },
      {
        deleted: false,
        inheritFrom: command.api === "confluent" ? { ...config, said: command } : null,
      },
    );
    if (known && namesTheSame(known, command)) return alreadyRegistered(known, reading);
  }

  if (isReadOnly(mode)) return refuseReadOnly(name);
  if (command.confluentId !== null && !isImporting(mode)) return refuseMode(name, "not in import mode");
  if (command.confluentId === null && isImporting(mode)) return refuseMode(name, "not in read-write mode");

  const number = (subject?.last_number ?? 0) + 1;
  const previous = subject && state.newestLive(subject.subject_key);
  const contract = isImporting(mode) ? requested : finalizeDataContract(requested, command, previous, config, number);
  const content = { format: command.format, text: reading.text, references: references.resolved, contract };
  const hash = contentHash(content, NATIVE_HASHES);
  const guid = guidOf(content, NATIVE_HASHES);

  if (subject && mayBeKnown && command.versionNumber === null) {
    const known = findEquivalent(
      state,
      subject,
      { ...found, contract },
      {
        deleted: false,
        inheritFrom: null,
      },
    );
    if (known && namesTheSame(known, command)) return alreadyRegistered(known, reading);
  }
  if (subject && isImporting(mode) && command.versionNumber !== null) {
    const held = state.recordByNumber(subject.subject_key, command.versionNumber);
    if (held && hashOf(held) === hash && held.confluent_id === command.confluentId) {
      return held.deleted === 0 ? alreadyRegistered(held, reading) : importedAgain(held, reading.warnings);
    }
  }
  const existing = state.contentByHash(hash);
  const sharingGuid = existing ? undefined : state.contentsByGuid(guid).find(({ format }) => format === command.format);
  if (sharingGuid) {
    const detail = `Another schema of the same format already has the guid ${guid}.`;
    return refused("CONFLICT", [detail], detail);
  }

  const textBytes = Buffer.byteLength(reading.text, "utf8");
  if (!existing && !isImporting(mode) && textBytes > MAX_CANONICAL_TEXT_BYTES) {
    const detail = `The schema's canonical text has ${textBytes} bytes; at most ${MAX_CANONICAL_TEXT_BYTES} are accepted.`;
    return refused("SCHEMA_TOO_LARGE", [], detail);
  }

  const deflated = existing ? null : deflateRawSync(Buffer.from(reading.text, "utf8"));
  const inline = deflated !== null && deflated.byteLength <= MAX_INLINE_TEXT_BYTES;
  const textNeeds: Need[] =
    deflated && !inline && !deciding.storedTexts.has(hash) ? [{ type: "text", key: hash, contentHash: hash }] : [];
  const texts: DecidedText[] =
    deflated === null
      ? []
      : [
          {
            contentHash: hash,
            deflated: inline ? Uint8Array.from(deflated) : null,
            textBytes,
          },
        ];

  let numbering: Numbering | null = null;
  if (command.state === "active") {
    const closure = state.closureOf(hash, references.resolved, name.context);
    if (!closure) return tooWide(name);
    const numbered = decideNumbering(deciding, {
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
        role: roleOf(deciding, command.attributes, subject, config),
      },
      hash,
      number,
      command,
      skipCompatibility: command.force || isImporting(mode),
    });
    // Asked for together, so that a large text costs no round of its own.
    if (numbered.type === "needs") return { type: "needs", needs: [...textNeeds, ...numbered.needs] };
    if (numbered.type !== "numbered") return numbered;
    numbering = numbered.numbering;
  } else if (command.semver !== null) {
    const detail = "A draft gets its version when it is activated; leave out version.";
    return refused("UNPROCESSABLE", [detail], detail, { items: [{ pointer: "/version", message: detail }] });
  }

  if (textNeeds.length > 0) return { type: "needs", needs: textNeeds };

  const payload: RegisteredPayload = {
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
    targets: targetsOf(references),
    attributes: isEmpty(command.attributes) ? null : command.attributes,
    numbering,
  };
  const entries: DecidedEntry[] = [{ type: "schema.registered", subject: printSubjectName(name), payload }];
  if (!subject && command.compatibilityLevel) {
    const set = { ...state.scopeConfig(name), compatibilityLevel: command.compatibilityLevel };
    entries.push({
      type: "config.changed",
      subject: printSubjectName(name),
      payload: { v: 1, context: name.context, subject: name.subject, config: set },
    });
  }
  if (numbering && subject) entries.push(...replacedEntries(deciding, subject, name, hash));
  return {
    type: "done",
    entries,
    texts,
    outcome: (after) => ({
      type: "registered",
      created: true,
      record: toRecord(after.recordById(payload.id)!),
      warnings: reading.warnings,
    }),
  };
}

/** A tool definition in a schema's place allows everything, so under a role that a model is held to by it nothing would be checked. */
function toolDefinitionRefusal(warnings: readonly SchemaProblem[], readRole: () => Role | null): Decision | undefined {
  const items = warnings.filter(({ rule }) => rule === TOOL_DEFINITION_RULE);
  const [first] = items;
  const role = first && readRole();
  if (first === undefined || !role || !isModelRole(role)) return undefined;
  return refused("INVALID_SCHEMA", [first.message], `${first.message} The role "${role}" needs the schema itself.`, {
    items,
  });
}

export function decideActivate(deciding: Deciding, command: ActivateCommand): Decision {
  const { state } = deciding;
  const record = state.recordById(command.id);
  if (!record || record.deleted)
    return refused("SCHEMA_NOT_FOUND", [command.id], `There is no schema with id ${command.id}.`);
  const stale = staleProblem(record, command.ifMatchSeq);
  if (stale) return stale;
  if (record.state !== "draft") {
    const detail = `Schema ${command.id} is ${record.state}, only a draft can be activated.`;
    return refused("CONFLICT", [detail], detail);
  }
  const name = nameOf(record);
  const config = state.effectiveConfig(name, "native", attributesOf(record).role);
  const mode = state.effectiveMode(name);
  if (isReadOnly(mode)) return refuseReadOnly(name);
  // A version that is imported brings its id, and a draft has none.
  if (isImporting(mode)) return refuseMode(name, "not in read-write mode");
  const subject = state.subject(name)!;
  const blocked = liveTwin(deciding, subject, record, { equivalent: true }) ?? lostReference(deciding, record);
  if (blocked) return blocked;
  const closure = closureOfRecord(state, record);
  if (!closure) return tooWide(name);
  const numbered = decideNumbering(deciding, {
    name,
    subject,
    mode,
    config,
    candidate: candidateOf(deciding, record, subject, config, closure),
    hash: hashOf(record),
    number: subject.last_number + 1,
    command: { api: "native", versionNumber: null, semver: null, confluentId: null },
    skipCompatibility: false,
  });
  if (numbered.type !== "numbered") return numbered;
  return {
    type: "done",
    entries: [
      {
        type: "schema.activated",
        subject: printSubjectName(name),
        payload: { v: 1, recordKey: record.record_key, numbering: numbered.numbering, reason: command.reason },
      },
      ...replacedEntries(deciding, subject, name, hashOf(record)),
    ],
    texts: [],
    outcome: (after) => ({ type: "record", record: toRecord(after.recordById(command.id)!) }),
  };
}

export function decideUndelete(deciding: Deciding, command: UndeleteCommand): Decision {
  const { state } = deciding;
  const record = state.recordById(command.id);
  if (!record) return refused("SCHEMA_NOT_FOUND", [command.id], `There is no schema with id ${command.id}.`);
  if (!record.deleted) {
    const detail = `Schema ${command.id} is not deleted.`;
    return refused("CONFLICT", [detail], detail);
  }
  const name = nameOf(record);
  const mode = state.effectiveMode(name);
  if (isReadOnly(mode)) return refuseReadOnly(name);
  if (record.number !== null) {
    const subject = state.subject(name)!;
    const blocked = liveTwin(deciding, subject, record, { equivalent: false }) ?? lostReference(deciding, record);
    if (blocked) return blocked;
    const closure = closureOfRecord(state, record);
    if (!closure) return tooWide(name);
    if (!isImporting(mode)) {
      const config = state.effectiveConfig(name, "native", attributesOf(record).role);
      const candidate = candidateOf(deciding, record, subject, config, closure);
      const verdict = decideCompatibility(deciding, candidate, subject, config);
      if (verdict.type !== "compatible") return verdict;
    }
  }
  return {
    type: "done",
    entries: [
      {
        type: "schema.undeleted",
        subject: printSubjectName(name),
        payload: { v: 1, recordKeys: [record.record_key] },
      },
    ],
    texts: [],
    outcome: (after) => ({ type: "record", record: toRecord(after.recordById(command.id)!) }),
  };
}

/** A content that was read when it was registered. */
function candidateOf(
  deciding: Deciding,
  record: RecordRow,
  subject: SubjectRow,
  config: EffectiveConfig,
  closure: Closure,
): Candidate {
  return {
    name: nameOf(record),
    format: record.format,
    contract: readDataContract(record),
    closure,
    dialect: record.dialect,
    topLevelNames: null,
    role: roleOf(deciding, attributesOf(record), subject, config),
  };
}

/** What the version itself says, else its subject. Nobody asks where nothing is compared. */
function roleOf(
  { state }: Deciding,
  { role }: Pick<Attributes, "role">,
  subject: SubjectRow | undefined,
  config: EffectiveConfig,
): Role | null {
  const isCompared = config.compatibilityLevel !== "NONE" || config.enforceVersion === true;
  return isCompared ? (role ?? state.roleOf(subject, config)) : null;
}

/** Older soft-deleted versions of the same content give way to the new one unless something refers to them (specs: Confluent contract §4.1, 12). */
function replacedEntries(
  deciding: Deciding,
  subject: SubjectRow,
  name: SubjectName,
  hash: ContentHash,
): DecidedEntry[] {
  const { state } = deciding;
  const replaced = state
    .recordsOfContent(subject.subject_key, hash)
    .filter(
      (row) =>
        row.deleted === 1 && row.number !== null && state.referrers(subject.subject_key, row.number).length === 0,
    );
  return replaced.length === 0 ? [] : [eraseEntry(state, printSubjectName(name), replaced, { subjectStays: true })];
}

/** The contract that is stored: defaults, then what was asked or the previous version's, then overrides (specs: Confluent contract §4.1, 5). */
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

/** Whether a known version is what the request names by id, number or semver, as far as it names any. */
function namesTheSame(known: RecordRow, command: RegisterCommand): boolean {
  return (
    (command.confluentId === null || command.confluentId === known.confluent_id) &&
    (command.versionNumber === null || command.versionNumber <= 0 || command.versionNumber === known.number) &&
    (command.semver === null || (known.label !== null && compareSemvers(command.semver, known.label) === 0))
  );
}

/** An import that brings back what was soft-deleted under the same number and id. */
function importedAgain(record: RecordRow, warnings: readonly SchemaProblem[]): Decision {
  return {
    type: "done",
    entries: [
      {
        type: "schema.undeleted",
        subject: printSubjectName(nameOf(record)),
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
  };
}

/** Whether a version has the very text and references that were sent, whatever its metadata and rules. */
function hasTextOf(record: RecordRow, { format, text, references }: RegisterCommand): boolean {
  return (
    hashOf(record) === contentHash({ format, text, references, contract: readDataContract(record) }, NATIVE_HASHES)
  );
}

/** Somebody registered meanwhile: the caller makes its text anew from what is newest now. */
function refusedAsOutrun(name: SubjectName): Decision {
  const detail = `The newest version of "${printSubjectName(name)}" has changed meanwhile; repeat the request.`;
  return refused("BUSY", [detail], detail, { retryAfterSeconds: 1 });
}

type KnownReading = Pick<Reading & { ok: true }, "dialect" | "warnings">;

function alreadyRegistered(known: RecordRow, { dialect, warnings }: KnownReading): Decision {
  const otherwiseRead: SchemaProblem[] =
    known.dialect === dialect
      ? []
      : [
          {
            rule: "dialect_unchanged",
            message: `The content is registered already and is read as ${known.dialect}; name the dialect to register it as ${dialect}.`,
            pointer: "/dialect",
          },
        ];
  return {
    type: "done",
    entries: [],
    texts: [],
    outcome: () => ({
      type: "registered",
      created: false,
      record: toRecord(known),
      warnings: [...warnings, ...otherwiseRead],
    }),
  };
}

/**
 * A live version that a record would repeat: the same content in the same dialect. What was a draft must also differ in more
 * than order, as if it were registered now; what was a version before may stand beside what only looks like it.
 */
function liveTwin(
  { state }: Deciding,
  subject: SubjectRow,
  record: RecordRow,
  { equivalent }: { equivalent: boolean },
): Decision | undefined {
  const hash = record.orderless_hash;
  const candidates = [
    ...state.recordsOfContent(subject.subject_key, hashOf(record)),
    ...(equivalent && hash ? state.recordsByOrderlessText(subject.subject_key, toHex(new Uint8Array(hash))) : []),
  ];
  const twin = candidates.find(
    (row) =>
      row.number !== null &&
      row.deleted === 0 &&
      row.id !== record.id &&
      row.format === record.format &&
      row.dialect === record.dialect &&
      row.refs === record.refs &&
      row.contract === record.contract,
  );
  if (!twin) return undefined;
  const detail = `The same content is live as version ${twin.number} of "${printSubjectName(nameOf(record))}".`;
  return refused("CONFLICT", [detail], detail);
}

function lostReference({ state }: Deciding, record: RecordRow): Decision | undefined {
  const lost = referencesOf(record).find((reference) => {
    const target = state.referenceTarget(record.context, reference);
    return !target || target.deleted === 1;
  });
  if (!lost) return undefined;
  const detail = `Reference "${lost.name}" names version ${lost.version} of "${lost.subject}", which is deleted.`;
  return refused("CONFLICT", [detail], detail);
}

export function staleProblem(
  record: RecordRow,
  ifMatchSeq: number | null,
): (Decision & { type: "refused" }) | undefined {
  if (ifMatchSeq === null || ifMatchSeq === record.updated_seq) return undefined;
  const detail = `Schema ${record.id} has changed since: its ETag is now "${record.updated_seq}".`;
  return refused("PRECONDITION_FAILED", [detail], detail);
}

function targetsOf({ targets }: ResolvedReferences): RegisteredPayload["targets"] {
  return targets.map(({ subject_key, number }) => ({ subjectKey: subject_key, number: number! }));
}

function isEmpty(attributes: RegisterCommand["attributes"]): boolean {
  return JSON.stringify(attributes) === JSON.stringify(NO_ATTRIBUTES);
}

export function nameOf({ context, subject }: { context: string; subject: string }): SubjectName {
  return { context, subject };
}
