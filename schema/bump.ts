/** Which semver step a change asks for, from the differences in both directions. */
import { type CompatibilityLevel, type Difference, isCompatible, LEVEL_CHECKS } from "./compatibility.ts";
import type { Bump } from "./semver.ts";

export type BumpSuggestion = { bump: Bump; reasons: string[] };

/** Differences that change what people read and never what programs do, unless a role or a rule made more of them than information. */
const ANNOTATION_KIND =
  /(?:^|_)(?:DOC|DOCUMENTATION|DESCRIPTION|TITLE|EXAMPLES?|COMMENTS?|ID|ANNOTATION|DEPRECATED|DEFINITION)_(?:ADDED|REMOVED|CHANGED)$/;

/** More reasons than this convince nobody. */
export const MAX_REASONS = 20;

/**
 * A break in a direction that the level promises is a major; NONE promises nothing, so a break in either direction is one.
 * Anything else that programs can notice is a minor, the rest a patch.
 * `backward`: the new schema reads what the earlier one wrote; `forward`: the earlier one reads what the new one writes.
 */
export function suggestBump(
  differences: { backward: readonly Difference[]; forward: readonly Difference[] },
  level: CompatibilityLevel,
): BumpSuggestion {
  const promised = LEVEL_CHECKS[level];
  const promisesNothing = !promised.backward && !promised.forward;
  const considered = [
    ...(promised.backward || promisesNothing ? differences.backward : []),
    ...(promised.forward || promisesNothing ? differences.forward : []),
  ];
  if (!isCompatible(considered)) return { bump: "major", reasons: reasons(considered.filter(isBreaking)) };
  const noticeable = [...differences.backward, ...differences.forward].filter(
    ({ kind, severity }) => severity !== "info" || !ANNOTATION_KIND.test(kind),
  );
  if (noticeable.length > 0) return { bump: "minor", reasons: reasons(noticeable) };
  const all = reasons([...differences.backward, ...differences.forward]);
  return { bump: "patch", reasons: all.length > 0 ? all : ["Nothing that programs can notice has changed."] };
}

function isBreaking({ severity }: Difference): boolean {
  return severity === "breaking";
}

function reasons(differences: readonly Difference[]): string[] {
  const all = [...new Set(differences.map(({ message }) => message))];
  if (all.length <= MAX_REASONS) return all;
  return [...all.slice(0, MAX_REASONS - 1), `And ${all.length - MAX_REASONS + 1} more.`];
}
