/** Records and contents in the native API's form. Schema texts are inserted verbatim, never parsed or rewritten. */

import type { SubjectSummary } from "../../../registry/questions.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import { dataContractMembers, recordHead, recordTail } from "../../../registry/record-view.ts";
import type { SchemaProblem } from "../../../schema/format.ts";
import type { ReadableContent } from "../../read-path/content.ts";
import type { ShownText } from "../../read-path/texts.ts";

/** `none` is for lists that need only attributes. */
export type ContentForm = "json" | "text" | "none";

export function contentForm(value: unknown): ContentForm {
  return value === "text" || value === "none" ? value : "json";
}

/** A record as JSON text. */
export function recordJson(
  record: SchemaRecord,
  text: ShownText | undefined,
  form: ContentForm,
  warnings?: readonly SchemaProblem[],
): string {
  return withContent(recordHead(record), text, form, {
    ...recordTail(record, text?.fingerprint),
    ...(warnings === undefined ? {} : { warnings }),
  });
}

export function contentJson(content: ReadableContent, form: ContentForm): string {
  const { format, dialect, references, contract, guid, fingerprint } = content;
  const before = { format, ...(dialect === null ? {} : { dialect }) };
  return withContent(before, content, form, {
    references,
    ...dataContractMembers(contract),
    guid,
    fingerprint: `sha256:${fingerprint}`,
  });
}

/** Joins the members of two objects around the content: verbatim if it is JSON, else as a JSON string. */
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
    latest: latest && { version: latest.semver, version_number: latest.versionNumber, id: latest.id },
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

/** The record's ETag: it changes with every log entry about the record. */
export function recordETag({ seq }: SchemaRecord): string {
  return `"${seq}"`;
}
