/** Who acts where no credential is asked for: the one administrator of the one tenant. */
import { DEFAULT_TENANT, PERMISSIONS, type Permission } from "../../registry/permission.ts";
import type { Actor } from "../edge.ts";

const LOCAL_ADMINISTRATOR: Actor = {
  tenant: DEFAULT_TENANT,
  actor: "local",
  permissions: new Set<Permission>(PERMISSIONS),
};

export function localActor(): Actor {
  return LOCAL_ADMINISTRATOR;
}
