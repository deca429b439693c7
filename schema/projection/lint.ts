/** Which providers accept a schema, and what the projection loses: one verdict with reasons per profile. */
import type { JsonSchemaModel } from "../json/model.ts";
import type { Result } from "../result.ts";
import { runAtOnce, type Sliced } from "../slices.ts";
import type { ProjectionChangeKind, ProjectionLoss } from "./changes.ts";
import { type Profile, profileId } from "./profile.ts";
import { type Projection, type ProjectionRefusal, type ProjectOptions, projectInSlices } from "./project.ts";

/**
 * `ready`: accepted unmodified; `lossless`: accepted after projection, without loss; `lossy`: some values are only
 * checked after decoding or can no longer be returned; `impossible`: it cannot be expressed.
 */
export const READINESS = ["ready", "lossless", "lossy", "impossible"] as const;
export type Readiness = (typeof READINESS)[number];

type LintFinding = {
  readonly pointer: string;
  readonly message: string;
  readonly kind?: ProjectionChangeKind;
  readonly loss?: ProjectionLoss;
  readonly fix?: string;
};

export type LintReport = {
  readonly profile: string;
  readonly readiness: Readiness;
  readonly findings: readonly LintFinding[];
  /** The total number, if not all are listed. */
  readonly findingsTotal: number;
};

/**
 * One report per profile, in their order. A schema that is too complex to project is impossible, with the location.
 */
export function lintSchema(
  model: JsonSchemaModel,
  profiles: readonly Profile[],
  options: ProjectOptions = {},
): LintReport[] {
  return runAtOnce(lintInSlices(model, profiles, options));
}

/** `lintSchema` in slices, for callers that yield in between. */
export function* lintInSlices(
  model: JsonSchemaModel,
  profiles: readonly Profile[],
  options: ProjectOptions = {},
): Sliced<LintReport[]> {
  const reports: LintReport[] = [];
  for (const profile of profiles) reports.push(reportOf(profile, yield* projectInSlices(model, profile, options)));
  return reports;
}

function reportOf(profile: Profile, projected: Result<Projection, ProjectionRefusal>): LintReport {
  if (!projected.ok) {
    const { problems } = projected.refusal;
    return {
      profile: profileId(profile),
      readiness: "impossible",
      findings: problems,
      findingsTotal: problems.length,
    };
  }
  const { loss, changes, changesTotal } = projected.value;
  const readiness = loss === null ? "ready" : loss === "lossless" ? "lossless" : "lossy";
  return { profile: profileId(profile), readiness, findings: changes, findingsTotal: changesTotal };
}
