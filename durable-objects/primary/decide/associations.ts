/** Associations between subjects and resources outside the registry (docs/confluent-compatibility.md). */
import {
  type Association,
  defaultSubject,
  type Lifecycle,
  type SubjectAssociation,
} from "../../../registry/association.ts";
import type { DeleteAssociationsCommand, SetAssociationsCommand } from "../../../registry/commands.ts";
import { isArtefact } from "../../../schema/format.ts";
import { ok } from "../../../schema/result.ts";
import { isSameSubject, printSubjectName, type SubjectName, subjectNameProblem } from "../../../schema/subject-name.ts";
import type { StateReader } from "../state/reader.ts";
import {
  type DecidedEntry,
  type Deciding,
  type Decision,
  isReadOnly,
  type Refused,
  refused,
  refuseReadOnly,
} from "./decision.ts";
import { decideSubjectDeletion } from "./delete.ts";

/** Associations of one subject. Every change writes all of them to the log. */
export const MAX_ASSOCIATIONS = 100;
const TYPES = ["key", "value"];

/** A requested association with its defaults filled in. */
type Wanted = {
  name: SubjectName;
  type: string;
  lifecycle: Lifecycle;
  frozen: boolean;
  hasSchema: boolean;
  usesDefaultSubject: boolean;
};

export function decideSetAssociations(deciding: Deciding, command: SetAssociationsCommand): Decision {
  const { state, nowMs } = deciding;
  const { resource, upsert, dryRun } = command;
  const ofResource = associationsOfResource(state, resource.id, resource.type);
  const changed: Changed = new Map();
  const result: SubjectAssociation[] = [];
  const unchanged: string[] = [];
  let frozenSoFar = ofResource[0]?.association.frozen;
  for (const asked of command.associations) {
    if (!TYPES.includes(asked.type)) return invalid("associationType", `must be one of ${TYPES.join(", ")}`);
    if (result.some(({ association }) => association.type === asked.type)) {
      return invalid("associationType", `Duplicate association type: ${asked.type}`);
    }
    const existing = ofResource.find(({ association }) => association.type === asked.type);
    const wanted = settle(state, command, asked, existing, frozenSoFar);
    if (isReadOnly(state.effectiveMode(wanted.name))) return refuseReadOnly(wanted.name);
    const problem =
      propertyProblem(wanted, frozenSoFar) ??
      (existing ? changeProblem(wanted, existing, upsert) : creationProblem(state, wanted, dryRun));
    if (problem) return problem;
    frozenSoFar = wanted.frozen;
    if (existing && isAsWanted(existing, wanted)) {
      unchanged.push(asked.type);
      result.push(existing);
      continue;
    }
    const own = changedOf(state, changed, wanted.name);
    const others = own.associations.filter(({ id }) => id !== existing?.association.id);
    const conflict = livenessProblem(state, wanted, dryRun) ?? conflictProblem(wanted, others);
    if (conflict) return conflict;
    const association: Association = {
      id: existing?.association.id ?? deciding.newId(),
      resource,
      type: wanted.type,
      lifecycle: wanted.lifecycle,
      frozen: wanted.frozen,
      createdAtMs: existing?.association.createdAtMs ?? nowMs,
      updatedAtMs: nowMs,
    };
    own.associations = [...others, association];
    if (own.associations.length > MAX_ASSOCIATIONS) {
      const detail = `A subject has at most ${MAX_ASSOCIATIONS} associations.`;
      return refused("TOO_MANY_ASSOCIATIONS", [MAX_ASSOCIATIONS], detail);
    }
    result.push({ name: wanted.name, association });
  }
  return done(dryRun ? [] : changedEntries(changed), result, unchanged);
}

/** Deletes the associations, and with `cascade` the subjects of STRONG ones, in one commit. */
export function decideDeleteAssociations(deciding: Deciding, command: DeleteAssociationsCommand): Decision {
  const { state } = deciding;
  const { resourceId, resourceType, types, cascade, mustExist, dryRun } = command;
  const unknown = types.find((type) => !TYPES.includes(type));
  if (unknown !== undefined) return invalid("associationType", `must be one of ${TYPES.join(", ")}`);
  const going = associationsOfResource(state, resourceId, resourceType).filter(
    ({ association }) => types.length === 0 || types.includes(association.type),
  );
  if (going.length === 0 && mustExist) {
    return refused("ASSOCIATION_NOT_FOUND", [resourceId], `Resource "${resourceId}" does not have this association.`);
  }
  const readOnly = going.find(({ name }) => isReadOnly(state.effectiveMode(name)));
  if (readOnly) return refuseReadOnly(readOnly.name);
  const frozen = going.find(({ association }) => association.frozen);
  if (frozen && !cascade) return refuseFrozen(frozen);
  const changed: Changed = new Map();
  const cascaded: DecidedEntry[] = [];
  for (const { name, association } of going) {
    const own = changedOf(state, changed, name);
    own.associations = own.associations.filter(({ id }) => id !== association.id);
    if (!cascade || association.lifecycle !== "STRONG" || state.effectiveMode(name) === "IMPORT") continue;
    const deletion = decideSubjectDeletion(state, name);
    if (!deletion.ok) return deletion;
    cascaded.push(...deletion.value);
  }
  return done(dryRun ? [] : [...changedEntries(changed), ...cascaded], going, []);
}

function associationsOfResource(state: StateReader, id: string, type: string): SubjectAssociation[] {
  return state
    .associationsOfResources({ resourceId: id })
    .filter(({ association }) => association.resource.type === type)
    .sort((a, b) => (a.association.type < b.association.type ? -1 : 1));
}

function settle(
  state: StateReader,
  { resource, upsert }: SetAssociationsCommand,
  asked: SetAssociationsCommand["associations"][number],
  existing: SubjectAssociation | undefined,
  frozenSoFar: boolean | undefined,
): Wanted {
  const { type, hasSchema } = asked;
  const standard = defaultSubject(resource, type);
  const name = asked.name ? state.resolveAlias(asked.name) : (existing?.name ?? standard);
  const usesDefaultSubject = isSameSubject(name, standard);
  // A schema freezes the association created with it; an upsert may still add one to a resource that is not frozen.
  const isFrozenBySchema = hasSchema && (!upsert || (frozenSoFar ?? usesDefaultSubject));
  const frozen = asked.frozen ?? existing?.association.frozen ?? isFrozenBySchema;
  const lifecycle = asked.lifecycle ?? existing?.association.lifecycle ?? (hasSchema || frozen ? "STRONG" : "WEAK");
  return { name, type, lifecycle, frozen, hasSchema, usesDefaultSubject };
}

/** Rules for every association, new or existing. */
function propertyProblem(wanted: Wanted, frozenSoFar: boolean | undefined): Refused | undefined {
  const { name, type, lifecycle, frozen, hasSchema, usesDefaultSubject } = wanted;
  const nameProblem = subjectNameProblem(name);
  if (name.subject === "") return invalid("subject", "must not be empty");
  if (nameProblem !== undefined) return invalid("subject", nameProblem);
  if (lifecycle === "WEAK" && hasSchema) return invalid("lifecycle", "cannot be WEAK when a schema is provided");
  if (lifecycle === "WEAK" && frozen) return invalid("frozen", "a WEAK association cannot be frozen");
  if (frozen && !usesDefaultSubject) {
    return invalid("subject", `a frozen association uses its resource's default subject for a ${type}`);
  }
  if (frozenSoFar !== undefined && frozen !== frozenSoFar) {
    return invalid("frozen", "the associations of a resource are either all frozen or all not frozen");
  }
  return undefined;
}

function creationProblem(state: StateReader, wanted: Wanted, dryRun: boolean): Refused | undefined {
  const { name, lifecycle, frozen, hasSchema, usesDefaultSubject } = wanted;
  if (lifecycle === "WEAK" && usesDefaultSubject) {
    return invalid("subject", `a WEAK association cannot use the default subject ${printSubjectName(name)}`);
  }
  if (!frozen) return undefined;
  if (!hasSchema) return invalid("schema", "a schema must be provided to create a frozen association");
  // Checked only in the dry run, because afterwards the subject has the schema of the request.
  if (dryRun && hasLiveVersion(state, name)) {
    return invalid("frozen", "a frozen association cannot be created for a subject that has schemas already");
  }
  return undefined;
}

function changeProblem(wanted: Wanted, existing: SubjectAssociation, upsert: boolean): Refused | undefined {
  const { association, name } = existing;
  if (isAsWanted(existing, wanted)) return undefined;
  if (!upsert) {
    const { type, resource } = association;
    const detail = `"${resource.name}" already has an association of type ${type}.`;
    return refused("ASSOCIATION_TYPE_EXISTS", [type, resource.name], detail);
  }
  if (!isSameSubject(name, wanted.name)) {
    const [from, to] = [printSubjectName(name), printSubjectName(wanted.name)];
    return invalid("subject", `the subject of an association cannot be changed from '${from}' to '${to}'`);
  }
  if (association.frozen) return refuseFrozen(existing);
  if (wanted.lifecycle === "WEAK" && wanted.usesDefaultSubject) {
    return invalid("lifecycle", `cannot become WEAK while it uses the default subject ${printSubjectName(name)}`);
  }
  return undefined;
}

/** In the dry run, a schema in the request counts as a live version. */
function livenessProblem(state: StateReader, { name, hasSchema }: Wanted, dryRun: boolean): Refused | undefined {
  if (hasLiveVersion(state, name) || (hasSchema && dryRun)) return undefined;
  const printed = printSubjectName(name);
  return refused("NO_ACTIVE_VERSION", [printed], `"${printed}" has no live version to associate.`);
}

function conflictProblem({ name, lifecycle }: Wanted, others: readonly Association[]): Refused | undefined {
  const printed = printSubjectName(name);
  if (lifecycle === "STRONG" && others.length > 0) {
    return refused("ASSOCIATION_EXISTS", [printed], `"${printed}" has another association.`);
  }
  if (others.some((other) => other.lifecycle === "STRONG")) {
    return refused("STRONG_ASSOCIATION_EXISTS", [printed], `"${printed}" belongs to another resource.`);
  }
  return undefined;
}

function isAsWanted({ name, association }: SubjectAssociation, wanted: Wanted): boolean {
  return (
    isSameSubject(name, wanted.name) &&
    association.lifecycle === wanted.lifecycle &&
    association.frozen === wanted.frozen
  );
}

/** Artefacts do not count: only the Confluent API associates, and for it they do not exist. */
function hasLiveVersion(state: StateReader, name: SubjectName): boolean {
  const subject = state.subject(name);
  const live = subject && state.newestLive(subject.subject_key);
  return live !== undefined && !isArtefact(live.format);
}

function invalid(property: string, detail: string): Refused {
  return refused("INVALID_ASSOCIATION", [property, detail], `${property}: ${detail}.`);
}

function refuseFrozen({ name, association }: SubjectAssociation): Refused {
  const printed = printSubjectName(name);
  const detail = `The association of type ${association.type} of "${printed}" is frozen.`;
  return refused("ASSOCIATION_FROZEN", [association.type, printed], detail);
}

type Changed = Map<string, { name: SubjectName; associations: Association[] }>;

function changedOf(state: StateReader, changed: Changed, name: SubjectName): { associations: Association[] } {
  const key = JSON.stringify([name.context, name.subject]);
  const known = changed.get(key) ?? { name, associations: state.associationsOf(name) };
  changed.set(key, known);
  return known;
}

function changedEntries(changed: Changed): DecidedEntry[] {
  const subjects = [...changed.values()].map(({ name: { context, subject }, associations }) => ({
    context,
    subject,
    associations,
  }));
  return subjects.length === 0 ? [] : [{ type: "association.changed", subject: null, payload: { v: 1, subjects } }];
}

function done(
  entries: readonly DecidedEntry[],
  associations: readonly SubjectAssociation[],
  unchanged: readonly string[],
): Decision {
  return ok({ type: "done", entries, texts: [], outcome: () => ({ type: "associations", associations, unchanged }) });
}
