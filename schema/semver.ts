/** Semantic Versioning 2.0.0 labels and ranges. Parsing and ranges are the `semver` library's; what is ours is which label comes next. */
import { compare, inc, parse, satisfies, validRange } from "semver";

/** Longer than any real label, shorter than anything that hurts an index. */
export const MAX_LABEL_CHARACTERS = 128;
export const FIRST_LABEL = "1.0.0";

export type Bump = "major" | "minor" | "patch";

/** The label as semver prints it, build metadata kept; undefined where the text is no label. */
export function parseLabel(text: string): string | undefined {
  if (text.length > MAX_LABEL_CHARACTERS) return undefined;
  const label = parse(text);
  if (!label || text.startsWith("v")) return undefined;
  return label.build.length > 0 ? `${label.version}+${label.build.join(".")}` : label.version;
}

/** Whether a selector is a range rather than one label: it has an operator, an x, or fewer than three parts. */
export function isRange(text: string): boolean {
  return text.length <= MAX_LABEL_CHARACTERS && parse(text) === null && validRange(text) !== null && text.trim() !== "";
}

export function satisfiesRange(label: string, range: string): boolean {
  return satisfies(label, range);
}

/** Order by precedence; build metadata does not count. */
export function compareLabels(a: string, b: string): number {
  return compare(a, b);
}

/** The label after `previous` for a change of a size; in 0.y.z a break is a minor and everything else a patch. */
export function nextLabel(previous: string, bump: Bump): string {
  const current = parse(previous);
  if (!current) return FIRST_LABEL;
  const step: Bump = current.major === 0 ? (bump === "major" ? "minor" : "patch") : bump;
  const base = `${current.major}.${current.minor}.${current.patch}`;
  return inc(base, step) ?? FIRST_LABEL;
}

/** The size of step from one label to a later one; a step up from a pre-release of the same core counts as a patch. */
export function bumpBetween(previous: string, next: string): Bump {
  const from = parse(previous);
  const to = parse(next);
  if (!from || !to) return "major";
  if (to.major !== from.major) return "major";
  if (to.minor !== from.minor) return from.major === 0 ? "major" : "minor";
  return from.major === 0 ? "minor" : "patch";
}
