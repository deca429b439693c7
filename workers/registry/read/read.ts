/** Reads a record or a subject, with the refusals for missing ones. */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { SubjectSummary } from "../../../registry/questions.ts";
import { type SchemaRecord, schemaNotFound } from "../../../registry/record.ts";
import { FORMAT_NAMES, type FormatName } from "../../../schema/format.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { printSubjectName, type SubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import type { Source } from "../../read-path/read-through.ts";
import { type Consistency, readRecordById, readVersion } from "../../read-path/records.ts";
import { readShownText, type ShownText } from "../../read-path/texts.ts";
import { parseSelector } from "./selectors.ts";
import { parseSubject } from "./subject-names.ts";

export type ReadRecord = { record: SchemaRecord; text: ShownText; asOf: AsOf; source: Source };

/** Ids are opaque, but all have this form; any other text is not found. */
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function isId(text: string): boolean {
  return ID.test(text);
}

export async function readById(
  edge: Edge,
  { id, deleted }: { id: string; deleted: boolean },
  consistency: Consistency,
): Promise<Result<ReadRecord, Refusal>> {
  if (!isId(id)) return refuse(schemaNotFound(id));
  const found = await readRecordById(edge, { id, deleted }, consistency);
  if (!found.ok) return found;
  return "missing" in found.value ? refuse(schemaNotFound(id)) : withText(edge, found.value);
}

export async function readBySelector(
  edge: Edge,
  version: { subject: string; context: string | undefined; version: string; deleted: boolean },
  consistency: Consistency,
): Promise<Result<ReadRecord, Refusal>> {
  const parsed = parseSubject(version.subject, version.context);
  if (!parsed.ok) return parsed;
  const selector = parseSelector(version.version);
  if (!selector.ok) return selector;
  const wanted = { name: parsed.value, selector: selector.value, deleted: version.deleted };
  const found = await readVersion(edge, wanted, consistency);
  if (!found.ok) return found;
  if (!("missing" in found.value)) return withText(edge, found.value);
  return found.value.missing === "subject"
    ? refuse(subjectNotFound(parsed.value))
    : refuse(await missingVersion(edge, parsed.value, version.version));
}

/** Versions listed in a refusal; the newest, if there are more. */
const MAX_NAMED_VERSIONS = 10;

/** A refusal that lists the existing versions. */
export async function missingVersion(edge: Edge, name: SubjectName, selector: string): Promise<Refusal> {
  const refusal = versionNotFound(name, selector);
  const summary = await edge.primary.read("subject", { name, deleted: false });
  if (!summary.ok || summary.value.value === null) return refusal;
  const { latest, versions } = summary.value.value;
  if (latest === null) return { ...refusal, detail: `${refusal.detail} It has no live version.` };
  const after = Math.max(0, latest.versionNumber - MAX_NAMED_VERSIONS);
  const listed = await edge.primary.read("recordsOfSubject", {
    name,
    deleted: false,
    drafts: false,
    after,
    limit: MAX_NAMED_VERSIONS,
  });
  if (!listed.ok) return refusal;
  const named = listed.value.value.records.map(({ semver, versionNumber }) => `${semver} (${versionNumber})`);
  const more = versions > named.length ? `${versions} versions, the newest of them` : "versions";
  return { ...refusal, detail: `${refusal.detail} It has ${more} ${named.join(", ")}.` };
}

/** The format of a subject's newest version, for requests that omit it. */
export async function readSubjectFormat(
  edge: Edge,
  { subject, context }: { subject: string; context: string | undefined },
): Promise<Result<FormatName, Refusal>> {
  const parsed = parseSubject(subject, context);
  if (!parsed.ok) return parsed;
  const answer = await edge.primary.read("recordByProperties", { name: parsed.value, properties: [], deleted: false });
  if (!answer.ok) return answer;
  if ("found" in answer.value.value) return ok(answer.value.value.found.format);
  const detail = `"${printSubjectName(parsed.value)}" has no version yet, so the request must name the format: ${FORMAT_NAMES.join(", ")}.`;
  return refuse(
    makeRefusal("BAD_REQUEST", [detail], detail, {
      items: [{ pointer: "/format", rule: "required", message: detail }],
    }),
  );
}

/** A record with its text. */
async function withText(
  edge: Edge,
  { record, asOf, source }: { record: SchemaRecord; asOf: AsOf; source: Source },
): Promise<Result<ReadRecord, Refusal>> {
  const text = await readShownText(edge, record.contentHash);
  return text.ok ? ok({ record, text: text.value, asOf, source }) : text;
}

export async function readSubject(
  edge: Edge,
  { subject, context, deleted }: { subject: string; context: string | undefined; deleted: boolean },
): Promise<Result<{ summary: SubjectSummary; asOf: AsOf }, Refusal>> {
  const parsed = parseSubject(subject, context);
  if (!parsed.ok) return parsed;
  const answer = await edge.primary.read("subject", { name: parsed.value, deleted });
  if (!answer.ok) return answer;
  return answer.value.value === null
    ? refuse(subjectNotFound(parsed.value))
    : ok({ summary: answer.value.value, asOf: answer.value.asOf });
}

export function subjectNotFound(name: SubjectName): Refusal {
  const printed = printSubjectName(name);
  return makeRefusal("SUBJECT_NOT_FOUND", [printed], `There is no subject "${printed}".`);
}

export function versionNotFound(name: SubjectName, selector: string): Refusal {
  const number = selector === "latest" ? "-1" : selector;
  return makeRefusal("VERSION_NOT_FOUND", [number], `"${printSubjectName(name)}" has no version ${selector}.`);
}
