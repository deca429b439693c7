/** `/associations` (specs: Confluent contract §5.9). */
import { type Refusal, refuse } from "../../../contract/errors.ts";
import { LIFECYCLES, type Resource, type SubjectAssociation } from "../../../registry/association.ts";
import { parseSubjectName, printSubjectName } from "../../../schema/subject-name.ts";
import { textOf } from "../../read-path/texts.ts";
import {
  type AssociationsToSet,
  type AssociationToSet,
  deleteAssociations,
  readAssociations,
  setAssociations,
} from "../../registry/write/associations.ts";
import type { Answer } from "../answer.ts";
import { RegistryError, requireValue } from "../errors.ts";
import { registrationOf } from "./contract-fields.ts";
import { confluentErrorBody } from "./errors.ts";
import type { Fields } from "./fields.ts";
import { schemaEntity } from "./rendering.ts";
import { answeredAt, answerJson, type ConfluentRequest, pageOf, readFields } from "./request.ts";

const DEFAULT_RESOURCE_TYPE = "topic";
/** In a path, any namespace. */
const ANY_NAMESPACE = "-";
/** Operations of one batch. */
export const MAX_BATCH_OPERATIONS = 100;

export function getSubjectAssociations(request: ConfluentRequest): Promise<Answer> {
  return answerList(request, { name: parseSubjectName(request.params.subject!) });
}

export function getResourceAssociations(request: ConfluentRequest): Promise<Answer> {
  return answerList(request, { resourceId: request.params.resource! });
}

export function getNamedResourceAssociations(request: ConfluentRequest): Promise<Answer> {
  const { namespace, name } = request.params;
  return answerList(request, {
    resourceNamespace: namespace === ANY_NAMESPACE ? null : namespace!,
    resourceName: name!,
  });
}

export async function createAssociations(request: ConfluentRequest): Promise<Answer> {
  const fields = await readFields(request);
  return answerSet(request, toSet(request, fields, undefined, false));
}

export async function putAssociations(request: ConfluentRequest): Promise<Answer> {
  const fields = await readFields(request);
  return answerSet(request, toSet(request, fields, request.params.resource!, true));
}

export async function removeAssociations(request: ConfluentRequest): Promise<Answer> {
  const { edge, caller, params, query } = request;
  const { asOf } = requireValue(
    await deleteAssociations(edge, caller, {
      resourceId: params.resource!,
      resourceType: query.text("resourceType") ?? DEFAULT_RESOURCE_TYPE,
      types: query.all("associationType"),
      cascade: query.flag("cascadeLifecycle"),
      dryRun: query.flag("dryRun"),
    }),
  );
  return { status: 204, headers: answeredAt(asOf), body: null };
}

/** Each operation by itself: one that fails does not undo the others, and is told in its place. */
export async function mutateBatch(request: ConfluentRequest): Promise<Answer> {
  const { edge, caller, query } = request;
  const operations = await operationsOf(request, "requests");
  const results: object[] = [];
  for (const operation of operations) {
    results.push(
      await resultOf(request, async () => {
        const opType = operation.oneOf("opType", ["CREATE", "UPSERT", "DELETE"]);
        if (opType === undefined) throw invalid("opType", "it must be one of CREATE, UPSERT, DELETE");
        if (opType !== "DELETE") {
          const set = toSet(request, operation, undefined, opType === "UPSERT");
          return responseJson(set.resource, requireValue(await setAssociations(edge, caller, set)).associations);
        }
        requireValue(
          await deleteAssociations(edge, caller, {
            resourceId: operation.text("resourceId") ?? "",
            resourceType: operation.text("resourceType") ?? DEFAULT_RESOURCE_TYPE,
            types: operation.texts("associationTypes") ?? [],
            cascade: operation.boolean("cascadeLifecycle") ?? false,
            dryRun: query.flag("dryRun"),
          }),
        );
        return {};
      }),
    );
  }
  return answerJson(request, { results }, {}, 207);
}

export async function getBatch(request: ConfluentRequest): Promise<Answer> {
  const { edge, query } = request;
  const withSchemas = query.flag("includeSchemas");
  const operations = await operationsOf(request, "requests");
  const results: object[] = [];
  for (const operation of operations) {
    results.push(
      await resultOf(request, async () => {
        const resourceId = operation.text("resourceId") ?? "";
        const found = requireValue(await readAssociations(edge, { resourceId }));
        const type = operation.text("resourceType") ?? DEFAULT_RESOURCE_TYPE;
        const shown = found.associations.filter(({ association }) => association.resource.type === type);
        const items = shown.map(associationJson);
        return { associations: withSchemas ? await withLatestSchemas(request, shown) : items };
      }),
    );
  }
  return answerJson(request, { results }, {}, 207);
}

async function answerList(request: ConfluentRequest, of: Parameters<typeof readAssociations>[1]): Promise<Answer> {
  const { edge, query } = request;
  const type = query.text("resourceType") ?? ("name" in of ? undefined : DEFAULT_RESOURCE_TYPE);
  const types = query.all("associationType");
  const lifecycle = query.text("lifecycle");
  const found = requireValue(await readAssociations(edge, of));
  const shown = found.associations.filter(
    ({ association }) =>
      (type === undefined || association.resource.type === type) &&
      (types.length === 0 || types.includes(association.type)) &&
      (lifecycle === undefined || association.lifecycle === lifecycle.toUpperCase()),
  );
  const { offset, limit } = pageOf(query, Number.MAX_SAFE_INTEGER);
  return answerJson(request, shown.slice(offset, offset + limit).map(associationJson), answeredAt(found.asOf));
}

async function answerSet(request: ConfluentRequest, set: AssociationsToSet): Promise<Answer> {
  const { associations, asOf } = requireValue(await setAssociations(request.edge, request.caller, set));
  return answerJson(request, responseJson(set.resource, associations), answeredAt(asOf));
}

function toSet(
  { query }: ConfluentRequest,
  fields: Fields,
  resourceId: string | undefined,
  upsert: boolean,
): AssociationsToSet {
  const resource: Resource = {
    name: fields.text("resourceName") ?? "",
    namespace: fields.text("resourceNamespace") ?? "",
    id: resourceId ?? fields.text("resourceId") ?? "",
    type: fields.text("resourceType") || DEFAULT_RESOURCE_TYPE,
  };
  for (const [property, value] of [
    ["resourceId", resource.id],
    ["resourceName", resource.name],
  ] as const) {
    if (value === "") throw invalid(property, "it must be given");
  }
  const context = query.text("context") ?? "";
  const list = fields.objects("associations") ?? [];
  if (list.length === 0) throw invalid("associations", "it must not be empty");
  const associations = list.map((item) => associationToSet(item, resource.name, context));
  return { resource, associations, upsert, dryRun: query.flag("dryRun") };
}

/** A schema that comes along makes the association STRONG and frozen, under a name that the resource gives. */
function associationToSet(fields: Fields, resourceName: string, context: string): AssociationToSet {
  const type = fields.text("associationType") ?? "value";
  const schemaFields = fields.object("schema");
  const lifecycle = fields.oneOf("lifecycle", LIFECYCLES) ?? null;
  const frozen = fields.boolean("frozen") ?? null;
  if (schemaFields !== undefined && (lifecycle === "WEAK" || frozen === false)) {
    throw invalid(lifecycle === "WEAK" ? "lifecycle" : "frozen", "an association with a schema is STRONG and frozen");
  }
  const given = fields.text("subject") ?? (schemaFields || frozen ? `${resourceName}-${type}` : "");
  const isQualified = given.startsWith(":.");
  const name = parseSubjectName(isQualified || given === "" ? given : context + given);
  if (schemaFields === undefined) return { name, type, lifecycle, frozen, schema: null };
  const { tags, ...body } = registrationOf(schemaFields);
  const normalise = fields.boolean("normalize") ?? false;
  const registration = { ...body, name, normalise, force: false };
  return { name, type, lifecycle: "STRONG", frozen: true, schema: { registration, tags } };
}

async function withLatestSchemas({ edge }: ConfluentRequest, found: readonly SubjectAssociation[]) {
  return Promise.all(
    found.map(async (item) => {
      const read = { name: item.name, selector: "latest", deleted: false } as const;
      const { value } = requireValue(await edge.primary.read("record", read));
      if (!("found" in value)) return associationJson(item);
      const { text } = requireValue(await textOf(edge, value.found.contentHash));
      const schema = schemaEntity(value.found, { text }, edge.settings.confluentApiLevel);
      return { ...associationJson(item), schema };
    }),
  );
}

function associationJson({ name, association }: SubjectAssociation) {
  const { id, resource, type, lifecycle, frozen, createdAtMs, updatedAtMs } = association;
  return {
    subject: printSubjectName(name),
    guid: id,
    resourceName: resource.name,
    ...(resource.namespace === "" ? {} : { resourceNamespace: resource.namespace }),
    resourceId: resource.id,
    resourceType: resource.type,
    associationType: type,
    lifecycle,
    frozen,
    createTs: createdAtMs,
    updateTs: updatedAtMs,
  };
}

/** `AssociationResponse`. */
function responseJson(resource: Resource, associations: readonly SubjectAssociation[]) {
  return {
    resourceName: resource.name,
    ...(resource.namespace === "" ? {} : { resourceNamespace: resource.namespace }),
    resourceId: resource.id,
    resourceType: resource.type,
    associations: associations.map(({ name, association: { type, lifecycle, frozen } }) => ({
      subject: printSubjectName(name),
      associationType: type,
      lifecycle,
      frozen,
    })),
  };
}

async function operationsOf(request: ConfluentRequest, name: string): Promise<Fields[]> {
  const operations = (await readFields(request)).objects(name) ?? [];
  if (operations.length <= MAX_BATCH_OPERATIONS) return operations;
  throw invalid(name, `at most ${MAX_BATCH_OPERATIONS} operations go together`);
}

async function resultOf({ edge }: ConfluentRequest, act: () => Promise<object>): Promise<object> {
  try {
    return { result: await act() };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return { error: confluentErrorBody(error.refusal as Refusal, () => edge.settings.confluentApiLevel) };
  }
}

function invalid(property: string, detail: string): RegistryError {
  return new RegistryError(refuse("INVALID_ASSOCIATION", [property, detail], `${property}: ${detail}.`));
}
