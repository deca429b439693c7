/** The native API's JSON form of a record, shared by responses, events and webhooks. */

import type { DataContract, RuleSet, RuleSetRule } from "../schema/rules/data-contract.ts";
import type { SchemaRecord } from "./record.ts";

/** The record without its content. */
export function recordView(record: SchemaRecord): Record<string, unknown> {
  return { ...recordHead(record), ...recordTail(record, undefined) };
}

/** The members before the content. */
export function recordHead(record: SchemaRecord) {
  return {
    id: record.id,
    subject: record.subject,
    context: record.context,
    version: record.semver,
    version_number: record.versionNumber,
    format: record.format,
    ...(record.dialect === null ? {} : { dialect: record.dialect }),
  };
}

/** The members after the content. The fingerprint is that of the canonical text, lower-case hex. */
export function recordTail(record: SchemaRecord, fingerprint: string | undefined) {
  const { attributes } = record;
  return {
    references: record.references,
    ...dataContractMembers(record.contract),
    guid: record.guid,
    confluent_id: record.confluentId,
    fingerprint: fingerprint === undefined ? undefined : `sha256:${fingerprint}`,
    state: record.state,
    ...(record.deleted ? { deleted: true } : {}),
    description: attributes.description,
    tags: attributes.tags,
    owner: attributes.owner,
    metadata: attributes.metadata,
    role: attributes.role,
    created_at: timestamp(record.createdAtMs),
    created_by: record.createdBy,
    updated_at: timestamp(record.updatedAtMs),
    seq: record.seq,
  };
}

/** RFC 3339 in UTC, with milliseconds. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}

/** `contract` if there is one, else no member. */
export function dataContractMembers({ metadata, ruleSet }: DataContract) {
  if (metadata === null && ruleSet === null) return {};
  return {
    contract: {
      ...(metadata === null ? {} : { metadata }),
      ...(ruleSet === null ? {} : { rule_set: ruleSetView(ruleSet) }),
    },
  };
}

function ruleSetView({ migrationRules, domainRules, encodingRules, enableAt }: RuleSet) {
  return {
    migration_rules: migrationRules?.map(ruleView),
    domain_rules: domainRules?.map(ruleView),
    encoding_rules: encodingRules?.map(ruleView),
    enable_at: enableAt,
  };
}

function ruleView({ onSuccess, onFailure, ...rule }: RuleSetRule) {
  return { ...rule, on_success: onSuccess, on_failure: onFailure };
}
