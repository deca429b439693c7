/** Associations of subjects with resources (docs/confluent-compatibility.md); registers the schemas that come with them. */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import type { Lifecycle, Resource, SubjectAssociation } from "../../../registry/association.ts";
import type { DeleteAssociationsCommand, Outcome, SetAssociationsCommand } from "../../../registry/commands.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { Queries } from "../../../registry/questions.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import type { Caller } from "../../../registry/rpc.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import type { SubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { type Committed, commitCommand, type RepeatOptions } from "./commit.ts";
import {
  type ConfluentRegistration,
  lookUpConfluent,
  registerConfluent,
  registrationProblem,
  type TagOperations,
} from "./confluent-registration.ts";

export type AssociationToSet = {
  /** Null: the existing association's subject, else the resource's default subject. */
  name: SubjectName | null;
  type: string;
  lifecycle: Lifecycle | null;
  frozen: boolean | null;
  schema: { registration: Omit<ConfluentRegistration, "name">; tags: TagOperations } | null;
};

export type AssociationsToSet = {
  resource: Resource;
  associations: readonly AssociationToSet[];
  upsert: boolean;
  dryRun: boolean;
};

type Associations = { associations: readonly SubjectAssociation[]; asOf: AsOf };

/** `registered`: versions of the schemas that came along, by association type. */
export type AssociationsSet = Associations & { registered: ReadonlyMap<string, SchemaRecord> };

export async function readAssociations(
  edge: Edge,
  wanted: Queries["associations"][0],
): Promise<Result<Associations, Refusal>> {
  const answer = await edge.primary.read("associations", wanted);
  return answer.ok ? ok({ associations: answer.value.value, asOf: answer.value.asOf }) : answer;
}

const STRICT = { token: undefined, maxAgeMs: 0 };

/**
 * Dry-runs the associations and checks every schema before registering any, so a refusal changes nothing. The dry run
 * also finds the outcome of an earlier request with the same idempotency key.
 */
export async function setAssociations(
  edge: Edge,
  caller: Caller,
  { resource, associations, upsert, dryRun }: AssociationsToSet,
  { idempotencyKey }: Pick<RepeatOptions, "idempotencyKey"> = {},
): Promise<Result<AssociationsSet, Refusal>> {
  const repeatable = dryRun ? {} : { idempotencyKey, alongside: associations };
  const command = (isDry: boolean): SetAssociationsCommand => ({
    type: "setAssociations",
    resource,
    associations: associations.map(({ schema, ...association }) => ({ ...association, hasSchema: schema !== null })),
    upsert,
    dryRun: isDry,
  });
  const tried = await commitCommand(edge, caller, command(true), repeatable);
  if (!tried.ok) return tried;
  const { associations: settled, unchanged } = outcomeOf(tried.value);
  const withSchemas = associations.flatMap(({ type, schema }, index) =>
    schema === null
      ? []
      : [{ type, tags: schema.tags, registration: { ...schema.registration, name: settled[index]!.name } }],
  );
  if (tried.value.repeated) return ok(await outcomeAgain(edge, tried.value, withSchemas));
  for (const { type, registration } of withSchemas) {
    const isRepeated = unchanged.includes(type) && !upsert;
    const problem = isRepeated
      ? await otherSchemaProblem(edge, registration, type, resource)
      : await registrationProblem(edge, registration);
    if (problem) return refuse(problem);
  }
  const registered = new Map<string, SchemaRecord>();
  if (dryRun) return ok({ associations: settled, registered, asOf: tried.value.asOf });
  for (const { type, tags, registration } of withSchemas) {
    const version = await registerConfluent(edge, caller, registration, tags, STRICT, { idempotencyKey });
    if (!version.ok) return version;
    registered.set(type, version.value.record);
  }
  const set = await commitCommand(edge, caller, command(false), repeatable);
  return set.ok ? ok({ associations: outcomeOf(set.value).associations, registered, asOf: set.value.asOf }) : set;
}

/** The outcome of the first request, with the versions that it registered as far as they still exist. */
async function outcomeAgain(
  edge: Edge,
  first: Committed,
  withSchemas: readonly { type: string; registration: ConfluentRegistration }[],
): Promise<AssociationsSet> {
  const registered = new Map<string, SchemaRecord>();
  for (const { type, registration } of withSchemas) {
    const found = await lookUpConfluent(edge, { ...registration, deleted: true }, STRICT);
    if (found.ok) registered.set(type, found.value.record);
  }
  return { associations: outcomeOf(first).associations, registered, asOf: first.asOf };
}

/** Creating an association again is fine only with the schema it has. */
async function otherSchemaProblem(
  edge: Edge,
  registration: ConfluentRegistration,
  type: string,
  { name }: Resource,
): Promise<Refusal | undefined> {
  const found = await lookUpConfluent(edge, { ...registration, deleted: false }, STRICT);
  if (found.ok) return undefined;
  const detail = `"${name}" already has an association of type ${type}, with a different schema.`;
  return makeRefusal("ASSOCIATION_TYPE_EXISTS", [type, name], detail);
}

export async function deleteAssociations(
  edge: Edge,
  caller: Caller,
  command: Omit<DeleteAssociationsCommand, "type">,
  { idempotencyKey }: Pick<RepeatOptions, "idempotencyKey"> = {},
): Promise<Result<Associations, Refusal>> {
  const repeatable = command.dryRun ? {} : { idempotencyKey };
  const committed = await commitCommand(edge, caller, { type: "deleteAssociations", ...command }, repeatable);
  if (!committed.ok) return committed;
  return ok({ associations: outcomeOf(committed.value).associations, asOf: committed.value.asOf });
}

function outcomeOf({ outcome }: { outcome: Outcome }) {
  return outcome as Outcome & { type: "associations" };
}
