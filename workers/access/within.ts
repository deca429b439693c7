/** Whether a grant stays within its grantor's permissions. */
import type { Grant } from "../../registry/grant.ts";
import { isTenantWide } from "../../registry/grant.ts";
import { isAboutSubjects, type Permission } from "../../registry/permission.ts";
import type { Actor } from "../edge.ts";

/** A permission of the grant that the actor does not hold there; undefined if there is none. */
export function exceeds(actor: Actor, grant: Grant, permissions: readonly Permission[]): Permission | undefined {
  return permissions
    .filter((permission) => isAboutSubjects(permission) || isTenantWide(grant))
    .find((permission) => {
      if (!actor.permissions.has(permission)) return true;
      const held = actor.narrowed?.get(permission);
      return held !== undefined && !held.some((narrow) => isWithin(grant, narrow.grant));
    });
}

function isWithin(inner: Grant, outer: Grant): boolean {
  if (outer.context !== null && inner.context !== outer.context) return false;
  if (outer.condition !== null && inner.condition !== outer.condition) return false;
  if (outer.states !== null && !inner.states?.every((state) => outer.states!.includes(state))) return false;
  return isSubjectWithin(inner.subject, outer.subject);
}

function isSubjectWithin(inner: Grant["subject"], outer: Grant["subject"]): boolean {
  if (outer === null) return true;
  if (inner === null) return false;
  if ("exact" in outer) return "exact" in inner && inner.exact === outer.exact;
  return ("exact" in inner ? inner.exact : inner.prefix).startsWith(outer.prefix);
}
