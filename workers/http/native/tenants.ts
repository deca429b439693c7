/** `/tenants`: the registries of one deployment. */
import { makeRefusal } from "../../../contract/errors.ts";
import { offersJurisdiction } from "../../../durable-objects/placement.ts";
import { timestamp } from "../../../registry/record-view.ts";
import { isTenantName, NO_QUOTAS, type Quotas, type Tenant, tenantName } from "../../../registry/tenant.ts";
import { askDirectory, createTenant, deleteTenant, updateTenant } from "../../access/administration.ts";
import { settleTenant } from "../../tenants.ts";
import { type Answer, jsonAnswer } from "../answer.ts";
import { RegistryError, refusing, requireOk } from "../errors.ts";
import { pageJson, parseListPage, toAdministrator } from "./access-fields.ts";
import type { NativeRequest } from "./request.ts";
import type { Shape } from "./shapes.ts";

export async function postTenant(request: NativeRequest): Promise<Answer> {
  const field = request.body as Shape<"NewTenant">;
  const jurisdiction = field.jurisdiction ?? null;
  const fullName = tenantName(field.name, jurisdiction);
  if (!isTenantName(fullName)) throw refusing("BAD_REQUEST", `"${fullName}" is too long for a tenant's name.`);
  if (jurisdiction !== null && !offersJurisdiction(request.edge.env.PRIMARIES, jurisdiction)) {
    throw refusing(
      "NOT_CONFIGURED",
      `The platform of this deployment keeps no objects in the jurisdiction "${jurisdiction}".`,
    );
  }
  const { tenant, text } = requireOk(
    await createTenant(toAdministrator(request), {
      name: field.name,
      fullName,
      jurisdiction,
      locationHint: field.location_hint ?? null,
      quotas: { ...NO_QUOTAS, ...toQuotas(field.quotas ?? {}) },
    }),
  );
  await settleTenant(request.edge.env, tenant);
  return text === undefined
    ? jsonAnswer<Shape<"Tenant">>(200, tenantJson(tenant))
    : jsonAnswer<Shape<"CreatedTenant">>(201, { ...tenantJson(tenant), key: text });
}

export async function listTenants(request: NativeRequest): Promise<Answer> {
  const page = parseListPage(request);
  const tenants = requireOk(await askDirectory(request.edge, "tenants", page));
  return jsonAnswer<Shape<"TenantPage">>(200, {
    items: tenants.map(tenantJson),
    ...pageJson(tenants, page.limit, ({ name }) => name),
  });
}

export async function getTenant({ edge, path }: NativeRequest): Promise<Answer> {
  const name = path.tenant!;
  const tenant = requireOk(await askDirectory(edge, "tenant", { name }));
  if (tenant === null)
    throw new RegistryError(makeRefusal("TENANT_NOT_FOUND", [name], `There is no tenant "${name}".`));
  return jsonAnswer<Shape<"Tenant">>(200, tenantJson(tenant));
}

export async function patchTenant(request: NativeRequest): Promise<Answer> {
  const { state = null, quotas = {} } = request.body as Shape<"TenantChanges">;
  const changes = { name: request.path.tenant!, state, quotas: toQuotas(quotas) };
  const { tenant } = requireOk(await updateTenant(toAdministrator(request), changes));
  return jsonAnswer<Shape<"Tenant">>(200, tenantJson(tenant));
}

export async function removeTenant(request: NativeRequest): Promise<Answer> {
  const { tenant } = requireOk(await deleteTenant(toAdministrator(request), request.path.tenant!));
  return jsonAnswer<Shape<"Tenant">>(200, tenantJson(tenant));
}

function toQuotas(field: Shape<"Quotas">): Partial<Quotas> {
  const {
    versions,
    bytes,
    requests_per_minute: requestsPerMinute,
    compared_kib_per_minute: comparedKibPerMinute,
  } = field;
  return {
    ...(versions === undefined ? {} : { versions }),
    ...(bytes === undefined ? {} : { bytes }),
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
    ...(comparedKibPerMinute === undefined ? {} : { comparedKibPerMinute }),
  };
}

function tenantJson({ quotas, createdAtMs, createdBy, locationHint, purgedAtMs, ...tenant }: Tenant): Shape<"Tenant"> {
  return {
    ...tenant,
    location_hint: locationHint,
    quotas: {
      versions: quotas.versions,
      bytes: quotas.bytes,
      requests_per_minute: quotas.requestsPerMinute,
      compared_kib_per_minute: quotas.comparedKibPerMinute,
    },
    created_at: timestamp(createdAtMs),
    created_by: createdBy,
    purged_at: purgedAtMs === null ? null : timestamp(purgedAtMs),
  };
}
