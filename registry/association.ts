/** Associations between subjects and resources outside the registry (docs/confluent-compatibility.md). */
import type { SubjectName } from "../schema/subject-name.ts";

export const LIFECYCLES = ["STRONG", "WEAK"] as const;

/** STRONG: the subject belongs to one resource. WEAK: several resources may share it. */
export type Lifecycle = (typeof LIFECYCLES)[number];

/** Something outside the registry whose data has schemas, such as a topic. */
export type Resource = { name: string; namespace: string; id: string; type: string };

/** A resource by id, or all with a namespace and name, null being any. */
export type ResourceSelector =
  | { resourceId: string }
  | { resourceNamespace: string | null; resourceName: string | null };

/** `:.<namespace>:<name>-<type>`: required for frozen associations, forbidden for WEAK ones. */
export function defaultSubject({ name, namespace }: Resource, type: string): SubjectName {
  return { context: `.${namespace}`, subject: `${name}-${type}` };
}

export type Association = {
  /** UUIDv7. */
  id: string;
  resource: Resource;
  /** `key` or `value`. */
  type: string;
  lifecycle: Lifecycle;
  /** Immutable, and deleted only together with its subject. */
  frozen: boolean;
  createdAtMs: number;
  updatedAtMs: number;
};

export type SubjectAssociation = { name: SubjectName; association: Association };

/** Selects associations; an undefined or empty member selects all. */
export type AssociationFilter = {
  resourceType?: string | undefined;
  types?: readonly string[];
  /** When listing schemas, NONE selects those whose subject has no association that matches the rest of the filter. */
  lifecycles?: readonly (Lifecycle | "NONE")[];
};

export function isAdmitted(
  { resource, type, lifecycle }: Association,
  { resourceType, types = [], lifecycles = [] }: AssociationFilter,
): boolean {
  return (
    (resourceType === undefined || resource.type === resourceType) &&
    (types.length === 0 || types.includes(type)) &&
    (lifecycles.length === 0 || lifecycles.includes(lifecycle))
  );
}
