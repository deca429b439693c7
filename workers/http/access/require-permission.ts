/** Whether a caller may use a route at all; restrictions to some subjects are checked where the subjects are known. */
import { makeRefusal } from "../../../contract/errors.ts";
import { isAboutSubjects } from "../../../registry/permission.ts";
import type { Actor, Edge, RoutePermission } from "../../edge.ts";
import { RegistryError } from "../errors.ts";

/** Throws the refusal of a caller without the permission. */
export function requirePermission(
  edge: Pick<Edge, "access">,
  actor: Actor,
  { method, permission }: { method: string; permission: RoutePermission },
): void {
  if (permission === "public" || permission === "authenticated") return;
  if (!actor.permissions.has(permission)) {
    throw new RegistryError(
      makeRefusal("FORBIDDEN", [], `This credential does not carry the permission "${permission}".`),
    );
  }
  if (actor.needsSecondFactor !== undefined && permission.startsWith("admin:") && method !== "GET") {
    throw new RegistryError(makeRefusal("FORBIDDEN", [actor.needsSecondFactor], actor.needsSecondFactor));
  }
  if (!actor.narrowed?.has(permission) || isAboutSubjects(permission)) return;
  if (edge.access!.allowsTenant(permission)) return;
  const detail = `This credential carries "${permission}" only while the condition of its grant holds, which it does not for this request.`;
  throw new RegistryError(makeRefusal("FORBIDDEN", [detail], detail));
}
