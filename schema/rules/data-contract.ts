/** Confluent data contracts: shapes and merging of metadata and rule sets, and the bytes that enter the guid. */
import { compareCodeUnits } from "../json-text.ts";

export type DataContractMetadata = {
  /** Tags by path. */
  tags?: Record<string, readonly string[]>;
  properties?: Record<string, string>;
  sensitive?: readonly string[];
};

export const RULE_KINDS = ["TRANSFORM", "CONDITION"] as const;
export const RULE_MODES = ["UPGRADE", "DOWNGRADE", "UPDOWN", "WRITE", "READ", "WRITEREAD"] as const;
export const ENABLE_AT = ["ALL", "CLIENT", "GATEWAY", "SERVER", "NONE"] as const;

export type RuleSetRule = {
  name: string;
  doc?: string;
  kind?: (typeof RULE_KINDS)[number];
  mode?: (typeof RULE_MODES)[number];
  type: string;
  tags?: string[];
  params?: Record<string, string>;
  expr?: string;
  onSuccess?: string;
  onFailure?: string;
  disabled?: boolean;
};

export type RuleSet = {
  migrationRules?: RuleSetRule[];
  domainRules?: RuleSetRule[];
  encodingRules?: RuleSetRule[];
  enableAt?: (typeof ENABLE_AT)[number];
};

/** The data contract registered along with a text; part of its content. */
export type DataContract = { metadata: DataContractMetadata | null; ruleSet: RuleSet | null };

export const NO_DATA_CONTRACT: DataContract = { metadata: null, ruleSet: null };

/** Reserved top-level field names of a schema: `metadata.properties["confluent:reserved"]`, comma-separated. */
const RESERVED_PROPERTY = "confluent:reserved";
/** The version requested at registration, stored in the metadata. */
export const VERSION_PROPERTY = "confluent:version";

/** The stored and hashed form: sorted maps and sets, no empty parts. An empty object counts as absent. */
export function sortMetadata(metadata: DataContractMetadata | null | undefined): DataContractMetadata | null {
  if (!metadata) return null;
  const sorted: DataContractMetadata = {};
  if (metadata.tags && !isEmpty(metadata.tags)) sorted.tags = sortKeys(metadata.tags, sortedSet);
  if (metadata.properties && !isEmpty(metadata.properties)) {
    sorted.properties = sortKeys(metadata.properties, (value) => value);
  }
  if (metadata.sensitive && metadata.sensitive.length > 0) sorted.sensitive = sortedSet(metadata.sensitive);
  return isEmpty(sorted) ? null : sorted;
}

/** The normalised form of rules: members that do not affect the guid are dropped, so that two spellings are one content. */
export function sortRuleSet(ruleSet: RuleSet | null | undefined): RuleSet | null {
  if (!ruleSet) return null;
  const sorted: RuleSet = {};
  for (const list of ["migrationRules", "domainRules", "encodingRules"] as const) {
    const rules = ruleSet[list];
    if (rules && rules.length > 0) sorted[list] = rules.map(sortRule);
  }
  if (ruleSet.enableAt) sorted.enableAt = ruleSet.enableAt;
  return isEmpty(sorted) ? null : sorted;
}

function sortRule(rule: RuleSetRule): RuleSetRule {
  const { name, doc, kind, mode, type, tags, params, expr, onSuccess, onFailure, disabled } = rule;
  return {
    name,
    ...(doc ? { doc } : {}),
    ...(kind ? { kind } : {}),
    ...(mode ? { mode } : {}),
    type,
    ...(tags && tags.length > 0 ? { tags: sortedSet(tags) } : {}),
    ...(params && !isEmpty(params) ? { params: sortKeys(params, (value) => value) } : {}),
    ...(expr ? { expr } : {}),
    ...(onSuccess ? { onSuccess } : {}),
    ...(onFailure ? { onFailure } : {}),
    ...(disabled ? { disabled } : {}),
  };
}

/** Later values win per key: tags per path, properties per key; sensitive sets are united. */
export function mergeMetadata(
  earlier: DataContractMetadata | null | undefined,
  later: DataContractMetadata | null | undefined,
): DataContractMetadata | null {
  if (!earlier || !later) return sortMetadata(later ?? earlier);
  return sortMetadata({
    tags: { ...earlier.tags, ...later.tags },
    properties: { ...earlier.properties, ...later.properties },
    sensitive: [...(earlier.sensitive ?? []), ...(later.sensitive ?? [])],
  });
}

/** New rules replace those with the same name and come after the rest; `enableAt` is the newer set's. */
export function mergeRuleSets(earlier: RuleSet | null | undefined, later: RuleSet | null | undefined): RuleSet | null {
  if (!earlier || !later) return sortRuleSet(later ?? earlier);
  const merged: RuleSet = {};
  for (const list of ["migrationRules", "domainRules", "encodingRules"] as const) {
    const newer = later[list] ?? [];
    const names = new Set(newer.map((rule) => rule.name));
    const rules = [...(earlier[list] ?? []).filter((rule) => !names.has(rule.name)), ...newer];
    if (earlier[list] || later[list]) merged[list] = rules;
  }
  const enableAt = later.enableAt ?? earlier.enableAt;
  if (enableAt) merged.enableAt = enableAt;
  return sortRuleSet(merged);
}

/** The rule set without the named rules. */
export function withoutRules(ruleSet: RuleSet | null, names: readonly string[]): RuleSet | null {
  if (!ruleSet || names.length === 0) return ruleSet;
  const kept = (rules: readonly RuleSetRule[] = []) => rules.filter(({ name }) => !names.includes(name));
  return sortRuleSet({
    ...ruleSet,
    migrationRules: kept(ruleSet.migrationRules),
    domainRules: kept(ruleSet.domainRules),
    encodingRules: kept(ruleSet.encodingRules),
  });
}

/** The parts that enter the guid, in order and without separators. */
export function metadataHashParts(metadata: DataContractMetadata): string[] {
  return [
    ...Object.entries(metadata.tags ?? {}).flatMap(([path, tags]) => [path, ...tags]),
    ...Object.entries(metadata.properties ?? {}).flat(),
    ...(metadata.sensitive ?? []),
  ];
}

/** Strings as UTF-8; the flag of a disabled rule as the byte 0x01. */
export function ruleSetHashParts(ruleSet: RuleSet): (string | Uint8Array)[] {
  const ofRule = (rule: RuleSetRule): (string | Uint8Array)[] => [
    rule.name ?? "",
    rule.doc ?? "",
    rule.kind ?? "",
    rule.mode ?? "",
    rule.type ?? "",
    ...(rule.tags ?? []),
    ...Object.entries(rule.params ?? {}).flat(),
    rule.expr ?? "",
    rule.onSuccess ?? "",
    rule.onFailure ?? "",
    ...(rule.disabled ? [Uint8Array.of(1)] : []),
  ];
  return [
    ...(ruleSet.migrationRules ?? []).flatMap(ofRule),
    ...(ruleSet.domainRules ?? []).flatMap(ofRule),
    ...(ruleSet.encodingRules ?? []).flatMap(ofRule),
    ruleSet.enableAt ?? "",
  ];
}

/** Names listed as reserved, trimmed. */
export function reservedNames(metadata: DataContractMetadata | null): string[] {
  const list = metadata?.properties?.[RESERVED_PROPERTY];
  return list === undefined
    ? []
    : list
        .split(",")
        .map((name) => name.trim())
        .filter((name) => name !== "");
}

const MAX_RULE_NAME_CHARACTERS = 256;
const MIGRATION_MODES: readonly string[] = ["UPGRADE", "DOWNGRADE", "UPDOWN"];
const DATA_MODES: readonly string[] = ["WRITE", "READ", "WRITEREAD"];
const PAIRED_ACTION_MODES: readonly string[] = ["WRITEREAD", "UPDOWN"];

/** The problem of a rule set in Confluent's words, or undefined. */
export function ruleSetProblem(ruleSet: RuleSet): string | undefined {
  const names = new Set<string>();
  const lists = [
    {
      rules: ruleSet.migrationRules,
      modes: MIGRATION_MODES,
      message: "Migration rules can only be UPGRADE, DOWNGRADE, UPDOWN",
    },
    { rules: ruleSet.domainRules, modes: DATA_MODES, message: "Domain rules can only be WRITE, READ, WRITEREAD" },
    { rules: ruleSet.encodingRules, modes: DATA_MODES, message: "Encoding rules can only be WRITE, READ, WRITEREAD" },
  ];
  for (const { rules = [], modes, message } of lists) {
    for (const rule of rules) {
      if (names.has(rule.name)) return `Found rule with duplicate name '${rule.name}'`;
      names.add(rule.name);
      const problem = ruleProblem(rule);
      if (problem !== undefined) return problem;
      if (rule.mode !== undefined && !modes.includes(rule.mode)) return message;
    }
  }
  return undefined;
}

function ruleProblem(rule: RuleSetRule): string | undefined {
  const { name } = rule;
  if (name === undefined || name === null) return "Missing rule name";
  if (name === "") return "Empty rule name";
  if (name.length > MAX_RULE_NAME_CHARACTERS) return "Rule name too long";
  if (!/^[\p{L}_]/u.test(name)) return `Illegal initial character in rule name: ${name}`;
  if (!/^[\p{L}\p{Nd}_-]*$/u.test(name)) return `Illegal character in rule name: ${name}`;
  if (!rule.type) return "Missing rule type";
  const paired = [rule.onSuccess, rule.onFailure].some((action) => action?.includes(","));
  if (paired && !PAIRED_ACTION_MODES.includes(rule.mode ?? "")) {
    return "Multiple actions only valid with WRITEREAD and UPDOWN";
  }
  return undefined;
}

function sortedSet(items: readonly string[]): string[] {
  return [...new Set(items)].sort(compareCodeUnits);
}

function isEmpty(map: object): boolean {
  return Object.keys(map).length === 0;
}

function sortKeys<A, B>(map: Record<string, A>, value: (item: A) => B): Record<string, B> {
  return Object.fromEntries(
    Object.entries(map)
      .sort(([a], [b]) => compareCodeUnits(a, b))
      .map(([key, item]) => [key, value(item)]),
  );
}
