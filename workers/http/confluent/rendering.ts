/** Schemas in answers of the Confluent API: null and empty members are omitted, false and 0 are kept. */
import type { SchemaRecord } from "../../../registry/record.ts";
import type { EntityTags, FormatName, SchemaReference } from "../../../schema/format.ts";
import { confluentFormatNamed } from "../../../schema/formats.ts";
import type { DataContract, DataContractMetadata, RuleSet, RuleSetRule } from "../../../schema/rules/data-contract.ts";
import { printSubjectName } from "../../../schema/subject-name.ts";
import type { ConfluentApiLevel } from "../../settings.ts";
import { isApiLevelAtLeast } from "./api-level.ts";

/** A content and the text to show for it. */
type ShownContent = {
  guid: string;
  format: FormatName;
  references: readonly SchemaReference[];
  contract: DataContract;
  text: string;
  tags?: readonly EntityTags[];
};

/** `Schema`: a version of a subject. `isStored` adds the members that only stored versions have. */
export function schemaEntity(
  record: SchemaRecord,
  shown: { text: string; references?: readonly SchemaReference[]; tags?: readonly EntityTags[] },
  level: ConfluentApiLevel,
  isStored = true,
) {
  const content = { ...record, ...shown, references: shown.references ?? record.references };
  return {
    subject: printSubjectName(record),
    version: record.versionNumber,
    id: record.confluentId,
    ...contentFields(content, level),
    ...(isStored ? storedFields(record, level) : {}),
  };
}

/** `SchemaString`: a content by id or guid. From 8.0 on, with subject and version if the request named a subject. */
export function schemaString(
  content: ShownContent,
  level: ConfluentApiLevel,
  { record, maxId }: { record?: SchemaRecord; maxId?: number } = {},
) {
  const named = record !== undefined && isApiLevelAtLeast(level, 8, 0);
  return {
    ...(named ? { subject: printSubjectName(record), version: record.versionNumber } : {}),
    ...contentFields(content, level),
    ...(maxId === undefined ? {} : { maxId }),
    ...(record === undefined ? {} : storedFields(record, level)),
  };
}

/** `RegisterSchemaResponse`; only the id before 8.0. */
export function registeredSchema(record: SchemaRecord, text: string, level: ConfluentApiLevel) {
  if (!isApiLevelAtLeast(level, 8, 0)) return { id: record.confluentId };
  return {
    id: record.confluentId,
    version: record.versionNumber,
    ...contentFields({ ...record, text }, level),
    ...storedFields(record, level),
  };
}

function contentFields(
  { guid, format, references, contract, text, tags = [] }: ShownContent,
  level: ConfluentApiLevel,
) {
  const schemaType = confluentFormatNamed(format)?.schemaType;
  if (schemaType === undefined) throw new Error(`The Confluent API has no form for a ${format}.`);
  const isNew = isApiLevelAtLeast(level, 8, 0);
  const { metadata, ruleSet } = contract;
  return {
    ...(isNew ? { guid } : {}),
    ...(isNew || schemaType !== "AVRO" ? { schemaType } : {}),
    ...(references.length === 0 ? {} : { references: references.map(referenceJson) }),
    ...(metadata === null ? {} : { metadata: metadataJson(metadata) }),
    ...(ruleSet === null ? {} : { ruleSet: ruleSetJson(ruleSet) }),
    ...(text === "" ? {} : { schema: text }),
    ...(tags.length === 0 ? {} : { schemaTags: tags.map(entityTagsJson) }),
  };
}

function storedFields({ createdAtMs, deleted }: SchemaRecord, level: ConfluentApiLevel) {
  return isApiLevelAtLeast(level, 8, 0) ? { ts: createdAtMs, deleted } : {};
}

function referenceJson({ name, subject, version }: SchemaReference) {
  return { name, subject, version };
}

export function metadataJson({ tags, properties, sensitive }: DataContractMetadata) {
  return {
    ...(tags && !isEmpty(tags) ? { tags } : {}),
    ...(properties && !isEmpty(properties) ? { properties } : {}),
    ...(sensitive && sensitive.length > 0 ? { sensitive } : {}),
  };
}

export function ruleSetJson({ migrationRules, domainRules, encodingRules, enableAt }: RuleSet) {
  return {
    ...(migrationRules?.length ? { migrationRules: migrationRules.map(ruleJson) } : {}),
    ...(domainRules?.length ? { domainRules: domainRules.map(ruleJson) } : {}),
    ...(encodingRules?.length ? { encodingRules: encodingRules.map(ruleJson) } : {}),
    ...(enableAt ? { enableAt } : {}),
  };
}

function ruleJson(rule: RuleSetRule) {
  const { name, doc, kind, mode, type, tags, params, expr, onSuccess, onFailure, disabled = false } = rule;
  return {
    name,
    ...(doc ? { doc } : {}),
    ...(kind ? { kind } : {}),
    ...(mode ? { mode } : {}),
    type,
    ...(tags?.length ? { tags } : {}),
    ...(params && !isEmpty(params) ? { params } : {}),
    ...(expr ? { expr } : {}),
    ...(onSuccess ? { onSuccess } : {}),
    ...(onFailure ? { onFailure } : {}),
    disabled,
  };
}

function entityTagsJson({ entityPath, entityType, tags }: EntityTags) {
  return { schemaEntity: { entityPath, entityType }, tags };
}

function isEmpty(map: object): boolean {
  return Object.keys(map).length === 0;
}
