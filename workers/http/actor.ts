/** Who acts. Until access control is configured there is one tenant and one administrator. */
import type { Actor, Permission } from "../edge.ts";

const ALL_PERMISSIONS: ReadonlySet<Permission> = new Set<Permission>([
  "registry:read",
  "schema:check",
  "schema:write",
  "schema:delete",
  "config:read",
  "config:write",
  "mode:read",
  "mode:write",
  "log:read",
  "webhook:read",
  "webhook:write",
  "backup:read",
  "backup:write",
  "replication:write",
  "metrics:read",
]);

const LOCAL_ADMINISTRATOR: Actor = { tenant: "default", actor: "local", permissions: ALL_PERMISSIONS };

export function localActor(): Actor {
  return LOCAL_ADMINISTRATOR;
}
