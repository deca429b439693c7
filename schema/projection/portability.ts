/** The stored summary of a lint, and how the summaries of one schema differ after the profiles have changed. */
import type { LintReport, Readiness } from "./lint.ts";

/** By the profile's id, `name@date`. */
export type Portability = Readonly<Record<string, Readiness>>;

/** A verdict of the newest profile of a name that differs from the previous newest profile's. */
export type PortabilityChange = {
  readonly profile: string;
  readonly readiness: Readiness;
  readonly previousProfile: string;
  readonly previousReadiness: Readiness;
};

export function summarisePortability(reports: readonly LintReport[]): Portability {
  return Object.fromEntries(reports.map(({ profile, readiness }) => [profile, readiness]));
}

/** A profile whose name only one of the summaries has is not a change: there is nothing to compare it with. */
export function comparePortability(before: Portability, after: Portability): PortabilityChange[] {
  const previous = newestByName(before);
  return [...newestByName(after)].flatMap(([name, profile]) => {
    const previousProfile = previous.get(name);
    if (previousProfile === undefined || before[previousProfile] === after[profile]) return [];
    const [readiness, previousReadiness] = [after[profile]!, before[previousProfile]!];
    return [{ profile, readiness, previousProfile, previousReadiness }];
  });
}

function newestByName(portability: Portability): Map<string, string> {
  const newest = new Map<string, string>();
  for (const id of Object.keys(portability)) {
    const name = id.slice(0, id.indexOf("@"));
    const known = newest.get(name);
    // Dates of one name have one length each, or the day as an extension, so their texts sort by time.
    if (known === undefined || id > known) newest.set(name, id);
  }
  return newest;
}
