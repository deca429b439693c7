/** Config and mode of a scope: a subject, a context (subject ""), or the global context. */

import type { CompatibilityLevel, Policy, UndecidedSetting, WriterAssumption } from "../schema/compatibility.ts";
import type { DataContractMetadata, RuleSet } from "../schema/rules/data-contract.ts";
import type { Role } from "../schema/rules/roles.ts";
export const MODES = ["READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT", "FORWARD"] as const;

export type Mode = (typeof MODES)[number];

/** Configuration of one scope: a subject, a context (subject ""), or the global context. Absent: not set at this scope. */
export type Config = {
  compatibilityLevel?: CompatibilityLevel;
  policy?: Policy;
  writers?: WriterAssumption;
  compatibilityGroup?: string;
  role?: Role;
  /** An explicit semver must be at least as large a step as the change requires. */
  enforceVersion?: boolean;
  /** Absent: `strict` decides pairs that `semantic` cannot. */
  undecided?: UndecidedSetting;
  normalize?: boolean;
  validateFields?: boolean;
  validateNewSchemas?: boolean;
  validateRules?: boolean;
  alias?: string;
  aliasForDeks?: string;
  defaultMetadata?: DataContractMetadata;
  overrideMetadata?: DataContractMetadata;
  defaultRuleSet?: RuleSet;
  overrideRuleSet?: RuleSet;
};

/** Three-state: absent keeps, null clears, a value sets. */
export type ConfigChanges = { [K in keyof Config]?: NonNullable<Config[K]> | null };

export type EffectiveConfig = Required<Pick<Config, "compatibilityLevel" | "policy" | "writers">> &
  Config & { /** Where the level comes from. */ source: "subject" | "context" | "global" | "default" };
