/** Associations: what the data of a subject stands for outside the registry. */
import type { SubjectName } from "../schema/subject-name.ts";

export const LIFECYCLES = ["STRONG", "WEAK"] as const;

/** STRONG: the subject belongs to the resource alone. WEAK: the resource uses a subject that others may use too. */
export type Lifecycle = (typeof LIFECYCLES)[number];

/** What a subject's data stands for outside the registry, such as the value of a topic (docs/confluent-compatibility.md). */
export type Resource = { name: string; namespace: string; id: string; type: string };

/** The subject that a resource's frozen associations use and its WEAK ones may not: `:.<namespace>:<name>-<type>`. */
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
  /** Never changed, and deleted only together with its subject. */
  frozen: boolean;
  createdAtMs: number;
  updatedAtMs: number;
};

export type SubjectAssociation = { name: SubjectName; association: Association };

/** Which associations are meant; what is undefined or empty is every one. */
export type AssociationFilter = {
  resourceType?: string | undefined;
  types?: readonly string[];
  /** NONE, in a list of schemas, means those whose subject has no association that the rest of the filter admits. */
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
