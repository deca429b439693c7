/** `/config`: compatibility, validation, aliases and default data contracts of a scope. */
import { makeRefusal } from "../../../contract/errors.ts";
import type { Outcome } from "../../../registry/commands.ts";
import type { Config, ConfigChanges, EffectiveConfig } from "../../../registry/config.ts";
import { COMPATIBILITY_LEVELS, type CompatibilityLevel, type Policy } from "../../../schema/compatibility.ts";
import { printSubjectName, type SubjectName } from "../../../schema/subject-name.ts";
import { commitCommand } from "../../registry/write/commit.ts";
import type { Answer } from "../answer.ts";
import { RegistryError, requireValue } from "../errors.ts";
import { parseMetadata, parseRuleSet } from "./contract-fields.ts";
import type { Fields } from "./fields.ts";
import { metadataJson, ruleSetJson } from "./rendering.ts";
import { answeredAt, answerJson, type ConfluentRequest, idempotencyKey, readFields } from "./request.ts";
import { isTopLevel, parseScope } from "./scopes.ts";

export async function getConfig(request: ConfluentRequest): Promise<Answer> {
  const { edge, query } = request;
  const scope = parseScope(request);
  const primary = edge.primary;
  if (query.flag("defaultToGlobal")) {
    const { value, asOf } = requireValue(await primary.read("effectiveConfig", { name: scope, api: "confluent" }));
    return answerJson(request, configJson(value), answeredAt(asOf));
  }
  const { value, asOf } = requireValue(await primary.read("config", { scope }));
  if (value === null && !isTopLevel(scope)) {
    const printed = printSubjectName(scope);
    const detail = `No configuration is set for "${printed}".`;
    throw new RegistryError(makeRefusal("SUBJECT_COMPATIBILITY_NOT_SET", [printed], detail), answeredAt(asOf));
  }
  return answerJson(request, configJson(withLevel(request, scope, value ?? {})), answeredAt(asOf));
}

/** Answers the merged config of the scope; at the top level that always has a compatibility level. */
export async function putConfig(request: ConfluentRequest): Promise<Answer> {
  const { edge, caller } = request;
  const scope = parseScope(request);
  const fields = await readFields(request);
  const changes = parseConfigChanges(fields);
  const committed = requireValue(
    await commitCommand(edge, caller, { type: "setConfig", scope, changes }, idempotencyKey(request)),
  );
  const { config } = committed.outcome as Outcome & { type: "config" };
  return answerJson(request, updateJson(withLevel(request, scope, config)), answeredAt(committed.asOf));
}

export async function deleteConfig(request: ConfluentRequest): Promise<Answer> {
  const { edge, caller } = request;
  const scope = parseScope(request);
  const committed = requireValue(
    await commitCommand(edge, caller, { type: "deleteConfig", scope }, idempotencyKey(request)),
  );
  const { config } = committed.outcome as Outcome & { type: "config" };
  return answerJson(request, configJson(withLevel(request, scope, config)), answeredAt(committed.asOf));
}

/** The top level always has a compatibility level. */
function withLevel({ edge }: ConfluentRequest, scope: SubjectName, config: Config): Config {
  if (!isTopLevel(scope)) return config;
  return { ...config, compatibilityLevel: config.compatibilityLevel ?? edge.settings.defaultCompatibilityLevel };
}

/** Policies that the Confluent API can name; the native API's own are omitted from its answers. */
const POLICY_NAMES: Readonly<Partial<Record<Policy, string>>> = { strict: "STRICT", lenient: "LENIENT" };

/** `Config`, the answer to GET and DELETE. */
function configJson(config: Config | EffectiveConfig) {
  const { compatibilityLevel, ...rest } = settingsJson(config);
  const { alias, aliasForDeks, normalize, validateFields, validateNewSchemas, validateRules, ...more } = rest;
  return nonEmpty({
    alias,
    aliasForDeks,
    normalize,
    validateFields,
    validateNewSchemas,
    validateRules,
    compatibilityLevel,
    ...more,
  });
}

/** `ConfigUpdateRequest`, which calls the level `compatibility`. */
function updateJson(config: Config) {
  const { compatibilityLevel: compatibility, ...rest } = settingsJson(config);
  return nonNull({ ...rest, compatibility });
}

function settingsJson(config: Config | EffectiveConfig) {
  const { defaultMetadata, overrideMetadata, defaultRuleSet, overrideRuleSet } = config;
  // An effective config always has a policy; the Confluent API shows one only if it was set.
  const policy = "source" in config && config.policy === "strict" ? undefined : config.policy;
  return {
    alias: config.alias,
    aliasForDeks: config.aliasForDeks,
    normalize: config.normalize,
    validateFields: config.validateFields,
    validateNewSchemas: config.validateNewSchemas,
    validateRules: config.validateRules,
    compatibilityLevel: config.compatibilityLevel,
    compatibilityPolicy: policy && POLICY_NAMES[policy],
    compatibilityGroup: config.compatibilityGroup,
    defaultMetadata: defaultMetadata && metadataJson(defaultMetadata),
    overrideMetadata: overrideMetadata && metadataJson(overrideMetadata),
    defaultRuleSet: defaultRuleSet && ruleSetJson(defaultRuleSet),
    overrideRuleSet: overrideRuleSet && ruleSetJson(overrideRuleSet),
  };
}

/** For each field: absent keeps, null clears, a value sets. */
function parseConfigChanges(fields: Fields): ConfigChanges {
  return {
    ...change(fields, "compatibility", "compatibilityLevel", parseLevel),
    ...change(fields, "compatibilityPolicy", "policy", parsePolicy),
    ...change(fields, "compatibilityGroup", "compatibilityGroup", (name) => fields.text(name)),
    ...change(fields, "normalize", "normalize", (name) => fields.boolean(name)),
    ...change(fields, "validateFields", "validateFields", (name) => fields.boolean(name)),
    ...change(fields, "validateNewSchemas", "validateNewSchemas", (name) => fields.boolean(name)),
    ...change(fields, "validateRules", "validateRules", (name) => fields.boolean(name)),
    ...change(fields, "alias", "alias", (name) => fields.text(name)),
    ...change(fields, "aliasForDeks", "aliasForDeks", (name) => fields.text(name)),
    ...change(fields, "defaultMetadata", "defaultMetadata", (name) => parseMetadata(fields.object(name)) ?? undefined),
    ...change(
      fields,
      "overrideMetadata",
      "overrideMetadata",
      (name) => parseMetadata(fields.object(name)) ?? undefined,
    ),
    ...change(fields, "defaultRuleSet", "defaultRuleSet", (name) => parseRuleSet(fields.object(name)) ?? undefined),
    ...change(fields, "overrideRuleSet", "overrideRuleSet", (name) => parseRuleSet(fields.object(name)) ?? undefined),
  };
}

function change<K extends keyof Config>(
  fields: Fields,
  name: string,
  key: K,
  read: (name: string, fields: Fields) => Config[K] | undefined,
): ConfigChanges {
  if (!fields.has(name)) return {};
  const value = fields.isNull(name) ? undefined : read(name, fields);
  return { [key]: value === undefined || value === "" ? null : value };
}

function parseLevel(name: string, fields: Fields): CompatibilityLevel {
  const given = fields.text(name)!;
  const level = COMPATIBILITY_LEVELS.find((known) => known === given.toUpperCase());
  if (level !== undefined) return level;
  const detail = `"${given.slice(0, 64)}" is not a compatibility level (expected one of ${COMPATIBILITY_LEVELS.join(", ")}).`;
  throw new RegistryError(makeRefusal("INVALID_COMPATIBILITY_LEVEL", [], detail));
}

/** LOGICAL (8.4) is not supported, and is refused rather than treated as STRICT. */
function parsePolicy(name: string, fields: Fields): Policy {
  const given = fields.text(name)!.toUpperCase();
  for (const [policy, spelling] of Object.entries(POLICY_NAMES)) if (spelling === given) return policy as Policy;
  const detail = "Invalid compatibility policy. Valid values are STRICT and LENIENT";
  throw new RegistryError(makeRefusal("INVALID_COMPATIBILITY_POLICY", [], detail));
}

function nonNull(value: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined));
}

function nonEmpty(value: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined && item !== ""));
}
