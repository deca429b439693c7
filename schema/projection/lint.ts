/** Which providers take a schema, and what that costs: one verdict and its reasons for each profile. */
import type { JsonSchemaModel } from "../json/model.ts";
import type { ChangeKind, Loss } from "./changes.ts";
import { type Profile, profileId } from "./profile.ts";
import { type ProjectOptions, projectSchema } from "./project.ts";

/**
 * `ready`: taken as it stands; `lossless`: taken once projected, and nothing is lost; `lossy`: some values are checked
 * only after decoding or can no longer be given; `impossible`: there is no form for it.
 */
export const READINESS = ["ready", "lossless", "lossy", "impossible"] as const;
export type Readiness = (typeof READINESS)[number];

type LintFinding = {
  readonly pointer: string;
  readonly message: string;
  readonly kind?: ChangeKind;
  readonly loss?: Loss;
  readonly fix?: string;
};

export type LintReport = {
  readonly profile: string;
  readonly readiness: Readiness;
  readonly findings: readonly LintFinding[];
  /** More than are listed, where a bound was reached. */
  readonly findingsTotal: number;
};

/** One report for each profile, in their order. A schema that is too complex to project is impossible, with the place. */
export function lintSchema(
  model: JsonSchemaModel,
  profiles: readonly Profile[],
  options: ProjectOptions = {},
): LintReport[] {
  return profiles.map((profile) => {
    const projected = projectSchema(model, profile, options);
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
  });
}

/** The shortest answer to "where can I use it?": one word for each profile. */
export function portabilityOf(reports: readonly LintReport[]): Record<string, Readiness> {
  return Object.fromEntries(reports.map(({ profile, readiness }) => [profile, readiness]));
}
