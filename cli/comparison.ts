/** Compares two schemas in both directions, as the registry does, and says which version bump the change needs. */
import { NO_CHANGE, suggestBump } from "../schema/bump.ts";
import {
  COMPATIBILITY_LEVELS,
  type CompatibilityLevel,
  isCompatible,
  LEVEL_CHECKS,
  POLICIES,
  type Policy,
  WRITER_ASSUMPTIONS,
  type WriterAssumption,
} from "../schema/compatibility.ts";
import { judgeParsed } from "../schema/facts.ts";
import { formatNamed } from "../schema/formats.ts";
import { defaultLevelFor, differencesForRole, ROLES, type Role } from "../schema/rules/roles.ts";
import { applyOverrides, type RuleBook, type RuledDifference } from "../schema/rules/rule-book.ts";
import { DEFAULT_WITNESS_ATTEMPTS, type Witness } from "../schema/witness.ts";
import type { Schema } from "./input/parse-schema.ts";
import { readRuleFile } from "./input/read-rules.ts";
import { UsageError } from "./usage-error.ts";

export type ComparisonOptions = {
  level: CompatibilityLevel;
  policy: Policy;
  writers: WriterAssumption;
  role: Role;
  book: RuleBook;
  seed: number;
  witness: boolean;
};

export type ComparedDifference = RuledDifference & { witness?: Witness };

export type ComparedDirection = {
  direction: "backward" | "forward";
  compatible: boolean;
  differences: ComparedDifference[];
};

/** The options that say how two schemas are compared. */
export const COMPARISON_OPTIONS = {
  level: { type: "string" },
  policy: { type: "string" },
  writers: { type: "string" },
  role: { type: "string" },
  rules: { type: "string" },
  seed: { type: "string", default: "1" },
  "no-witness": { type: "boolean", default: false },
} as const;

export const COMPARISON_USAGE = `  --level LEVEL      ${COMPATIBILITY_LEVELS.join(", ")}
                     (BACKWARD; FORWARD under the role model_output)
  --policy POLICY    ${POLICIES.join(", ")} (semantic)
  --writers WHICH    ${WRITER_ASSUMPTIONS.join(" or ")}: what a writer is assumed to produce (declared)
  --role ROLE        ${ROLES.join(", ")} (data)
`;

export const RULES_USAGE = `  --rules FILE       a rule book as the registry's API has it: {"rules": […], "overrides": […], "exceptions": […]}
  --seed N           which witnesses are tried (1)
  --no-witness       do not look for messages that would break
`;

type ComparisonValues = {
  level?: string | undefined;
  policy?: string | undefined;
  writers?: string | undefined;
  role?: string | undefined;
  rules?: string | undefined;
  seed: string;
  "no-witness": boolean;
};

/** `role`: the schema's role, if its source has one. */
export function readComparisonOptions(
  values: ComparisonValues,
  readFile: (path: string) => string,
  ownRole?: Role,
): ComparisonOptions {
  const role = values.role === undefined ? (ownRole ?? "data") : requireOneOf("role", values.role, ROLES);
  const level = values.level?.toUpperCase() ?? defaultLevelFor(role, "BACKWARD");
  return {
    level: requireOneOf("level", level, COMPATIBILITY_LEVELS),
    policy: requireOneOf("policy", values.policy ?? "semantic", POLICIES),
    writers: requireOneOf("writers", values.writers ?? "declared", WRITER_ASSUMPTIONS),
    role,
    book: readRuleFile(values.rules, readFile),
    seed: wholeNumber("seed", values.seed),
    witness: !values["no-witness"],
  };
}

export function compareBothWays(
  earlier: Schema,
  later: Schema,
  options: ComparisonOptions,
): [ComparedDirection, ComparedDirection] {
  return [compareOneWay("backward", later, earlier, options), compareOneWay("forward", earlier, later, options)];
}

/** The directions that a level promises. */
export function promisedDirections(
  directions: readonly ComparedDirection[],
  level: CompatibilityLevel,
): ComparedDirection[] {
  const promised = LEVEL_CHECKS[level];
  return directions.filter(({ direction }) => promised[direction]);
}

export function suggestStep(earlier: Schema, later: Schema, options: ComparisonOptions) {
  const { canonicalText } = formatNamed(earlier.format);
  if (canonicalText(earlier.model) === canonicalText(later.model)) return NO_CHANGE;
  const [backward, forward] = compareBothWays(earlier, later, {
    ...options,
    witness: false,
    // An exception allows a break, which still counts as breaking.
    book: { ...options.book, exceptions: [] },
  });
  return suggestBump({ backward: backward.differences, forward: forward.differences }, options.level);
}

function compareOneWay(
  direction: ComparedDirection["direction"],
  reader: Schema,
  writer: Schema,
  options: ComparisonOptions,
): ComparedDirection {
  const format = formatNamed(reader.format);
  if (!format.policies.includes(options.policy)) {
    throw new UsageError(
      `Policy ${options.policy} does not apply to ${reader.format}; expected ${format.policies.join(", ")}.`,
    );
  }
  const { policy, writers, role, book } = options;
  const comparison = judgeParsed(format, reader, writer, { policy, writers, role, rules: book.rules });
  if (!comparison.ok) {
    const { pointer, message } = comparison.refusal;
    throw new UsageError(`Too complex to decide, at ${pointer}: ${message}`);
  }
  const ruled = applyOverrides(comparison.value, book, Date.now());
  const breaking = ruled.filter(({ severity }) => severity === "breaking");
  const witnesses = options.witness
    ? format.witnesses(reader.model, writer.model, breaking, {
        seed: options.seed,
        maxAttempts: DEFAULT_WITNESS_ATTEMPTS,
        writers,
      })
    : [];
  const proven = new Map(breaking.map((difference, index) => [difference, witnesses[index]]));
  const differences = differencesForRole(ruled, role).map((difference, index) => {
    const witness = proven.get(ruled[index]!);
    return witness ? { ...difference, witness } : difference;
  });
  return { direction, compatible: isCompatible(ruled), differences };
}

export function requireOneOf<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === text);
  if (found === undefined) throw new UsageError(`--${name} must be one of ${allowed.join(", ")}, got "${text}".`);
  return found;
}

export function wholeNumber(name: string, text: string): number {
  const number = parseWholeNumber(text);
  if (number === undefined) throw new UsageError(`--${name} must be a whole number, got "${text}".`);
  return number;
}

/** Up to fifteen digits, which are exact in JavaScript. */
export function parseWholeNumber(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
