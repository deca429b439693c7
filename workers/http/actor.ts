/** The actor of requests without credentials: the single administrator of the single tenant. */
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
