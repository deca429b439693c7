/** `/roles`, `/grants`, `/access/changes` and `/me`: access control. */
import { makeRefusal } from "../../../contract/errors.ts";
import type { PrincipalGrants } from "../../../registry/grant.ts";
import { BUILT_IN_ROLES, type BuiltInRole, isBuiltInRole, permissionsOfRole } from "../../../registry/permission.ts";
import { timestamp } from "../../../registry/record-view.ts";
import { askDirectory, deleteGrants, deleteRole, putGrants, putRole } from "../../access/administration.ts";
import { type Answer, jsonAnswer } from "../answer.ts";
import { RegistryError, requireOk } from "../errors.ts";
import { grantJson, pageJson, parseGrants, parseListPage, timeOrNull, toAdministrator } from "./access-fields.ts";
import type { NativeRequest } from "./request.ts";
import type { Shape } from "./shapes.ts";

export async function listRoles({ edge }: NativeRequest): Promise<Answer> {
  const own = requireOk(await askDirectory(edge, "roles", { tenant: edge.tenant }));
  const builtIn = (Object.keys(BUILT_IN_ROLES) as BuiltInRole[]).map((name) => ({
    name,
    permissions: permissionsOfRole(edge.tenant, name, {}),
  }));
  return jsonAnswer<Shape<"RoleList">>(200, { items: [...builtIn, ...own].map(roleJson) });
}

export async function putRoleNamed(request: NativeRequest): Promise<Answer> {
  const { permissions } = request.body as Shape<"RolePermissions">;
  const { role } = requireOk(await putRole(toAdministrator(request), request.path.role!, permissions));
  return jsonAnswer<Shape<"AccessRole">>(200, roleJson(role));
}

export async function deleteRoleNamed(request: NativeRequest): Promise<Answer> {
  const { role } = requireOk(await deleteRole(toAdministrator(request), request.path.role!));
  return jsonAnswer<Shape<"AccessRole">>(200, roleJson(role));
}

export async function listGrants(request: NativeRequest): Promise<Answer> {
  const page = parseListPage(request);
  const items = requireOk(await askDirectory(request.edge, "grants", { tenant: request.edge.tenant, ...page }));
  return jsonAnswer<Shape<"GrantsPage">>(200, {
    items: items.map(principalJson),
    ...pageJson(items, page.limit, ({ principal }) => principal),
  });
}

export async function getGrants({ edge, path }: NativeRequest): Promise<Answer> {
  const principal = path.principal!;
  const grants = requireOk(await askDirectory(edge, "grantsOf", { tenant: edge.tenant, principal }));
  if (grants !== null) return jsonAnswer<Shape<"PrincipalGrants">>(200, principalJson(grants));
  const detail = `"${principal}" has no grants in this tenant.`;
  throw new RegistryError(makeRefusal("GRANT_NOT_FOUND", [principal], detail));
}

export async function putGrantsOf(request: NativeRequest): Promise<Answer> {
  const wanted = parseGrants((request.body as Shape<"GrantsBody">).grants);
  const { grants } = requireOk(await putGrants(toAdministrator(request), request.path.principal!, wanted));
  return jsonAnswer<Shape<"PrincipalGrants">>(200, principalJson(grants));
}

export async function deleteGrantsOf(request: NativeRequest): Promise<Answer> {
  const { grants } = requireOk(await deleteGrants(toAdministrator(request), request.path.principal!));
  return jsonAnswer<Shape<"PrincipalGrants">>(200, principalJson(grants));
}

export async function listAccessChanges({ edge, query }: NativeRequest): Promise<Answer> {
  const page = { after: query.after as number, limit: query.limit as number };
  const changes = requireOk(await askDirectory(edge, "changes", { tenant: edge.tenant, ...page }));
  const items = changes.map(({ seq, atMs, actor, requestId, type, about }) => ({
    seq,
    at: timestamp(atMs),
    actor,
    request_id: requestId,
    type,
    about,
  }));
  return jsonAnswer<Shape<"AccessChangePage">>(200, { items });
}

export function getMe({ actor }: NativeRequest): Answer {
  const { identity } = actor;
  return jsonAnswer<Shape<"Me">>(200, {
    tenant: actor.tenant,
    actor: actor.actor,
    type: identity?.type ?? "local",
    name: identity?.name ?? null,
    permissions: [...actor.permissions],
    grants: identity?.grants.map(grantJson) ?? [],
    expires_at: timeOrNull(identity?.expiresAtMs ?? null),
  });
}

function roleJson({ name, permissions }: { name: string; permissions: Shape<"AccessRole">["permissions"] }) {
  return { name, permissions, built_in: isBuiltInRole(name) };
}

function principalJson({ principal, grants }: PrincipalGrants): Shape<"PrincipalGrants"> {
  return { principal, grants: grants.map(grantJson) };
}
