/** Associations: what the data of a subject stands for outside the registry. */

import type { SubjectName } from "../schema/subject-name.ts";
export const LIFECYCLES = ["STRONG", "WEAK"] as const;

export type Lifecycle = (typeof LIFECYCLES)[number];

/** What a subject's data stands for outside the registry, such as the value of a topic (Confluent contract §5.9). */
export type Resource = { name: string; namespace: string; id: string; type: string };

export type Association = {
  /** UUIDv7. */
  id: string;
  resource: Resource;
  /** `key` or `value`. */
  type: string;
  lifecycle: Lifecycle;
  /** A frozen association can only be deleted together with what it stands for. */
  frozen: boolean;
  createdAtMs: number;
  updatedAtMs: number;
};

export type SubjectAssociation = { name: SubjectName; association: Association };
