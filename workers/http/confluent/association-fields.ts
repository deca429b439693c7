/** Associations in request bodies, query parameters and answers. */
import { makeRefusal } from "../../../contract/errors.ts";
import { LIFECYCLES, type Resource, type SubjectAssociation } from "../../../registry/association.ts";
import { parseSubjectName, printSubjectName, type SubjectName } from "../../../schema/subject-name.ts";
import type { AssociationToSet } from "../../registry/write/associations.ts";
import { RegistryError } from "../errors.ts";
import { parsePathContext } from "./context-path.ts";
import { parseRegistrationBody } from "./contract-fields.ts";
import type { Fields } from "./fields.ts";
import type { schemaEntity } from "./rendering.ts";
import { noSuchPath, type QueryParameters } from "./request.ts";

/** The only resource type. */
export const DEFAULT_RESOURCE_TYPE = "topic";
const DEFAULT_ASSOCIATION_TYPE = "value";
/** The Confluent server's bound. Names become part of the default subject. */
const MAX_RESOURCE_NAME_CHARACTERS = 256;
const RESOURCE_NAME = /^[\p{L}\p{N}._-]+$/u;

export function parseResource(fields: Fields, id: string, { dryRun }: { dryRun: boolean }): Resource {
  const name = requireName(fields, "resourceName");
  const namespace = requireName(fields, "resourceNamespace");
  // A dry run may come before the resource exists.
  if (id === "" && !dryRun) throw invalidAssociation("resourceId", "cannot be null or empty");
  return { name, namespace, id, type: parseResourceType(fields.text("resourceType")) };
}

export function parseResourceType(given: string | undefined): string {
  const type = given || DEFAULT_RESOURCE_TYPE;
  if (type === DEFAULT_RESOURCE_TYPE) return type;
  throw invalidAssociation("resourceType", `must be '${DEFAULT_RESOURCE_TYPE}'`);
}

function requireName(fields: Fields, property: string): string {
  const name = fields.text(property) ?? "";
  if (name === "") throw invalidAssociation(property, "cannot be null or empty");
  if (name.length > MAX_RESOURCE_NAME_CHARACTERS) {
    throw invalidAssociation(property, `exceeds max length of ${MAX_RESOURCE_NAME_CHARACTERS}`);
  }
  if (!RESOURCE_NAME.test(name)) {
    throw invalidAssociation(property, "may contain letters, digits, '.', '_' and '-' only");
  }
  return name;
}

/** Creating an association with a schema makes it STRONG and frozen; asking for anything else is an error. */
export function associationToSet(
  fields: Fields,
  { upsert, context }: { upsert: boolean; context: string | undefined },
): AssociationToSet {
  const type = parseAssociationType(fields);
  const lifecycle = fields.oneOf("lifecycle", LIFECYCLES) ?? null;
  const frozen = fields.boolean("frozen") ?? null;
  const name = parseAssociatedSubject(fields, context);
  const schemaFields = fields.object("schema");
  if (schemaFields === undefined) return { name, type, lifecycle, frozen, schema: null };
  if (lifecycle === "WEAK") throw invalidAssociation("lifecycle", "cannot be WEAK when a schema is provided");
  if (frozen === false && !upsert) {
    throw invalidAssociation("frozen", "cannot be false when an association is created with a schema");
  }
  const { tags, ...body } = parseRegistrationBody(schemaFields);
  const registration = { ...body, normalise: fields.boolean("normalize") ?? false, force: false };
  return { name, type, lifecycle: "STRONG", frozen, schema: { registration, tags } };
}

export function parseAssociationType(fields: Fields): string {
  return fields.text("associationType") || DEFAULT_ASSOCIATION_TYPE;
}

/** An unqualified subject is taken in the context that the request names. */
function parseAssociatedSubject(fields: Fields, context: string | undefined): SubjectName | null {
  const given = fields.text("subject");
  if (given === undefined) return null;
  if (given === "") throw invalidAssociation("subject", "must not be empty");
  const name = parseSubjectName(given);
  return context === undefined || given.startsWith(":.") ? name : { context, subject: name.subject };
}

/** The `context` parameter: `ctx`, `.ctx` or `:.ctx:`. */
export function contextParameter(query: QueryParameters): string | undefined {
  const given = query.text("context");
  if (given === undefined || given === "") return undefined;
  const context = parsePathContext(given);
  if (context !== undefined) return context;
  const detail = `Context name '${given}' cannot contain a colon`;
  throw new RegistryError(makeRefusal("BAD_REQUEST", [detail], detail));
}

/** Values of the repeated `lifecycle` parameter. The Confluent server answers an unknown value with 404. */
export function parseLifecycles<T extends string>(query: QueryParameters, allowed: readonly T[]): T[] {
  return query
    .all("lifecycle")
    .filter((text) => text !== "")
    .map((text) => {
      const lifecycle = allowed.find((known) => known === text);
      if (lifecycle === undefined) throw noSuchPath(`"${text}" is not a lifecycle (expected ${allowed.join(", ")}).`);
      return lifecycle;
    });
}

/** `Association`. */
export function associationJson({ name, association }: SubjectAssociation) {
  const { id, resource, type, lifecycle, frozen, createdAtMs, updatedAtMs } = association;
  return {
    subject: printSubjectName(name),
    guid: id,
    ...resourceJson(resource),
    associationType: type,
    lifecycle,
    frozen,
    createTs: createdAtMs,
    updateTs: updatedAtMs,
  };
}

/** `AssociationResponse`; empty members are omitted. */
export function associationsJson(
  resource: Partial<Resource>,
  associations: readonly SubjectAssociation[],
  schemas: ReadonlyMap<string, ReturnType<typeof schemaEntity>>,
) {
  const items = associations.map(({ name, association: { type, lifecycle, frozen } }) => ({
    subject: printSubjectName(name),
    associationType: type,
    lifecycle,
    frozen,
    ...(schemas.has(type) ? { schema: schemas.get(type) } : {}),
  }));
  return { ...resourceJson(resource), ...(items.length === 0 ? {} : { associations: items }) };
}

function resourceJson({ name, namespace, id, type }: Partial<Resource>) {
  return {
    ...(name ? { resourceName: name } : {}),
    ...(namespace ? { resourceNamespace: namespace } : {}),
    ...(id ? { resourceId: id } : {}),
    ...(type ? { resourceType: type } : {}),
  };
}

export function invalidAssociation(property: string, detail: string): RegistryError {
  return new RegistryError(makeRefusal("INVALID_ASSOCIATION", [property, detail], `${property}: ${detail}.`));
}
