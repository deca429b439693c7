/**
 * The expected result of a registration, from the specifications: known content, modes, compatibility, numbers and ids.
 */
import type { ErrorName } from "../../contract/errors.ts";
import { breaks, type Content, type Dialect, type Meaning } from "./contents.ts";
import {
  identity,
  LARGEST,
  type Level,
  live,
  type Metadata,
  type ModelRecord,
  type ModelSubject,
  type Name,
  numbered,
  type Reference,
  type RegistryState,
} from "./registry-state.ts";

export type Registration = {
  api: "confluent" | "native";
  name: Name;
  content: Content;
  spelling: number;
  normalise: boolean;
  reference: Reference | null;
  metadata: Metadata | null;
  /** Only for imports. */
  id: number | null;
  number: number | null;
  draft: boolean;
  /** From the request. */
  dialect: Dialect | null;
};

export type Candidate = Omit<ModelRecord, "id" | "number" | "confluentId" | "state" | "deleted" | "description">;

export type Numbering = {
  number: number;
  /** Null: the content is new in its context and gets an id that no content has had before. */
  confluentId: number | null;
  /** Soft-deleted versions of the same content, which are removed. */
  replaced: readonly ModelRecord[];
};

export type Prediction =
  | { type: "refused"; errors: readonly ErrorName[] }
  | { type: "known"; record: ModelRecord }
  /** An import of a soft-deleted version under the same number and id. */
  | { type: "undeleted"; record: ModelRecord }
  | { type: "draft"; candidate: Candidate }
  | { type: "created"; candidate: Candidate; numbering: Numbering };

const CHECKS: Record<Level, { backward: boolean; forward: boolean; transitive: boolean }> = {
  NONE: { backward: false, forward: false, transitive: false },
  BACKWARD: { backward: true, forward: false, transitive: false },
  BACKWARD_TRANSITIVE: { backward: true, forward: false, transitive: true },
  FORWARD: { backward: false, forward: true, transitive: false },
  FORWARD_TRANSITIVE: { backward: false, forward: true, transitive: true },
  FULL: { backward: true, forward: true, transitive: false },
  FULL_TRANSITIVE: { backward: true, forward: true, transitive: true },
};

export function predictRegistration(state: RegistryState, asked: Registration): Prediction {
  const name = state.resolve(asked.name);
  const subject = state.subject(name);
  const importing = state.isImporting(name);
  const read = readCandidate(state, name, asked, { importing, deletedReferences: importing });
  if (read === undefined) return refused("INVALID_SCHEMA");
  if (!asked.draft && subject) {
    const known = findKnown(subject, read, asked, true);
    if (known && namesTheSame(known, asked)) return { type: "known", record: known };
  }
  if (state.isReadOnly(name)) return refused("OPERATION_NOT_PERMITTED");
  if ((asked.id !== null) !== importing) return refused("OPERATION_NOT_PERMITTED");
  // The Confluent API inherits omitted parts from the previous version.
  const inherits = asked.api === "confluent" && !importing;
  // `{}` explicitly requests none.
  const metadata = asked.metadata === null && inherits ? (live(subject)[0]?.metadata ?? null) : read.metadata;
  const candidate = { ...read, metadata };
  if (asked.draft) return { type: "draft", candidate };
  if (subject && asked.number === null) {
    const known = findKnown(subject, candidate, asked, false);
    if (known && namesTheSame(known, asked)) return { type: "known", record: known };
  }
  if (importing && asked.number !== null) {
    const held = numbered(subject).find(({ number }) => number === asked.number);
    if (held && identity(held) === identity(candidate) && held.confluentId === asked.id) {
      return held.deleted ? { type: "undeleted", record: held } : { type: "known", record: held };
    }
  }
  return importing ? predictImport(state, candidate, asked) : predictNumbering(state, candidate);
}

/** The next version's number, for a registration or an activation. */
export function predictNumbering(state: RegistryState, candidate: Candidate): Prediction {
  const subject = state.subject(candidate.name);
  const number = (subject?.lastNumber ?? 0) + 1;
  // It may also be incompatible, which makes no difference: it is refused for either reason.
  if (number > LARGEST) return refused("INVALID_SCHEMA", "CONFLICT", "INCOMPATIBLE_SCHEMA");
  if (isIncompatible(state, subject, candidate)) return refused("INCOMPATIBLE_SCHEMA");
  const known = [...state.ids(candidate.name.context)]
    .filter(([, record]) => identity(record) === identity(candidate))
    .map(([id]) => id);
  const confluentId = known.length === 0 ? null : Math.min(...known);
  return {
    type: "created",
    candidate,
    numbering: { number, confluentId, replaced: replacedBy(state, candidate, confluentId) },
  };
}

function predictImport(state: RegistryState, candidate: Candidate, { id, number: wanted }: Registration): Prediction {
  const subject = state.subject(candidate.name);
  const next = (subject?.lastNumber ?? 0) + 1;
  const number = wanted ?? next;
  // The largest number cannot have a successor.
  if (number >= LARGEST && (wanted !== null || number > LARGEST)) return refused("INVALID_SCHEMA", "CONFLICT");
  if (numbered(subject).some((record) => record.number === number)) return refused("OPERATION_NOT_PERMITTED");
  const holder = state.ids(candidate.name.context).get(id!);
  if (holder && identity(holder) !== identity(candidate)) return refused("OPERATION_NOT_PERMITTED");
  return {
    type: "created",
    candidate,
    numbering: { number, confluentId: id, replaced: replacedBy(state, candidate, id) },
  };
}

export function isIncompatible(
  state: RegistryState,
  subject: ModelSubject | undefined,
  candidate: Meaning & { name: Name },
  level: Level = state.level(candidate.name),
): boolean {
  const { backward, forward, transitive } = CHECKS[level];
  if (!backward && !forward) return false;
  const compared = transitive ? live(subject) : live(subject).slice(0, 1);
  return compared.some((version) => {
    if (version.content.format !== candidate.content.format) return true;
    if (state.allowsEverything(candidate.name)) return false;
    const { policy } = subject!;
    return (backward && breaks(candidate, version, policy)) || (forward && breaks(version, candidate, policy));
  });
}

/** Undefined if a reference does not resolve, or its target is not what the text needs. */
export function readCandidate(
  state: RegistryState,
  name: Name,
  { api, content, spelling, normalise, reference, metadata, dialect }: Registration,
  { importing, deletedReferences }: { importing: boolean; deletedReferences: boolean },
): Candidate | undefined {
  const target = reference ? resolveReference(state, name, reference, deletedReferences) : undefined;
  if (reference && !target) return undefined;
  const isAvroRecord = target?.content.format === "avro" && target.meaning.startsWith("R ");
  if (content.needs === "R" && !isAvroRecord) return undefined;
  const { canonical } = content.spellings[normalise && !importing ? 0 : spelling]!;
  return {
    name,
    content,
    canonical,
    references: target ? [{ ...reference!, version: target.number! }] : [],
    targets: target ? [{ ...target.name, number: target.number! }] : [],
    metadata: metadata?.properties && Object.keys(metadata.properties).length > 0 ? metadata : null,
    dialect:
      content.format === "json-schema"
        ? (content.dialect ?? dialect ?? (api === "native" ? "2020-12" : "draft-07"))
        : null,
    meaning: content.needs === null ? content.meaning : `${content.meaning} ${target!.meaning}`,
    inlined:
      content.needs === null ? content.inlined : content.inlined.replace('"type":"R"', `"type":${target!.inlined}`),
  };
}

/** Whether a reference's target defines the referring schema's own name, for which the model has no prediction. */
export function redefinesItself(state: RegistryState, { name, reference }: Registration): boolean {
  if (reference === null) return false;
  const target = state.subject({ context: state.resolve(name).context, subject: reference.subject });
  return (target?.records ?? []).some(
    ({ content, meaning }) => content.format === "avro" && meaning.startsWith("Outer"),
  );
}

function resolveReference(
  state: RegistryState,
  { context }: Name,
  { subject, version }: Reference,
  deletedToo: boolean,
): ModelRecord | undefined {
  const target = state.subject(parse(subject, context));
  if (version === -1) return live(target)[0];
  return numbered(target).find(({ number, deleted }) => number === version && (deletedToo || !deleted));
}

/** A name as written in a reference, which may name its context. */
function parse(text: string, context: string): Name {
  const [, named, subject] = /^:([^:]*):(.*)$/.exec(text) ?? [];
  return named === undefined ? { context, subject: text } : { context: named, subject: subject! };
}

/**
 * Newest first: the content itself, then an equivalent one; the Confluent API then tries with the newest version's
 * metadata.
 */
export function findKnown(
  subject: ModelSubject,
  candidate: Candidate,
  asked: Registration,
  mayInherit: boolean,
): ModelRecord | undefined {
  const candidates = live(subject).filter(
    ({ dialect }) => asked.api === "confluent" || asked.dialect === null || dialect === candidate.dialect,
  );
  const found =
    candidates.find((record) => identity(record) === identity(candidate)) ??
    candidates.find((record) => isEquivalent(record, candidate, asked.api));
  if (found || !mayInherit || asked.api === "native" || asked.metadata !== null) return found;
  const inherited = live(subject)[0]?.metadata ?? null;
  return inherited === null ? undefined : findKnown(subject, { ...candidate, metadata: inherited }, asked, false);
}

function isEquivalent(record: ModelRecord, candidate: Candidate, api: Registration["api"]): boolean {
  if (record.content.format !== candidate.content.format) return false;
  if (JSON.stringify(record.metadata) !== JSON.stringify(candidate.metadata)) return false;
  const sameReferences = JSON.stringify(record.references) === JSON.stringify(candidate.references);
  if (record.content.format === "avro") {
    const writesReferencesOut = candidate.references.length === 0 && record.references.length > 0;
    return (sameReferences || writesReferencesOut) && record.inlined === candidate.inlined;
  }
  // In the native API the order of members is not a difference.
  return (
    sameReferences &&
    (api === "native" ? record.content === candidate.content : record.canonical === candidate.canonical)
  );
}

function namesTheSame(known: ModelRecord, { id, number }: Registration): boolean {
  return (id === null || id === known.confluentId) && (number === null || number === known.number);
}

function replacedBy(state: RegistryState, candidate: Candidate, confluentId: number | null): ModelRecord[] {
  const subject = state.subject(candidate.name);
  return numbered(subject).filter(
    (record) =>
      record.deleted &&
      identity(record) === identity(candidate) &&
      record.confluentId === confluentId &&
      state.referrers(record.name, record.number!).length === 0,
  );
}

export function refused(...errors: readonly ErrorName[]): Prediction & { type: "refused" } {
  return { type: "refused", errors };
}
