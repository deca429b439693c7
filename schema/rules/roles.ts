/** What a schema is used for, and so who stands on its two sides. A role names sides; it never changes what a level means. */
import type { Comparison, CompatibilityLevel, Difference, Severity } from "../compatibility.ts";

export const ROLES = ["data", "tool_input", "model_output", "prompt_variables", "event"] as const;
export type Role = (typeof ROLES)[number];

/** What a model is given or gives: whoever writes such a schema shows it to a model. */
const MODEL_ROLES: readonly Role[] = ["tool_input", "model_output", "prompt_variables"];

export function isModelRole(role: Role | null): boolean {
  return role !== null && MODEL_ROLES.includes(role);
}

/**
 * The level where none is set. Whoever consumes what a model writes goes on with the schema it has while the model is given the
 * new one, so the earlier version must read what the new one writes. In every other role the new version is the reader.
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
  /** Who is broken: the side that meets a datum it does not accept. */
  affected: string;
  /** Who would have to change first. */
  caused_by: string;
};

/**
 * What a model is steered by: it writes what the descriptions, examples and defaults it is shown suggest, so a change of
 * them changes what is written although no validator notices. Data pipelines read the same change as a note.
 */
const STEERING_KIND =
  /(?:^|_)(?:DOC|DOCUMENTATION|DESCRIPTION|COMMENT|TITLE|EXAMPLES?|DEFAULT)_(?:ADDED|REMOVED|CHANGED)$/;
/** What the writer gives and the reader no longer looks at. */
const DROPPED_KIND = /^(?:PROPERTY|FIELD)_REMOVED/;

/** Differences that inform under every other role and warn under this one. None becomes breaking: a role says who is affected, never what a level means. */
const WARNS: Partial<Record<Role, RegExp>> = {
  // A model that was shown the earlier version goes on asking for what the tool now ignores.
  tool_input: new RegExp(`${STEERING_KIND.source}|${DROPPED_KIND.source}`),
  model_output: STEERING_KIND,
  // A caller goes on giving the variable and nobody tells it that the prompt is silent about it.
  prompt_variables: DROPPED_KIND,
};

/** The comparison as it weighs for a role; the custom rules have their say after that. */
export function weighForRole(comparison: Comparison, role: Role | null): Comparison {
  if (!comparison.ok || role === null || WARNS[role] === undefined) return comparison;
  return {
    ...comparison,
    differences: comparison.differences.map((difference) => {
      const severity = severityForRole(difference, role);
      return severity === difference.severity ? difference : { ...difference, severity };
    }),
  };
}

/** Whether a role weighs anything otherwise than no role does. */
export function weighsByItself(role: Role | null): boolean {
  return role !== null && WARNS[role] !== undefined;
}

function severityForRole({ kind, severity }: Difference, role: Role): Severity {
  return severity === "info" && WARNS[role]?.test(kind) ? "warning" : severity;
}

/** The differences of one comparison, already weighed, in the words of a role. */
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

/** Says the sides by their names: "the reader" becomes "the tool". */
function inRole(message: string, role: Role): string {
  if (role === "data") return message;
  const { writer, reader } = ROLE_SIDES[role];
  const swap = (text: string, from: string, to: string) =>
    text
      .replace(new RegExp(`\\bthe ${from}\\b`, "g"), to)
      .replace(new RegExp(`\\bThe ${from}\\b`, "g"), to[0]!.toUpperCase() + to.slice(1));
  return swap(swap(message, "reader", reader), "writer", writer);
}
