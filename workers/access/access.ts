/** Decides from a caller's grants what it may do and where, without any query. */
import type { ResolvedGrant } from "../../registry/grant.ts";
import { isTenantWide } from "../../registry/grant.ts";
import { isAboutSubjects, isChange, PERMISSIONS, type Permission } from "../../registry/permission.ts";
import type { SchemaRecord } from "../../registry/record.ts";
import type { CelProgram } from "../../schema/rules/cel.ts";
import type { SubjectName } from "../../schema/subject-name.ts";
import { type AccessTarget, compileCondition, holds, type RequestAttributes } from "./conditions.ts";

/** A grant with its compiled condition. `condition` undefined: unconditional. */
type NarrowGrant = { grant: ResolvedGrant; condition: CelProgram | undefined };

/** The permissions that are restricted to some places or times, with the grants that give them. */
export type Narrowed = ReadonlyMap<Permission, readonly NarrowGrant[]>;

type Held = { permissions: ReadonlySet<Permission>; narrowed: Narrowed | undefined };

/** Permissions of all grants together, capped by `scopes`. */
export function combineGrants(grants: readonly ResolvedGrant[], scopes: readonly Permission[] | null): Held {
  const permissions = new Set<Permission>();
  const narrowed = new Map<Permission, NarrowGrant[]>();
  const compiled = grants.flatMap(compileGrant);
  for (const permission of PERMISSIONS) {
    if (scopes !== null && !scopes.includes(permission)) continue;
    const giving = compiled.filter(
      ({ grant }) => grant.permissions.includes(permission) && (isAboutSubjects(permission) || isTenantWide(grant)),
    );
    if (giving.length === 0) continue;
    permissions.add(permission);
    const isEverywhere = giving.some(({ grant, condition }) => condition === undefined && isTenantWide(grant));
    if (!isEverywhere) narrowed.set(permission, giving);
  }
  return { permissions, narrowed: narrowed.size === 0 ? undefined : narrowed };
}

/** A grant whose condition this build cannot compile gives nothing. */
function compileGrant(grant: ResolvedGrant): NarrowGrant[] {
  if (grant.condition === null) return [{ grant, condition: undefined }];
  const compiled = compileCondition(grant.condition);
  return compiled.ok ? [{ grant, condition: compiled.value }] : [];
}

/** The restricted permissions of one request's caller. A caller without any has no `Access`, and no check is made. */
export class Access {
  readonly narrowed: Narrowed;
  /** Whether something was treated as absent because the caller may not know of it. */
  hasWithheld = false;
  readonly #permissions: ReadonlySet<Permission>;
  readonly #attributes: RequestAttributes;

  constructor(
    { permissions, narrowed }: { permissions: ReadonlySet<Permission>; narrowed: Narrowed },
    of: RequestAttributes,
  ) {
    this.#permissions = permissions;
    this.narrowed = narrowed;
    this.#attributes = of;
  }

  /** Whether the permission is held for a subject, or for a version of it. */
  allows(permission: Permission, target: AccessTarget): boolean {
    return this.#isHeld(permission, (grant) => covers(grant, permission, target), target);
  }

  /** Whether it is held for every version of the subject, so that none needs to be asked about. */
  coversSubject(permission: Permission, name: SubjectName): boolean {
    const isEverywhereIn = ({ condition, grant }: NarrowGrant) =>
      condition === undefined && grant.states === null && covers(grant, permission, name);
    return this.#permissions.has(permission) && (this.narrowed.get(permission)?.some(isEverywhereIn) ?? true);
  }

  /** Whether it is held for something in the context. */
  allowsIn(permission: Permission, context: string): boolean {
    return this.#isHeld(permission, (grant) => grant.context === null || grant.context === context, undefined);
  }

  /** Whether it is held for the tenant itself, at this time and from this address. */
  allowsTenant(permission: Permission): boolean {
    return this.#isHeld(permission, isTenantWide, undefined);
  }

  /** Whether the permission is held for the whole tenant, without conditions. */
  coversTenant(permission: Permission): boolean {
    return this.#permissions.has(permission) && !this.narrowed.has(permission);
  }

  /** Whether it is held for every version of every subject of the context, so that none needs to be asked about. */
  coversContext(permission: Permission, context: string): boolean {
    if (!this.#permissions.has(permission)) return false;
    const grants = this.narrowed.get(permission);
    return (
      grants === undefined ||
      grants.some(
        ({ grant, condition }) =>
          condition === undefined &&
          grant.subject === null &&
          grant.states === null &&
          (grant.context === null || grant.context === context),
      )
    );
  }

  /**
   * The parts of the tenant in which the permission may be held. A condition on the schema is decided per record, so
   * this may be wider.
   */
  scopes(permission: Permission): ResolvedGrant[] | undefined {
    return this.narrowed
      .get(permission)
      ?.filter(({ condition }) => condition === undefined || holds(condition, this.#attributes, undefined))
      .map(({ grant }) => grant);
  }

  mayRead(record: SchemaRecord): boolean {
    return this.#noting(this.allows("schema:read", toAccessTarget(record)));
  }

  /** Whether the caller may know that a subject exists. */
  mayKnow(name: SubjectName): boolean {
    return this.#noting(this.allows("subject:read", name) || this.allows("schema:read", name));
  }

  #noting(isShown: boolean): boolean {
    if (!isShown) this.hasWithheld = true;
    return isShown;
  }

  #isHeld(
    permission: Permission,
    isGiven: (grant: ResolvedGrant) => boolean,
    target: AccessTarget | undefined,
  ): boolean {
    if (!this.#permissions.has(permission)) return false;
    const grants = this.narrowed.get(permission);
    return (
      grants === undefined ||
      grants.some(
        ({ grant, condition }) =>
          isGiven(grant) && (condition === undefined || holds(condition, this.#attributes, target)),
      )
    );
  }
}

export function toAccessTarget({ context, subject, state, attributes }: SchemaRecord): AccessTarget {
  return { context, subject, state, tags: attributes.tags };
}

/**
 * Without a version, lifecycle states restrict changes only: a grant for some states does not extend to what belongs to
 * the subject as a whole, but its holder may know of the subject.
 */
function covers({ context, subject, states }: ResolvedGrant, permission: Permission, target: AccessTarget): boolean {
  if (context !== null && context !== target.context) return false;
  if (states !== null && !(target.state === undefined ? !isChange(permission) : states.includes(target.state))) {
    return false;
  }
  if (subject === null) return true;
  return "exact" in subject ? target.subject === subject.exact : target.subject.startsWith(subject.prefix);
}
