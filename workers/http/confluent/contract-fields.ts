/** Metadata, rule sets, references and registrations in request bodies. */
import { makeRefusal } from "../../../contract/errors.ts";
import type { RequestedReference } from "../../../registry/record.ts";
import type { EntityTags, FormatName } from "../../../schema/format.ts";
import { findFormat } from "../../../schema/formats.ts";
import {
  type DataContractMetadata,
  ENABLE_AT,
  mergeRuleSets,
  RULE_KINDS,
  RULE_MODES,
  type RuleSet,
  type RuleSetRule,
  withoutRules,
} from "../../../schema/rules/data-contract.ts";
import type { TagOperations, VersionChanges } from "../../registry/write/confluent-registration.ts";
import { RegistryError } from "../errors.ts";
import type { Fields } from "./fields.ts";

type RegistrationBody = {
  format: FormatName;
  text: string;
  references: RequestedReference[];
  metadata: DataContractMetadata | null;
  ruleSet: RuleSet | null;
  /** Null where absent or 0; −1 is "the next one". */
  versionNumber: number | null;
  confluentId: number | null;
  tags: TagOperations;
};

export function parseRegistrationBody(fields: Fields): RegistrationBody {
  refuseNativeBody(fields);
  const version = fields.integer("version") ?? 0;
  const id = fields.integer("id") ?? -1;
  return {
    format: parseFormat(fields.text("schemaType")),
    text: requireSchemaText(fields.text("schema")),
    references: parseReferences(fields),
    metadata: parseMetadata(fields.object("metadata")),
    ruleSet: parseRuleSet(fields.object("ruleSet")),
    versionNumber: version === 0 ? null : version,
    confluentId: id < 0 ? null : id,
    tags: {
      add: parseEntityTags(fields.objects("schemaTagsToAdd")),
      remove: parseEntityTags(fields.objects("schemaTagsToRemove")),
      propagate: fields.boolean("propagateSchemaTags") ?? false,
    },
  };
}

/**
 * A body without `schema` means the newest version's text, so a body of the native API would silently register that
 * text again.
 */
function refuseNativeBody(fields: Fields): void {
  if (fields.has("schema") || !fields.has("content")) return;
  const detail =
    'Empty schema: here the schema is a string in "schema" and its format "schemaType"; "content" and "format" belong to the native API, whose routes begin with /api/v1';
  throw new RegistryError(makeRefusal("INVALID_SCHEMA", [detail], detail));
}

/** `TagSchemaRequest`: replaces the version's rules, or merges into and removes from them. */
export function parseVersionChanges(fields: Fields): VersionChanges {
  const ruleSet = parseRuleSet(fields.object("ruleSet"));
  const merged = parseRuleSet(fields.object("rulesToMerge"));
  const removed = fields.texts("rulesToRemove");
  if (ruleSet && (merged || removed)) {
    const detail = "ruleSet should be omitted if specifying rulesToMerge or rulesToRemove";
    throw new RegistryError(makeRefusal("INVALID_RULE_SET", [detail], detail));
  }
  const version = fields.integer("newVersion") ?? 0;
  return {
    add: parseEntityTags(fields.objects("tagsToAdd")),
    remove: parseEntityTags(fields.objects("tagsToRemove")),
    versionNumber: version > 0 ? version : null,
    metadata: parseMetadata(fields.object("metadata")) ?? undefined,
    changeRules: (own) => ruleSet ?? withoutRules(mergeRuleSets(own, merged), removed ?? []),
  };
}

export function parseMetadata(fields: Fields | undefined): DataContractMetadata | null {
  if (fields === undefined) return null;
  const [tags, properties, sensitive] = [
    fields.textsMap("tags"),
    fields.textMap("properties"),
    fields.texts("sensitive"),
  ];
  return { ...(tags ? { tags } : {}), ...(properties ? { properties } : {}), ...(sensitive ? { sensitive } : {}) };
}

export function parseRuleSet(fields: Fields | undefined): RuleSet | null {
  if (fields === undefined) return null;
  const ruleSet: RuleSet = {};
  for (const list of ["migrationRules", "domainRules", "encodingRules"] as const) {
    const rules = parseRules(fields.objects(list));
    if (rules) ruleSet[list] = rules;
  }
  const enableAt = fields.oneOf("enableAt", ENABLE_AT);
  if (enableAt) ruleSet.enableAt = enableAt;
  return ruleSet;
}

function parseRules(rules: readonly Fields[] | undefined): RuleSetRule[] | undefined {
  return rules?.map((fields) => {
    const given = {
      // A missing name or type is refused when the rule set is validated, with the Confluent server's message.
      name: fields.text("name"),
      doc: fields.text("doc"),
      kind: fields.oneOf("kind", RULE_KINDS),
      mode: fields.oneOf("mode", RULE_MODES),
      type: fields.text("type"),
      tags: fields.texts("tags"),
      params: fields.textMap("params"),
      expr: fields.text("expr"),
      onSuccess: fields.text("onSuccess"),
      onFailure: fields.text("onFailure"),
      disabled: fields.boolean("disabled"),
    };
    return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as RuleSetRule;
  });
}

function parseEntityTags(list: readonly Fields[] | undefined): EntityTags[] {
  return (list ?? []).map((fields) => {
    const entity = fields.object("schemaEntity");
    return {
      entityPath: entity?.text("entityPath") ?? "",
      entityType: entity?.oneOf("entityType", ["sr_record", "sr_field"]) ?? "sr_field",
      tags: fields.texts("tags") ?? [],
    };
  });
}

function parseFormat(schemaType: string | undefined): FormatName {
  const format = findFormat(schemaType || "AVRO");
  if (format === undefined) {
    const detail = `Invalid schema type ${schemaType}`;
    throw new RegistryError(makeRefusal("INVALID_SCHEMA", [detail], detail));
  }
  return format.name;
}

/** Blank text counts as absent. The size limit applies to the canonical text, not here. */
function requireSchemaText(text = ""): string {
  return text.trim() === "" ? "" : text;
}

function parseReferences(fields: Fields): RequestedReference[] {
  return (fields.objects("references") ?? []).map((reference) => {
    const name = reference.text("name");
    const subject = reference.text("subject");
    const version = reference.integer("version");
    if (!name || !subject || version === undefined) {
      const shown = JSON.stringify({ name, subject, version });
      const detail = `Invalid reference: ${shown}; it needs name, subject and version`;
      throw new RegistryError(makeRefusal("INVALID_SCHEMA", [detail], detail));
    }
    return { name, subject, version };
  });
}
