/** Associations between subjects and resources outside the registry (specs: Confluent contract §5.9). */

import type { Association, Lifecycle, SubjectAssociation } from "../../../registry/association.ts";
import type { DeleteAssociationsCommand, SetAssociationsCommand } from "../../../registry/commands.ts";
import { printSubjectName, type SubjectName, subjectNameProblem } from "../../../schema/subject-name.ts";
import type { StateReader } from "../state/reader.ts";
import { type DecidedEntry, type Deciding, type Decision, refused } from "./decision.ts";

/** Of one subject: every change writes all of them into the log. */
export const MAX_ASSOCIATIONS = 100;
const TYPES = ["key", "value"];

type Asked = SetAssociationsCommand["associations"][number];

export function decideSetAssociations(deciding: Deciding, command: SetAssociationsCommand): Decision {
  const { state, nowMs } = deciding;
  const { resource, upsert } = command;
  const ofResource = state
    .associationsWith("$.resource.id", resource.id)
    .filter(({ association }) => association.resource.type === resource.type);
  const changed = new Map<string, { name: SubjectName; associations: Association[] }>();
  const result: SubjectAssociation[] = [];
  for (const asked of command.associations) {
    const existing = ofResource.find(({ association }) => association.type === asked.type);
    const lifecycle: Lifecycle =
      asked.lifecycle ?? existing?.association.lifecycle ?? (asked.frozen ? "STRONG" : "WEAK");
    const frozen = asked.frozen ?? existing?.association.frozen ?? false;
    const problem =
      propertyProblem(asked, `${resource.name}-${asked.type}`, lifecycle, frozen) ??
      existingProblem(asked, existing, lifecycle, frozen, resource.name, upsert) ??
      subjectProblem(state, asked, lifecycle, resource.id);
    if (problem) return problem;
    const association: Association = {
      id: existing?.association.id ?? deciding.newId(),
      resource,
      type: asked.type,
      lifecycle,
      frozen,
      createdAtMs: existing?.association.createdAtMs ?? nowMs,
      updatedAtMs: nowMs,
    };
    if (existing && !isSame(existing.name, asked.name)) remove(state, changed, existing);
    const own = changedOf(state, changed, asked.name);
    own.associations = [...own.associations.filter(({ id }) => id !== association.id), association];
    if (own.associations.length > MAX_ASSOCIATIONS) {
      const detail = `A subject has at most ${MAX_ASSOCIATIONS} associations.`;
      return refused("TOO_MANY_ASSOCIATIONS", [MAX_ASSOCIATIONS], detail);
    }
    result.push({ name: asked.name, association });
  }
  return done(command.dryRun, changed, result);
}

export function decideDeleteAssociations(deciding: Deciding, command: DeleteAssociationsCommand): Decision {
  const { state } = deciding;
  const { resourceId, resourceType, types, cascade } = command;
  const going = state
    .associationsWith("$.resource.id", resourceId)
    .filter(({ association }) => association.resource.type === resourceType)
    .filter(({ association }) => types.length === 0 || types.includes(association.type));
  if (going.length === 0) {
    return refused("ASSOCIATION_NOT_FOUND", [resourceId], `Resource "${resourceId}" has no such association.`);
  }
  const frozen = going.find(({ association }) => association.frozen);
  if (frozen && !cascade) return refusedAsFrozen(frozen);
  const changed = new Map<string, { name: SubjectName; associations: Association[] }>();
  for (const association of going) remove(state, changed, association);
  return done(command.dryRun, changed, going);
}

function propertyProblem(asked: Asked, reserved: string, lifecycle: Lifecycle, frozen: boolean): Decision | undefined {
  const invalid = (property: string, detail: string) => refused("INVALID_ASSOCIATION", [property, detail], detail);
  if (!TYPES.includes(asked.type)) return invalid("associationType", `it must be one of ${TYPES.join(", ")}`);
  const nameProblem = subjectNameProblem(asked.name);
  if (asked.name.subject === "") return invalid("subject", "it must be given");
  if (nameProblem !== undefined) return invalid("subject", nameProblem);
  if (lifecycle === "WEAK" && frozen) return invalid("frozen", "a WEAK association cannot be frozen");
  if (asked.name.subject === reserved && !frozen) {
    return invalid("subject", `the name ${reserved} is reserved for frozen associations`);
  }
  return undefined;
}

function existingProblem(
  asked: Asked,
  existing: SubjectAssociation | undefined,
  lifecycle: Lifecycle,
  frozen: boolean,
  resourceName: string,
  upsert: boolean,
): Decision | undefined {
  if (!existing) return undefined;
  const { association, name } = existing;
  const isUnchanged = isSame(name, asked.name) && association.lifecycle === lifecycle && association.frozen === frozen;
  if (isUnchanged) return undefined;
  if (!upsert) {
    const detail = `"${resourceName}" has an association of type ${asked.type} already.`;
    return refused("ASSOCIATION_TYPE_EXISTS", [asked.type, resourceName], detail);
  }
  return association.frozen ? refusedAsFrozen(existing) : undefined;
}

function subjectProblem(
  state: StateReader,
  asked: Asked,
  lifecycle: Lifecycle,
  resourceId: string,
): Decision | undefined {
  const printed = printSubjectName(asked.name);
  const subject = state.subject(asked.name);
  const isLive = subject !== undefined && state.hasVersions(subject.subject_key, false);
  if (!isLive && !asked.expectsVersion) {
    return refused("NO_ACTIVE_VERSION", [printed], `"${printed}" has no live version to associate.`);
  }
  const others = state.associationsOf(asked.name).filter(({ resource }) => resource.id !== resourceId);
  if (others.some((other) => other.lifecycle === "STRONG")) {
    return refused("STRONG_ASSOCIATION_EXISTS", [printed], `"${printed}" belongs to another resource.`);
  }
  if (lifecycle === "STRONG" && others.length > 0) {
    return refused("ASSOCIATION_EXISTS", [printed], `"${printed}" is associated with another resource.`);
  }
  return undefined;
}

function refusedAsFrozen({ name, association }: SubjectAssociation): Decision & { type: "refused" } {
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

function remove(state: StateReader, changed: Changed, { name, association }: SubjectAssociation): void {
  const own = changedOf(state, changed, name);
  own.associations = own.associations.filter(({ id }) => id !== association.id);
}

function done(dryRun: boolean, changed: Changed, associations: readonly SubjectAssociation[]): Decision {
  const subjects = [...changed.values()].map(({ name, associations: own }) => ({
    context: name.context,
    subject: name.subject,
    associations: own,
  }));
  const entries: DecidedEntry[] =
    dryRun || subjects.length === 0
      ? []
      : [{ type: "association.changed", subject: null, payload: { v: 1, subjects } }];
  return { type: "done", entries, texts: [], outcome: () => ({ type: "associations", associations }) };
}

function isSame(a: SubjectName, b: SubjectName): boolean {
  return a.context === b.context && a.subject === b.subject;
}
