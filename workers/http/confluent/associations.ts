/** `/associations`: which subject holds the schemas of a resource, such as the keys of a topic. */
import { LIFECYCLES } from "../../../registry/association.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import { parseSubjectName } from "../../../schema/subject-name.ts";
import { readShownText } from "../../read-path/texts.ts";
import {
  type AssociationsSet,
  type AssociationsToSet,
  deleteAssociations,
  readAssociations,
  setAssociations,
} from "../../registry/write/associations.ts";
import type { Answer } from "../answer.ts";
import { requireValue } from "../errors.ts";
import {
  associationJson,
  associationsJson,
  associationToSet,
  contextParameter,
  DEFAULT_RESOURCE_TYPE,
  invalidAssociation,
  parseLifecycles,
  parseResource,
} from "./association-fields.ts";
import type { Fields } from "./fields.ts";
import { schemaEntity } from "./rendering.ts";
import {
  answeredAt,
  answerJson,
  answerNothing,
  type ConfluentRequest,
  idempotencyKey,
  parseOffsetPage,
  readFields,
} from "./request.ts";

/** In place of a namespace or name: any. */
const ANY = "-";
/** The Confluent server's default and maximum page size. */
export const MAX_LISTED_ASSOCIATIONS = 1_000;

export function getSubjectAssociations(request: ConfluentRequest): Promise<Answer> {
  return answerList(request, { name: parseSubjectName(request.params.subject!) });
}

export function getResourceAssociations(request: ConfluentRequest): Promise<Answer> {
  return answerList(request, { resourceId: request.params.resource! });
}

export function getNamedResourceAssociations(request: ConfluentRequest): Promise<Answer> {
  const { namespace, name } = request.params;
  return answerList(request, namedResource(namespace!, name!));
}

export function namedResource(namespace: string, name: string) {
  return { resourceNamespace: namespace === ANY ? null : namespace, resourceName: name === ANY ? null : name };
}

async function answerList(
  request: ConfluentRequest,
  of: Parameters<typeof readAssociations>[1]["of"],
): Promise<Answer> {
  const { edge, query } = request;
  const filter = {
    resourceType: query.text("resourceType") || DEFAULT_RESOURCE_TYPE,
    types: query.all("associationType").filter((type) => type !== ""),
    lifecycles: parseLifecycles(query, LIFECYCLES),
  };
  const page = parseOffsetPage(query, MAX_LISTED_ASSOCIATIONS);
  const { associations, asOf } = requireValue(await readAssociations(edge, { of, filter, ...page }));
  return answerJson(request, associations.map(associationJson), answeredAt(asOf));
}

export async function createAssociations(request: ConfluentRequest): Promise<Answer> {
  const fields = await readFields(request);
  return answerSet(request, toSet(request, fields, fields.text("resourceId") ?? "", false));
}

export async function putAssociations(request: ConfluentRequest): Promise<Answer> {
  const fields = await readFields(request);
  const id = request.params.resource!;
  if ((fields.text("resourceId") ?? id) !== id) {
    throw invalidAssociation("resourceId", "the path and the body name different resources");
  }
  return answerSet(request, toSet(request, fields, id, true));
}

function toSet({ query }: ConfluentRequest, fields: Fields, id: string, upsert: boolean): AssociationsToSet {
  const dryRun = query.flag("dryRun");
  const resource = parseResource(fields, id, { dryRun });
  const list = fields.objects("associations") ?? [];
  if (list.length === 0) throw invalidAssociation("associations", "cannot be null or empty");
  const context = contextParameter(query);
  return { resource, upsert, dryRun, associations: list.map((item) => associationToSet(item, { upsert, context })) };
}

async function answerSet(request: ConfluentRequest, toBeSet: AssociationsToSet): Promise<Answer> {
  const { edge, caller } = request;
  const set = requireValue(await setAssociations(edge, caller, toBeSet, idempotencyKey(request)));
  return answerJson(request, await setJson(request, toBeSet, set), answeredAt(set.asOf));
}

/** A dry run answers the resource without associations. */
async function setJson(request: ConfluentRequest, { resource, dryRun }: AssociationsToSet, set: AssociationsSet) {
  return associationsJson(resource, dryRun ? [] : set.associations, await schemasJson(request, set.registered));
}

/** A `Schema` for each version, by association type. */
export async function schemasJson({ edge }: ConfluentRequest, versions: ReadonlyMap<string, SchemaRecord>) {
  const schemas = new Map<string, ReturnType<typeof schemaEntity>>();
  for (const [type, record] of versions) {
    const { text } = requireValue(await readShownText(edge, record.contentHash));
    schemas.set(type, schemaEntity(record, { text }, edge.settings.confluentApiLevel));
  }
  return schemas;
}

export async function removeAssociations(request: ConfluentRequest): Promise<Answer> {
  const { edge, caller, params, query } = request;
  const { asOf } = requireValue(
    await deleteAssociations(
      edge,
      caller,
      {
        resourceId: params.resource!,
        resourceType: query.text("resourceType") || DEFAULT_RESOURCE_TYPE,
        types: query.all("associationType").filter((type) => type !== ""),
        cascade: query.flag("cascadeLifecycle"),
        mustExist: true,
        dryRun: query.flag("dryRun"),
      },
      idempotencyKey(request),
    ),
  );
  return answerNothing(answeredAt(asOf));
}
