/** What a schema is used for, and so who stands on its two sides. A role names sides; it never changes what a level means. */
import type { Difference, Severity } from "./compatibility";

export const ROLES = ["data", "tool_input", "model_output", "prompt_variables", "event"] as const;
export type Role = (typeof ROLES)[number];

type Side = {
  name: string /** Whether whoever runs this registry deploys it, and so can change it together with the schema. */;
  ours: boolean;
};

export const ROLE_SIDES: Readonly<Record<Role, { writer: Side; reader: Side }>> = {
  data: { writer: { name: "the writer", ours: true }, reader: { name: "the reader", ours: true } },
  tool_input: { writer: { name: "the model", ours: false }, reader: { name: "the tool", ours: true } },
  model_output: { writer: { name: "the model", ours: false }, reader: { name: "the application", ours: true } },
  prompt_variables: {
    writer: { name: "the caller", ours: false },
    reader: { name: "the prompt template", ours: true },
  },
  event: { writer: { name: "the producer", ours: false }, reader: { name: "the consumer", ours: false } },
};

export type RoleDifference = Difference & {
  /** Who is broken: the side that meets a datum it does not accept. */
  affected: string;
  /** Who would have to change first. */
  caused_by: string;
};

/**
 * Kinds whose datum a model or a caller cannot be kept from sending, or that only people would notice, weigh differently
 * by role: a model follows the description it is shown, so for the sides that models write a changed description or
 * default is a warning, where data pipelines read it as information.
 */
const STEERING_KIND = /(?:^|_)(?:DOC|DOCUMENTATION|DESCRIPTION|TITLE|EXAMPLES?|DEFAULT)_(?:ADDED|REMOVED|CHANGED)$/;

/** The differences of one comparison in the words of a role. */
export function differencesForRole(differences: readonly Difference[], role: Role): RoleDifference[] {
  const { writer, reader } = ROLE_SIDES[role];
  return differences.map((difference) => ({
    ...difference,
    severity: severityForRole(difference, role),
    message: inRole(difference.message, role),
    ...(difference.fix === undefined ? {} : { fix: inRole(difference.fix, role) }),
    affected: reader.name.replace(/^the /, ""),
    caused_by: writer.name.replace(/^the /, ""),
  }));
}

function severityForRole({ kind, severity }: Difference, role: Role): Severity {
  const modelWrites = role === "tool_input" || role === "model_output";
  return modelWrites && severity === "info" && STEERING_KIND.test(kind) ? "warning" : severity;
}

/** Says the sides by their names: "the reader" becomes "the tool". */
function inRole(message: string, role: Role): string {
  if (role === "data") return message;
  const { writer, reader } = ROLE_SIDES[role];
  const swap = (text: string, from: string, to: string) =>
    text
      .replace(new RegExp(`\\bthe ${from}\\b`, "g"), to)
      .replace(new RegExp(`\\bThe ${from}\\b`, "g"), to[0]!.toUpperCase() + to.slice(1));
  return swap(swap(message, "reader", reader.name), "writer", writer.name);
}
