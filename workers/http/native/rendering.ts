/** Records and contents as the native API spells them. Schema texts are put in as they are: never parsed, never re-spelled. */
import type { SchemaRecord, SubjectSummary } from "../../../durable-objects/protocol";
import type { Contract, ContractRule, ContractRuleSet } from "../../../schema/contract-metadata";
import type { SchemaProblem } from "../../../schema/format";
import type { ReadableContent } from "../../read-path/content";
import type { ShownText } from "../../read-path/texts";

/** `none` is for lists that only need the attributes. */
export type ContentForm = "json" | "text" | "none";

export function contentForm(value: unknown): ContentForm {
  return value === "text" || value === "none" ? value : "json";
}

/** One record as JSON text. */
export function recordJson(
  record: SchemaRecord,
  text: ShownText | undefined,
  form: ContentForm,
  warnings?: readonly SchemaProblem[],
): string {
  const { attributes } = record;
  const before = {
    id: record.id,
    subject: record.subject,
    context: record.context,
    version: record.label,
    version_number: record.versionNumber,
    format: record.format,
    ...(record.dialect === null ? {} : { dialect: record.dialect }),
  };
  const after = {
    references: record.references,
    ...contractJson(record.contract),
    guid: record.guid,
    confluent_id: record.confluentId,
    fingerprint: text === undefined ? undefined : `sha256:${text.fingerprint}`,
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
    ...(warnings === undefined ? {} : { warnings }),
  };
  return withContent(before, text, form, after);
}

export function contentJson(content: ReadableContent, form: ContentForm): string {
  const { format, dialect, references, contract, guid, fingerprint } = content;
  const before = { format, ...(dialect === null ? {} : { dialect }) };
  return withContent(before, content, form, {
    references,
    ...contractJson(contract),
    guid,
    fingerprint: `sha256:${fingerprint}`,
  });
}

/** Two objects' members with the content between them: the text itself where it is JSON, else as a JSON string. */
function withContent(before: object, text: ShownText | undefined, form: ContentForm, after: object): string {
  const start = JSON.stringify(before).slice(0, -1);
  const end = JSON.stringify(after).slice(1);
  if (text === undefined || form === "none") return `${start},${end}`;
  return `${start},"content":${form === "json" && text.isJson ? text.text : JSON.stringify(text.text)},${end}`;
}

export function subjectJson(summary: SubjectSummary) {
  const { context, subject, latest, versions, deletedVersions, drafts, level, policy, writers, mode, role } = summary;
  return {
    subject,
    context,
    latest: latest && { version: latest.label, version_number: latest.versionNumber, id: latest.id },
    versions,
    deleted_versions: deletedVersions,
    drafts,
    level,
    policy,
    writers,
    mode,
    role,
  };
}

export function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}

/** The record's ETag: it changes with every log entry about the record. */
export function recordETag({ seq }: SchemaRecord): string {
  return `"${seq}"`;
}

function contractJson({ metadata, ruleSet }: Contract) {
  if (metadata === null && ruleSet === null) return {};
  return {
    contract: {
      ...(metadata === null ? {} : { metadata }),
      ...(ruleSet === null ? {} : { rule_set: ruleSetJson(ruleSet) }),
    },
  };
}

function ruleSetJson({ migrationRules, domainRules, encodingRules, enableAt }: ContractRuleSet) {
  return {
    migration_rules: migrationRules?.map(ruleJson),
    domain_rules: domainRules?.map(ruleJson),
    encoding_rules: encodingRules?.map(ruleJson),
    enable_at: enableAt,
  };
}

function ruleJson({ onSuccess, onFailure, ...rule }: ContractRule) {
  return { ...rule, on_success: onSuccess, on_failure: onFailure };
}
