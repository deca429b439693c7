/** Associations of subjects with resources (specs: Confluent contract §5.9); schemas that come with them are registered on the way. */
import type { Refusal } from "../../../contract/errors.ts";
import type { Lifecycle, Resource, SubjectAssociation } from "../../../registry/association.ts";
import type { DeleteAssociationsCommand, Outcome } from "../../../registry/commands.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { Queries } from "../../../registry/questions.ts";
import type { Caller } from "../../../registry/rpc.ts";
import type { SubjectName } from "../../../schema/subject-name.ts";
import { printSubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { commitCommand } from "./commit.ts";
import { type ConfluentRegistration, registerConfluent, type TagOperations } from "./confluent-registration.ts";
import { deleteSubject } from "./delete.ts";

export type AssociationToSet = {
  name: SubjectName;
  type: string;
  lifecycle: Lifecycle | null;
  frozen: boolean | null;
  schema: { registration: ConfluentRegistration; tags: TagOperations } | null;
};

export type AssociationsToSet = {
  resource: Resource;
  associations: readonly AssociationToSet[];
  upsert: boolean;
  dryRun: boolean;
};

export type Associations = { ok: true; associations: readonly SubjectAssociation[]; asOf: AsOf };

export async function readAssociations(edge: Edge, of: Queries["associations"][0]): Promise<Associations | Refusal> {
  const answer = await edge.primary.read("associations", of);
  return "ok" in answer ? answer : { ok: true, associations: answer.value, asOf: answer.asOf };
}

/** Tried before any schema is registered, so that a refusal leaves nothing behind. */
export async function setAssociations(
  edge: Edge,
  caller: Caller,
  { resource, associations, upsert, dryRun }: AssociationsToSet,
): Promise<Associations | Refusal> {
  const command = (isDry: boolean) => ({
    type: "setAssociations" as const,
    resource,
    associations: associations.map(({ schema, ...association }) => ({
      ...association,
      expectsVersion: isDry && schema !== null,
    })),
    upsert,
    dryRun: isDry,
  });
  const tried = await commitCommand(edge, caller, command(true));
  if (!tried.ok) return tried;
  if (dryRun) return associationsOf(tried);
  for (const { schema } of associations) {
    if (schema === null) continue;
    const strict = { token: undefined, maxAgeMs: 0 };
    const registered = await registerConfluent(edge, caller, schema.registration, schema.tags, strict, {});
    if (!registered.ok) return registered;
  }
  const set = await commitCommand(edge, caller, command(false));
  return set.ok ? associationsOf(set) : set;
}

/** With `cascade`, subjects that belonged to the resource are soft-deleted after it. */
export async function deleteAssociations(
  edge: Edge,
  caller: Caller,
  command: Omit<DeleteAssociationsCommand, "type">,
): Promise<Associations | Refusal> {
  const committed = await commitCommand(edge, caller, { type: "deleteAssociations", ...command });
  if (!committed.ok) return committed;
  const deleted = associationsOf(committed);
  if (!command.cascade || command.dryRun) return deleted;
  for (const { name, association } of deleted.associations) {
    if (association.lifecycle !== "STRONG") continue;
    const subject = { subject: printSubjectName(name), context: undefined, permanent: false };
    const gone = await deleteSubject(edge, caller, subject, {});
    if (!gone.ok && gone.error !== "SUBJECT_NOT_FOUND" && gone.error !== "SUBJECT_SOFT_DELETED") return gone;
  }
  return deleted;
}

function associationsOf({ outcome, asOf }: { outcome: Outcome; asOf: AsOf }): Associations {
  return { ok: true, associations: (outcome as Outcome & { type: "associations" }).associations, asOf };
}
