/** Whether every string that some patterns match is matched by another. */

/** Patterns that match every string. */
const MATCHES_ALL = new Set(["", ".*", "^", "$", "^.*", ".*$", "^[\\s\\S]*$", "(.*)", "^(.*)"]);

/** True only where it is certain. */
export function includesPattern(_patterns: readonly string[], wider: string): boolean {
  return MATCHES_ALL.has(wider);
}
