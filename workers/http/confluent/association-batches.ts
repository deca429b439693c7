/** `/associations:batchGet` and `:batchMutate`: requests succeed or fail independently, and each failure is reported in its place. */
import { LIFECYCLES, type Lifecycle, type Resource } from "../../../registry/association.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import {
  type AssociationToSet,
  deleteAssociations,
  readAssociations,
  setAssociations,
} from "../../registry/write/associations.ts";
import type { Answer } from "../answer.ts";
import { RegistryError, requireValue } from "../errors.ts";
import {
  associationsJson,
  associationToSet,
  contextParameter,
  invalidAssociation,
  parseAssociationType,
  parseResource,
  parseResourceType,
} from "./association-fields.ts";
import { MAX_LISTED_ASSOCIATIONS, namedResource, schemasJson } from "./associations.ts";
import { confluentErrorBody } from "./errors.ts";
import type { Fields } from "./fields.ts";
import { answerJson, type ConfluentRequest, idempotencyKey, readFields } from "./request.ts";

/** Each costs up to three calls to the primary; a Worker may make 1,000 subrequests. */
const MAX_BATCH_OPERATIONS = 100;

const OPERATIONS = ["CREATE", "UPSERT", "DELETE"] as const;

type Operation =
  | { type: "DELETE"; associationType: string; cascade: boolean }
  | { type: "CREATE" | "UPSERT"; association: AssociationToSet };

type Mutation = { resource: Resource; operations: readonly Operation[] };

/** Parses the whole body first, so a malformed request refuses the batch before anything has changed. */
export async function mutateBatch(request: ConfluentRequest): Promise<Answer> {
  const requests = await readRequests(request);
  const operations = requests.reduce((sum, fields) => sum + (fields.objects("associations")?.length ?? 0), 0);
  if (operations > MAX_BATCH_OPERATIONS) {
    throw invalidAssociation("requests", `at most ${MAX_BATCH_OPERATIONS} operations are accepted together`);
  }
  const mutations = requests.map((fields) => readOrRefuse(() => parseMutation(request, fields)));
  const { idempotencyKey: key } = idempotencyKey(request);
  // The operations are separate commands, so each gets a key of its own.
  const keyOf = (index: number) => (key === undefined ? undefined : `${key}/${index}`);
  return answerResults(request, mutations, (mutation, index) => mutate(request, mutation, keyOf(index)));
}

function parseMutation({ query }: ConfluentRequest, fields: Fields): Mutation {
  const resource = parseResource(fields, fields.text("resourceId") ?? "", { dryRun: query.flag("dryRun") });
  const list = fields.objects("associations") ?? [];
  if (list.length === 0) throw invalidAssociation("associations", "cannot be null or empty");
  const operations = list.map((item) => parseOperation(item, contextParameter(query)));
  const wantsFrozen = operations.flatMap((operation) => {
    if (operation.type === "DELETE") return [];
    const { frozen, schema } = operation.association;
    return [frozen ?? (operation.type === "CREATE" && schema !== null ? true : null)];
  });
  if (wantsFrozen.includes(true) && wantsFrozen.includes(false)) {
    throw invalidAssociation("frozen", "the associations of a resource are either all frozen or all not frozen");
  }
  return { resource, operations };
}

function parseOperation(fields: Fields, context: string | undefined): Operation {
  const type = fields.oneOf("opType", OPERATIONS);
  if (type === undefined) throw fields.wrongType("opType", `one of ${OPERATIONS.join(", ")}`);
  if (type !== "DELETE") return { type, association: associationToSet(fields, { upsert: type === "UPSERT", context }) };
  return { type, associationType: parseAssociationType(fields), cascade: fields.boolean("cascadeLifecycle") ?? false };
}

async function mutate(
  request: ConfluentRequest,
  { resource, operations }: Mutation,
  key: string | undefined,
): Promise<object> {
  const { edge, caller, query } = request;
  const dryRun = query.flag("dryRun");
  const registered = new Map<string, SchemaRecord>();
  for (const [index, operation] of operations.entries()) {
    const repeatable = { idempotencyKey: key === undefined ? undefined : `${key}/${index}` };
    if (operation.type === "DELETE") {
      const { associationType, cascade } = operation;
      const of = { resourceId: resource.id, resourceType: resource.type, types: [associationType] };
      const removal = { ...of, cascade, mustExist: false, dryRun };
      requireValue(await deleteAssociations(edge, caller, removal, repeatable));
    } else {
      const associations = [operation.association];
      const upsert = operation.type === "UPSERT";
      const toBeSet = { resource, associations, upsert, dryRun };
      const set = requireValue(await setAssociations(edge, caller, toBeSet, repeatable));
      for (const [type, record] of set.registered) registered.set(type, record);
    }
  }
  if (dryRun) return associationsJson(resource, [], new Map());
  const filter = { resourceType: resource.type };
  const read = { of: { resourceId: resource.id }, filter, offset: 0, limit: MAX_LISTED_ASSOCIATIONS };
  const { associations } = requireValue(await readAssociations(edge, read));
  return associationsJson(resource, associations, await schemasJson(request, registered));
}

type Lookup = {
  resource: Partial<Resource> & { type: string };
  types: readonly string[];
  lifecycles: readonly Lifecycle[];
};

export async function getBatch(request: ConfluentRequest): Promise<Answer> {
  const requests = await readRequests(request);
  if (requests.length > MAX_BATCH_OPERATIONS) {
    throw invalidAssociation("requests", `at most ${MAX_BATCH_OPERATIONS} are accepted together`);
  }
  const lookups = requests.map((fields) => readOrRefuse(() => parseLookup(fields)));
  return answerResults(request, lookups, (lookup) => lookUp(request, lookup));
}

function parseLookup(fields: Fields): Lookup {
  const id = fields.text("resourceId");
  const name = fields.text("resourceName");
  const namespace = fields.text("resourceNamespace");
  if (!id && !name) throw invalidAssociation("resourceId", "either resourceId or resourceName must be specified");
  if (name && !namespace) {
    throw invalidAssociation("resourceNamespace", "resourceNamespace is required when resourceName is specified");
  }
  const lifecycle = fields.oneOf("lifecycle", LIFECYCLES);
  return {
    resource: {
      ...(id ? { id } : {}),
      ...(name ? { name } : {}),
      ...(namespace ? { namespace } : {}),
      type: parseResourceType(fields.text("resourceType")),
    },
    types: fields.texts("associationTypes") ?? [],
    lifecycles: lifecycle === undefined ? [] : [lifecycle],
  };
}

async function lookUp(request: ConfluentRequest, { resource, types, lifecycles }: Lookup): Promise<object> {
  const { edge, query } = request;
  const { id, name, namespace, type } = resource;
  const of = id === undefined ? namedResource(namespace!, name!) : { resourceId: id };
  const filter = { resourceType: type, types, lifecycles };
  const page = { offset: 0, limit: MAX_LISTED_ASSOCIATIONS };
  const { associations: shown } = requireValue(await readAssociations(edge, { of, filter, ...page }));
  const latest = new Map<string, SchemaRecord>();
  for (const { name: subject, association } of query.flag("includeSchemas") ? shown : []) {
    const read = { name: subject, selector: "latest", deleted: false } as const;
    const { value } = requireValue(await edge.primary.read("record", read));
    if ("found" in value) latest.set(association.type, value.found);
  }
  // Members that the request omits are filled in from the first association found.
  return associationsJson(
    { ...shown[0]?.association.resource, ...resource },
    shown,
    await schemasJson(request, latest),
  );
}

async function readRequests(request: ConfluentRequest): Promise<Fields[]> {
  const requests = (await readFields(request)).objects("requests") ?? [];
  if (requests.length === 0) throw invalidAssociation("requests", "cannot be null or empty");
  return requests;
}

/** A well-formed request that is invalid fails alone; a malformed one fails the batch. */
function readOrRefuse<T>(read: () => T): T | RegistryError {
  try {
    return read();
  } catch (error) {
    if (error instanceof RegistryError && error.refusal.error !== "BAD_REQUEST") return error;
    throw error;
  }
}

async function answerResults<T extends object>(
  request: ConfluentRequest,
  items: readonly (T | RegistryError)[],
  act: (item: T, index: number) => Promise<object>,
): Promise<Answer> {
  const { settings } = request.edge;
  const errorJson = ({ refusal }: RegistryError) => ({
    error: confluentErrorBody(refusal, () => settings.confluentApiLevel),
  });
  const results: object[] = [];
  for (const [index, item] of items.entries()) {
    if (item instanceof RegistryError) {
      results.push(errorJson(item));
      continue;
    }
    try {
      results.push({ result: await act(item, index) });
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      results.push(errorJson(error));
    }
  }
  return answerJson(request, { results }, {}, 207);
}
