/** Suggests the semver step of a change from the differences in both directions. */
import { type CompatibilityLevel, type Difference, isCompatible, LEVEL_CHECKS } from "./compatibility.ts";
import { differencesForRole, type Role } from "./rules/roles.ts";
import type { Bump } from "./semver.ts";

type BumpSuggestion<Step = Bump> = { bump: Step; reasons: string[] };

/** The suggestion for an unchanged schema. */
export const NO_CHANGE = { bump: "none", reasons: ["Nothing has changed."] } as const;

type Differences = { backward: readonly Difference[]; forward: readonly Difference[] };

/** Differences that affect humans but not programs, unless a role or rule raised their severity. */
const ANNOTATION_KIND =
  /(?:^|_)(?:DOC|DOCUMENTATION|DESCRIPTION|TITLE|EXAMPLES?|COMMENTS?|ID|ANNOTATION|DEPRECATED|DEFINITION)_(?:ADDED|REMOVED|CHANGED)$/;

/** Further reasons add nothing. */
export const MAX_REASONS = 20;

/**
 * A break in a direction that the level guarantees is a major; NONE guarantees nothing, so any break is one. Other
 * changes that programs can observe are minor, the rest a patch. `backward`: the new schema reads what the earlier one
 * wrote; `forward`: the reverse.
 */
export function suggestBump(
  differences: Differences,
  level: CompatibilityLevel,
  role: Role | null = null,
): BumpSuggestion {
  const promised = LEVEL_CHECKS[level];
  const promisesNothing = !promised.backward && !promised.forward;
  const considered = {
    backward: promised.backward || promisesNothing ? differences.backward : [],
    forward: promised.forward || promisesNothing ? differences.forward : [],
  };
  if (!isCompatible([...considered.backward, ...considered.forward])) {
    return { bump: "major", reasons: listReasons(considered, isBreaking, role) };
  }
  const noticeable = listReasons(differences, isNoticeable, role);
  if (noticeable.length > 0) return { bump: "minor", reasons: noticeable };
  const all = listReasons(differences, () => true, role);
  return { bump: "patch", reasons: all.length > 0 ? all : ["Nothing observable to programs has changed."] };
}

function isBreaking({ severity }: Difference): boolean {
  return severity === "breaking";
}

function isNoticeable({ kind, severity }: Difference): boolean {
  if (severity === "behaviour") return false;
  return severity !== "info" || !ANNOTATION_KIND.test(kind);
}

/** Deduplicates messages and phrases them for the role, with their direction, because a change reads differently from either side. */
function listReasons(
  differences: Differences,
  isReason: (difference: Difference) => boolean,
  role: Role | null,
): string[] {
  const reasonsOf = (direction: keyof Differences, name: string) => {
    const reasons = differences[direction].filter(isReason);
    const worded = role === null ? reasons : differencesForRole(reasons, role);
    return worded.map(({ message }) => `${name}: ${message}`);
  };
  const all = [...new Set([...reasonsOf("backward", "Backward"), ...reasonsOf("forward", "Forward")])];
  if (all.length <= MAX_REASONS) return all;
  return [...all.slice(0, MAX_REASONS - 1), `And ${all.length - MAX_REASONS + 1} more.`];
}
