/** Finds a content among a subject's versions without writing (docs/confluent-compatibility.md). */

import { makeRefusal } from "../../../contract/errors.ts";
import type { EffectiveConfig } from "../../../registry/config.ts";
import { toHex } from "../../../registry/log-entry.ts";
import type { LookupRequest } from "../../../registry/lookup.ts";
import { NATIVE_HASHES } from "../../../registry/native-hashes.ts";
import { type ContentHash, contentHash } from "../../../schema/content-hash.ts";
import type { FormatName, JsonDialect, SchemaReference } from "../../../schema/format.ts";
import { ok, refuse } from "../../../schema/result.ts";
import {
  type DataContract,
  mergeMetadata,
  mergeRuleSets,
  sortMetadata,
  sortRuleSet,
  VERSION_PROPERTY,
} from "../../../schema/rules/data-contract.ts";
import { printSubjectName, type SubjectName } from "../../../schema/subject-name.ts";
import {
  type RecordRow,
  readDataContract,
  readStoredReferences,
  type StateReader,
  type SubjectRow,
} from "../state/reader.ts";
import type { Deciding, DecisionStep } from "./decision.ts";
import { readSchemaText } from "./reading.ts";
import { referenceKey } from "./references.ts";

type SoughtContent = {
  format: FormatName;
  text: string;
  equivalenceHash: string;
  references: readonly SchemaReference[];
  contract: DataContract;
  /** Set if texts that differ only in the order of keys count as the same version, as in the native API. */
  orderlessHash?: string;
  /** Set if only a version with this dialect matches. */
  dialect?: JsonDialect | null;
};

/**
 * The version of a subject that matches a content: first by content hash; then, newest first, by equivalence; then, if
 * `inheritFrom` is given, again with the newest version's metadata and rules if the request had none.
 */
export function findEquivalent(
  state: StateReader,
  subject: SubjectRow,
  sought: SoughtContent,
  options: { deleted: boolean; inheritFrom: (EffectiveConfig & { said: SaidContract }) | null },
): RecordRow | undefined {
  const direct = findWith(state, subject, sought, options.deleted);
  const said = options.inheritFrom?.said;
  if (direct || !options.inheritFrom || !said || (said.metadata && said.ruleSet)) return direct;
  const newest = state.newestLive(subject.subject_key);
  if (!newest) return undefined;
  const inherited = inheritDataContract(sought.contract, said, readDataContract(newest));
  const { defaultMetadata, overrideMetadata, defaultRuleSet, overrideRuleSet } = options.inheritFrom;
  const contract: DataContract = {
    metadata: mergeMetadata(mergeMetadata(defaultMetadata, inherited.metadata), overrideMetadata),
    ruleSet: mergeRuleSets(mergeRuleSets(defaultRuleSet, inherited.ruleSet), overrideRuleSet),
  };
  return findWith(state, subject, { ...sought, contract }, options.deleted);
}

/** The request as sent, before empty objects were dropped. */
type SaidContract = { metadata: object | null; ruleSet: object | null };

/** Omitted parts are inherited from an earlier version; `{}` explicitly requests none. */
export function inheritDataContract(requested: DataContract, said: SaidContract, earlier: DataContract): DataContract {
  return {
    metadata: said.metadata === null ? earlier.metadata : requested.metadata,
    ruleSet: said.ruleSet === null ? earlier.ruleSet : requested.ruleSet,
  };
}

function findWith(
  state: StateReader,
  subject: SubjectRow,
  sought: SoughtContent,
  deleted: boolean,
): RecordRow | undefined {
  const mayBe = (row: RecordRow) =>
    row.number !== null &&
    (deleted || row.deleted === 0) &&
    (sought.dialect === undefined || sought.dialect === row.dialect);
  const byHash = state.recordsOfContent(subject.subject_key, contentHash(sought, NATIVE_HASHES)).filter(mayBe);
  if (byHash.length > 0) return byHash.find((row) => row.deleted === 0) ?? byHash[0];
  const candidates = state.similarRecords(subject.subject_key, sought);
  return candidates.find((row) => mayBe(row) && row.format === sought.format && isEquivalent(row, sought));
}

function isEquivalent(row: RecordRow, sought: SoughtContent): boolean {
  const stored = readStoredReferences(row);
  const referencesMatch =
    (sought.references.length === 0 && stored.length > 0) ||
    (stored.length === sought.references.length &&
      stored.every((reference, index) => referenceKey(reference) === referenceKey(sought.references[index]!)));
  return referencesMatch && dataContractsMatch(readDataContract(row), sought.contract);
}

/** Equal, ignoring a `confluent:version` that only one side has. */
function dataContractsMatch(a: DataContract, b: DataContract): boolean {
  const versionOf = ({ metadata }: DataContract) => metadata?.properties?.[VERSION_PROPERTY];
  const oneSided = (versionOf(a) === undefined) !== (versionOf(b) === undefined);
  // Sorted, because earlier builds stored empty objects.
  const print = ({ metadata, ruleSet }: DataContract) =>
    JSON.stringify([sortMetadata(oneSided ? withoutVersion(metadata) : metadata), sortRuleSet(ruleSet)]);
  return print(a) === print(b);
}

function withoutVersion(metadata: DataContract["metadata"]): DataContract["metadata"] {
  if (!metadata?.properties) return metadata;
  const { [VERSION_PROPERTY]: _version, ...properties } = metadata.properties;
  const rest = { ...metadata, properties };
  const isBare = Object.keys(properties).length === 0 && !metadata.tags && !metadata.sensitive;
  return isBare ? null : rest;
}

type LookupDecision = DecisionStep<{ type: "found"; record: RecordRow; exact: boolean }>;

/** The text is parsed before the subject is looked up, so an invalid schema is refused as invalid under any name. */
export function decideLookup(deciding: Deciding, request: LookupRequest): LookupDecision {
  const { state } = deciding;
  const names = request.anyContext ? state.namesakes(request.name) : [state.resolveAlias(request.name)];
  const [first, ...others] = names;
  const decision = lookUpUnder(deciding, request, first!);
  if (decision.ok || !MISSING.has(decision.refusal.error)) return decision;
  for (const name of others) {
    if (!state.subject(name)) continue;
    const elsewhere = lookUpUnder(deciding, request, name);
    // A version missing in its own context may exist under the same name in another.
    if (elsewhere.ok) return elsewhere;
  }
  return decision;
}

const MISSING: ReadonlySet<string> = new Set(["SUBJECT_NOT_FOUND", "SCHEMA_TEXT_NOT_FOUND"]);

function lookUpUnder(deciding: Deciding, request: LookupRequest, name: SubjectName): LookupDecision {
  const { state } = deciding;
  const config = state.effectiveConfig(name, "confluent");
  const read = readSchemaText(deciding, name.context, {
    ...request,
    normalise: request.normalise || config.normalize === true,
    strictness: "stored",
    validateFields: false,
    deleted: true,
  });
  if (!read.ok) return read;
  if (read.value.type === "needs") return ok(read.value);

  const printed = printSubjectName(name);
  const subject = state.subjectFor(name, request.format);
  if (!subject || !state.hasVersions(subject.subject_key, request.deleted)) {
    return refuse(makeRefusal("SUBJECT_NOT_FOUND", [printed], `There is no subject "${printed}".`));
  }
  const { reading, references } = read.value;
  const sought: SoughtContent = {
    format: request.format,
    text: reading.text,
    equivalenceHash: reading.equivalenceHash,
    references: references.resolved,
    contract: { metadata: sortMetadata(request.metadata), ruleSet: sortRuleSet(request.ruleSet) },
  };
  const record = findEquivalent(state, subject, sought, {
    deleted: request.deleted,
    inheritFrom: { ...config, said: request },
  });
  if (record)
    return ok({ type: "found", record, exact: readContentHash(record) === contentHash(sought, NATIVE_HASHES) });
  return refuse(makeRefusal("SCHEMA_TEXT_NOT_FOUND", [], `"${printed}" has no version with this content.`));
}

export function readContentHash(row: { content_hash: ArrayBuffer }): ContentHash {
  return toHex(new Uint8Array(row.content_hash));
}
