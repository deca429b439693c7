/** Roles: what a schema is used for, which gives its two sides names. A role never changes the meaning of a level. */

import type { Comparison, CompatibilityLevel, Difference, Severity } from "../compatibility.ts";
import { ok } from "../result.ts";

export const ROLES = ["data", "tool_input", "model_output", "prompt_variables", "event"] as const;
export type Role = (typeof ROLES)[number];

/** Roles whose schema is shown to a model, because the model receives or produces the data. */
const MODEL_ROLES: readonly Role[] = ["tool_input", "model_output", "prompt_variables"];

export function isModelRole(role: Role | null): boolean {
  return role !== null && MODEL_ROLES.includes(role);
}

/**
 * The default level. A consumer of model output keeps its schema while the model already gets the new one, so the earlier
 * version must read what the new one writes. In all other roles the new version is the reader.
 */
export function defaultLevelFor(role: Role | null, fallback: CompatibilityLevel): CompatibilityLevel {
  return role === "model_output" && fallback === "BACKWARD" ? "FORWARD" : fallback;
}

export const ROLE_SIDES: Readonly<Record<Role, { writer: string; reader: string }>> = {
  data: { writer: "the writer", reader: "the reader" },
  tool_input: { writer: "the model", reader: "the tool" },
  model_output: { writer: "the model", reader: "the application" },
  prompt_variables: { writer: "the caller", reader: "the prompt template" },
  event: { writer: "the producer", reader: "the consumer" },
};

type RoleDifference = Difference & {
  /** The side that receives a datum it does not accept. */
  affected: string;
  /** The side that would have to change first. */
  caused_by: string;
};

/**
 * What steers a model: it follows the descriptions, examples and defaults it sees, so changing them changes its output,
 * though no validator notices. Data pipelines treat the same change as a note.
 */
export const STEERING_KIND =
  /(?:^|_)(?:DOC|DOCUMENTATION|DESCRIPTION|COMMENT|TITLE|EXAMPLES?|DEFAULT)_(?:ADDED|REMOVED|CHANGED)$/;
/** Members the writer sends and the reader no longer uses. */
export const DROPPED_KIND = /^(?:PROPERTY|FIELD)_REMOVED/;

/**
 * Differences that are informational under other roles and warnings under this one. They never become breaking: a role says
 * who is affected, not what a level means.
 */
const WARNS: Partial<Record<Role, RegExp>> = {
  // A model that was shown the earlier version keeps sending what the tool now ignores.
  tool_input: new RegExp(`${STEERING_KIND.source}|${DROPPED_KIND.source}`),
  model_output: STEERING_KIND,
  // A caller keeps passing a variable that the prompt silently ignores.
  prompt_variables: DROPPED_KIND,
};

/** The comparison with severities adjusted for a role; custom rules are applied afterwards. */
export function weighForRole(comparison: Comparison, role: Role | null): Comparison {
  if (!comparison.ok || role === null || WARNS[role] === undefined) return comparison;
  const differences = comparison.value.differences.map((difference) => {
    const severity = severityForRole(difference, role);
    return severity === difference.severity ? difference : { ...difference, severity };
  });
  return ok({ ...comparison.value, differences });
}

/** Whether a role changes any severity. */
export function weighsByItself(role: Role | null): boolean {
  return role !== null && WARNS[role] !== undefined;
}

function severityForRole({ kind, severity }: Difference, role: Role): Severity {
  return severity === "info" && WARNS[role]?.test(kind) ? "warning" : severity;
}

/** The differences of a comparison with a role's severities, phrased for the role. */
export function differencesForRole(differences: readonly Difference[], role: Role): RoleDifference[] {
  const { writer, reader } = ROLE_SIDES[role];
  return differences.map((difference) => ({
    ...difference,
    message: inRole(difference.message, role),
    ...(difference.fix === undefined ? {} : { fix: inRole(difference.fix, role) }),
    affected: reader.replace(/^the /, ""),
    caused_by: writer.replace(/^the /, ""),
  }));
}

/** Names the sides: "the reader" becomes "the tool". */
function inRole(message: string, role: Role): string {
  return role === "data" ? message : nameSides(message, ROLE_SIDES[role]);
}

/** The message with `the reader` and `the writer` called by other names. */
export function nameSides(message: string, { writer, reader }: { writer: string; reader: string }): string {
  const swap = (text: string, from: string, to: string) =>
    text
      .replace(new RegExp(`\\bthe ${from}\\b`, "g"), to)
      .replace(new RegExp(`\\bThe ${from}\\b`, "g"), to[0]!.toUpperCase() + to.slice(1));
  return swap(swap(message, "reader", reader), "writer", writer);
}
