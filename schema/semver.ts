/** Semantic Versioning 2.0.0 semvers and ranges. Parsing and ranges are the `semver` library's; what is ours is which semver comes next. */
import { compare, inc, parse, satisfies, validRange } from "semver";

/** Longer than any real semver, shorter than anything that hurts an index. */
export const MAX_SEMVER_CHARACTERS = 128;
export const FIRST_SEMVER = "1.0.0";

export type Bump = "major" | "minor" | "patch";

/** The semver as semver prints it, build metadata kept; undefined where the text is no semver. */
export function parseSemver(text: string): string | undefined {
  if (text.length > MAX_SEMVER_CHARACTERS) return undefined;
  const semver = parse(text);
  if (!semver || text.startsWith("v")) return undefined;
  return semver.build.length > 0 ? `${semver.version}+${semver.build.join(".")}` : semver.version;
}

/** Whether a selector is a range rather than one semver: it has an operator, an x, or fewer than three parts. */
export function isRange(text: string): boolean {
  return (
    text.length <= MAX_SEMVER_CHARACTERS && parse(text) === null && validRange(text) !== null && text.trim() !== ""
  );
}

export function satisfiesRange(semver: string, range: string): boolean {
  return satisfies(semver, range);
}

/** Order by precedence; build metadata does not count. */
export function compareSemvers(a: string, b: string): number {
  return compare(a, b);
}

/** The one of higher precedence; the first where they are equal. Null is lower than any. */
export function higherSemver(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return compareSemvers(a, b) >= 0 ? a : b;
}

/**
 * The semver after `previous` for a change of a size; in 0.y.z a break is a minor and everything else a patch. A pre-release
 * is followed by one: leaving it is somebody's decision. Undefined where the numbers of semvers are used up.
 */
export function nextSemver(previous: string, bump: Bump): string | undefined {
  const current = parse(previous);
  const release = leastRelease(previous, bump);
  if (!current || release === undefined || current.prerelease.length === 0) return release;
  if (release === coreOf(current)) return inc(previous, "prerelease") ?? undefined;
  const restarted = current.prerelease.map((part, index) =>
    typeof part === "number" && index === current.prerelease.length - 1 ? 1 : part,
  );
  return `${release}-${restarted.join(".")}`;
}

/** The lowest release that is large enough a step from `previous`. What a pre-release has announced it may still change: 2.0.0 follows 2.0.0-rc.1 after a break. */
export function leastRelease(previous: string, bump: Bump): string | undefined {
  const current = parse(previous);
  if (!current) return FIRST_SEMVER;
  const next = inc(previous, current.major === 0 ? (bump === "major" ? "minor" : "patch") : bump);
  return next !== null && parse(next) !== null ? next : undefined;
}

/** Whether a semver is large enough a step from `previous`; a pre-release counts as what it announces. */
export function isStepEnough(semver: string, previous: string, bump: Bump): boolean {
  const given = parse(semver);
  const least = leastRelease(previous, bump);
  return given !== null && least !== undefined && compare(coreOf(given), least) >= 0;
}

function coreOf({ major, minor, patch }: { major: number; minor: number; patch: number }): string {
  return `${major}.${minor}.${patch}`;
}

/** The size of step from one semver to a later one; a step up from a pre-release of the same core counts as a patch. */
export function bumpBetween(previous: string, next: string): Bump {
  const from = parse(previous);
  const to = parse(next);
  if (!from || !to) return "major";
  if (to.major !== from.major) return "major";
  if (to.minor !== from.minor) return from.major === 0 ? "major" : "minor";
  return from.major === 0 ? "minor" : "patch";
}
