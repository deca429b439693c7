/** Semantic Versioning 2.0.0. The `semver` library parses versions and ranges; choosing the next version is ours. */
import { compare, inc, parse, satisfies, validRange } from "semver";

/** Longer than any real semver, short enough for an index. */
export const MAX_SEMVER_CHARACTERS = 128;
export const FIRST_SEMVER = "1.0.0";

export type Bump = "major" | "minor" | "patch";

/** The normalised semver including build metadata; undefined if the text is not a semver. */
export function parseSemver(text: string): string | undefined {
  if (text.length > MAX_SEMVER_CHARACTERS) return undefined;
  const semver = parse(text);
  if (!semver || text.startsWith("v")) return undefined;
  return semver.build.length > 0 ? `${semver.version}+${semver.build.join(".")}` : semver.version;
}

/** Whether a selector is a range: it has an operator, an x, or fewer than three parts. */
export function isRange(text: string): boolean {
  return (
    text.length <= MAX_SEMVER_CHARACTERS && parse(text) === null && validRange(text) !== null && text.trim() !== ""
  );
}

export function satisfiesRange(semver: string, range: string): boolean {
  return satisfies(semver, range);
}

/** Compares by precedence, ignoring build metadata. */
export function compareSemvers(a: string, b: string): number {
  return compare(a, b);
}

/** The semver of higher precedence, or the first if equal. Null is lowest. */
export function higherSemver(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return compareSemvers(a, b) >= 0 ? a : b;
}

/**
 * The semver after `previous` for a step. In 0.y.z a break is a minor and everything else a patch. A pre-release is followed
 * by a pre-release, because releasing is a human decision. Undefined if a number would overflow.
 */
export function nextSemver(previous: string, bump: Bump): string | undefined {
  const current = parse(previous);
  const release = leastRelease(previous, bump);
  if (!current || release === undefined || current.prerelease.length === 0) return release;
  if (release === readCore(current)) return inc(previous, "prerelease") ?? undefined;
  const restarted = current.prerelease.map((part, index) =>
    typeof part === "number" && index === current.prerelease.length - 1 ? 1 : part,
  );
  return `${release}-${restarted.join(".")}`;
}

/**
 * The lowest release that is a large enough step from `previous`. A pre-release may still change what it announces: 2.0.0
 * follows 2.0.0-rc.1 even after a break.
 */
export function leastRelease(previous: string, bump: Bump): string | undefined {
  const current = parse(previous);
  if (!current) return FIRST_SEMVER;
  const next = inc(previous, current.major === 0 ? (bump === "major" ? "minor" : "patch") : bump);
  return next !== null && parse(next) !== null ? next : undefined;
}

/** Whether a semver is a large enough step from `previous`; a pre-release counts as the release it announces. */
export function isStepEnough(semver: string, previous: string, bump: Bump): boolean {
  const given = parse(semver);
  const least = leastRelease(previous, bump);
  return given !== null && least !== undefined && compare(readCore(given), least) >= 0;
}

function readCore({ major, minor, patch }: { major: number; minor: number; patch: number }): string {
  return `${major}.${minor}.${patch}`;
}

/** The step between two semvers; leaving a pre-release of the same core counts as a patch. */
export function bumpBetween(previous: string, next: string): Bump {
  const from = parse(previous);
  const to = parse(next);
  if (!from || !to) return "major";
  if (to.major !== from.major) return "major";
  if (to.minor !== from.minor) return from.major === 0 ? "major" : "minor";
  return from.major === 0 ? "minor" : "patch";
}
