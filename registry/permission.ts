/** What a caller may do, and the roles that bundle it. Each API's route table assigns one permission to every route. */

export const PERMISSIONS = [
  "schema:read",
  "schema:write",
  "schema:delete",
  "schema:validate",
  "subject:read",
  "subject:write",
  "subject:delete",
  "subject:promote",
  "compatibility:check",
  "compatibility:config:read",
  "compatibility:config:write",
  "metrics:read",
  "audit:read",
  "admin:access",
  "admin:users",
  "admin:config",
  "admin:tenants",
] as const;

export type Permission = (typeof PERMISSIONS)[number];

const READS: readonly Permission[] = [
  "schema:read",
  "schema:validate",
  "subject:read",
  "compatibility:check",
  "compatibility:config:read",
];
const WRITES: readonly Permission[] = [...READS, "schema:write", "subject:write"];

/** The roles every tenant has. `admin:tenants` is about other tenants, so `permissionsOfRole` adds it for one tenant alone. */
export const BUILT_IN_ROLES = {
  reader: READS,
  service: WRITES,
  developer: [...WRITES, "schema:delete", "subject:delete", "compatibility:config:write", "metrics:read"],
  admin: PERMISSIONS.filter((permission) => permission !== "admin:tenants"),
} as const satisfies Record<string, readonly Permission[]>;

export type BuiltInRole = keyof typeof BUILT_IN_ROLES;

export function isBuiltInRole(name: string): name is BuiltInRole {
  return Object.hasOwn(BUILT_IN_ROLES, name);
}

/** Whether it allows changes of subjects or versions, or only reads. */
export function isChange(permission: Permission): boolean {
  return isAboutSubjects(permission) && !READS.includes(permission);
}

/** The default tenant of a deployment. Its administrators administer the other tenants. */
export const DEFAULT_TENANT = "default";

/** A role's permissions in a tenant; none if the tenant has no such role. */
export function permissionsOfRole(
  tenant: string,
  role: string,
  customRoles: Readonly<Record<string, readonly Permission[]>>,
): readonly Permission[] {
  if (role === "admin" && tenant === DEFAULT_TENANT) return PERMISSIONS;
  if (isBuiltInRole(role)) return BUILT_IN_ROLES[role];
  return Object.hasOwn(customRoles, role) ? customRoles[role]! : [];
}

/**
 * Permissions about the tenant and not about subjects. A grant that is narrowed to some subjects never carries them: a log,
 * a backup or a webhook shows all subjects.
 */
export function isAboutSubjects(permission: Permission): boolean {
  return /^(?:schema|subject|compatibility):/.test(permission);
}
