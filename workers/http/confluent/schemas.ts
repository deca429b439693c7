/** `/schemas`: by id, by guid, and the list of all versions. */
import { type AssociationFilter, LIFECYCLES } from "../../../registry/association.ts";
import type { RecordFilter } from "../../../registry/questions.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import type { EntityTags, FormatName } from "../../../schema/format.ts";
import { formatNamed } from "../../../schema/formats.ts";
import { parseSubjectName, printSubjectName } from "../../../schema/subject-name.ts";
import { inlineTags } from "../../../schema/tags.ts";
import type { ContentSelector, ReadableContent } from "../../read-path/content.ts";
import { readContent } from "../../read-path/content.ts";
import { readShownText } from "../../read-path/texts.ts";
import {
  confluentIdNotFound,
  contextOfScope,
  listUsesOfConfluentId,
  readRecordByConfluentId,
} from "../../registry/read/confluent-ids.ts";
import { listConfluentSchemas } from "../../registry/read/confluent-lists.ts";
import { textInView } from "../../registry/read/views.ts";
import { type Answer, provenance } from "../answer.ts";
import { RegistryError, requireValue } from "../errors.ts";
import { renderedContentAnswer } from "../rendered-content.ts";
import { associationJson, DEFAULT_RESOURCE_TYPE, parseLifecycles } from "./association-fields.ts";
import { CONFLUENT_HEADERS, negotiatedMediaType } from "./media-types.ts";
import { schemaEntity, schemaString } from "./rendering.ts";
import {
  answeredAt,
  answerJson,
  answerText,
  type ConfluentRequest,
  noSuchPath,
  parseConsistency,
  parseInteger,
  parseMinSeqToken,
  parseOffsetPage,
} from "./request.ts";

/** In the Confluent server's order. */
const SCHEMA_TYPES = ["JSON", "PROTOBUF", "AVRO"];

/** The Confluent server's default and maximum page size. */
const MAX_LISTED_SCHEMAS = 1_000;

export function getSchemaTypes(request: ConfluentRequest): Answer {
  return answerJson(request, SCHEMA_TYPES);
}

export function getSchemaById(request: ConfluentRequest): Answer | Promise<Answer> {
  const { query } = request;
  const id = parseId(request);
  const subject = query.text("subject");
  const context = contextOfScope(subject);
  if (context === undefined) return schemaUnderSubject(request, id, subject!);
  if (asksForNothingMore(query))
    return contentAnswer(request, `confluent/${context}/${id}`, { context, confluentId: id }, id);
  return viewedContent(request, { context, confluentId: id }, id);
}

async function viewedContent(
  request: ConfluentRequest,
  selector: ContentSelector,
  shown: number | string,
): Promise<Answer> {
  const { content, headers } = await contentBy(request, selector, shown);
  return schemaStringAnswer(request, content, headers);
}

export async function getSchemaTextById(request: ConfluentRequest): Promise<Answer> {
  const { edge, query } = request;
  const id = parseId(request);
  const subject = query.text("subject");
  const context = contextOfScope(subject);
  const { content, headers } =
    context === undefined
      ? await underSubject(request, id, subject!)
      : await contentBy(request, { context, confluentId: id }, id);
  const text = requireValue(await textInView(edge, content, query.text("format")));
  return answerText(request, text, headers);
}

export async function getSubjectsOfId(request: ConfluentRequest): Promise<Answer> {
  const { records, headers } = await usesOfId(request);
  return answerJson(request, records.map(printSubjectName), headers);
}

export async function getVersionsOfId(request: ConfluentRequest): Promise<Answer> {
  const { records, headers } = await usesOfId(request);
  const versions = records.map((record) => ({ subject: printSubjectName(record), version: record.versionNumber }));
  return answerJson(request, versions, headers);
}

export function getSchemaByGuid(request: ConfluentRequest): Answer | Promise<Answer> {
  const guid = computeGuid(request);
  return asksForNothingMore(request.query)
    ? contentAnswer(request, `guid/${guid}`, { guid }, guid)
    : viewedContent(request, { guid }, guid);
}

export async function getIdsOfGuid(request: ConfluentRequest): Promise<Answer> {
  const { edge, params } = request;
  const guid = params.guid!.toLowerCase();
  const answer = requireValue(await edge.primary.read("idsOfGuid", { guid }));
  const ids = answer.value.map(({ context, confluentId }) => ({ context, id: confluentId }));
  return answerJson(request, ids, answeredAt(answer.asOf));
}

export async function getSchemas(request: ConfluentRequest): Promise<Answer> {
  const { edge, query } = request;
  const level = edge.settings.confluentApiLevel;
  const ruleType = query.text("ruleType");
  const associations = parseAssociationFilter(query);
  const filter: RecordFilter = {
    subjectPrefix: query.text("subjectPrefix") ?? "",
    deleted: query.flag("deleted"),
    latestOnly: query.flag("latestOnly"),
    aliases: query.flag("aliases"),
    ...(ruleType ? { ruleType } : {}),
    ...(associations ? { associations } : {}),
  };
  const page = parseOffsetPage(query, MAX_LISTED_SCHEMAS);
  const listed = requireValue(await listConfluentSchemas(edge, { filter, page }));
  const items = listed.items.map(({ record, text, aliases, associations: own }) => ({
    ...schemaEntity(record, { text: text.text }, level),
    ...(aliases.length === 0 ? {} : { aliases: aliases.map(printSubjectName) }),
    ...(own.length === 0
      ? {}
      : { associations: own.map((association) => associationJson({ name: record, association })) }),
  }));
  return answerJson(request, items, {
    ...answeredAt(listed.asOf),
    ...(listed.isCut ? { Link: nextLink(request, page.offset + items.length) } : {}),
  });
}

/** Undefined unless the query mentions associations. */
function parseAssociationFilter(query: ConfluentRequest["query"]): AssociationFilter | undefined {
  const resourceType = query.text("resourceType") || undefined;
  const types = query.all("associationType").filter((type) => type !== "");
  const lifecycles = parseLifecycles(query, [...LIFECYCLES, "NONE"]);
  const isAsked = resourceType !== undefined || types.length > 0 || lifecycles.length > 0;
  return isAsked ? { resourceType: resourceType ?? DEFAULT_RESOURCE_TYPE, types, lifecycles } : undefined;
}

/** Where a truncated list continues. The Confluent server truncates silently. */
function nextLink({ search }: ConfluentRequest, offset: number): string {
  const parameters = new URLSearchParams(search);
  parameters.set("offset", String(offset));
  return `</schemas?${parameters}>; rel="next"`;
}

/** Whether the plain content suffices. Clients send parameters with their default values, such as fetchMaxId=false. */
function asksForNothingMore(query: ConfluentRequest["query"]): boolean {
  return (
    query.isEmpty ||
    (!query.text("format") &&
      !query.text("referenceFormat") &&
      !query.flag("fetchMaxId") &&
      query.all("findTags").length === 0)
  );
}

function parseId({ params }: ConfluentRequest): number {
  const id = parseInteger(params.id!);
  if (id === undefined) throw noSuchPath("An id must be a 32-bit integer.");
  return id;
}

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function computeGuid({ params }: ConfluentRequest): string {
  const guid = params.guid!.toLowerCase();
  if (!GUID.test(guid)) throw new RegistryError(confluentIdNotFound(shortened(params.guid!)));
  return guid;
}

function shortened(text: string): string {
  return text.length > 64 ? `${text.slice(0, 64)}…` : text;
}

/** Responds with rendered content, which is cached. */
function contentAnswer(
  request: ConfluentRequest,
  key: string,
  selector: ContentSelector,
  shown: number | string,
): Answer | Promise<Answer> {
  const level = request.edge.settings.confluentApiLevel;
  return renderedContentAnswer(request, {
    key,
    selector,
    token: parseMinSeqToken(request),
    mediaType: negotiatedMediaType(request.request.headers.get("Accept")),
    // Cached reads have the Cache-Control of content.
    headers: CONFLUENT_HEADERS,
    render: (content) => ({
      text: JSON.stringify(schemaString(content, level)),
      etag: `"${content.contentHash.slice(0, 32)}"`,
    }),
    notFound: () => confluentIdNotFound(shown),
  });
}

async function contentBy(
  request: ConfluentRequest,
  selector: ContentSelector,
  shown: number | string,
): Promise<{ content: ReadableContent; headers: Record<string, string> }> {
  const { edge } = request;
  const found = requireValue(await readContent(edge, { selector, token: parseMinSeqToken(request) }));
  if ("absent" in found) throw new RegistryError(confluentIdNotFound(shown), provenance(found.asOf, "primary"));
  return { content: found.value, headers: provenance(found.asOf, found.source) };
}

async function schemaUnderSubject(request: ConfluentRequest, id: number, subject: string): Promise<Answer> {
  const { content, record, headers } = await underSubject(request, id, subject);
  return schemaStringAnswer(request, content, headers, record);
}

async function underSubject(request: ConfluentRequest, confluentId: number, subject: string) {
  const { edge } = request;
  const name = parseSubjectName(subject);
  const { record, asOf, source } = requireValue(
    await readRecordByConfluentId(edge, { confluentId, name }, parseConsistency(request)),
  );
  const { text } = requireValue(await readShownText(edge, record.contentHash));
  return { content: { ...record, text }, record, headers: provenance(asOf, source) };
}

async function schemaStringAnswer(
  { edge, caller, query, ...call }: ConfluentRequest,
  content: Omit<ReadableContent, "isJson" | "fingerprint" | "closure">,
  headers: Record<string, string>,
  record?: SchemaRecord,
): Promise<Answer> {
  const text = requireValue(await textInView(edge, content, query.text("format")));
  const maxId = query.flag("fetchMaxId")
    ? requireValue(await edge.primary.read("maxConfluentId", { context: content.context })).value
    : undefined;
  const references = shownReferences(content, query.text("referenceFormat"));
  const tags = tagsIn(content.format, text, query.all("findTags"));
  const body = schemaString({ ...content, references, text, tags }, edge.settings.confluentApiLevel, {
    ...(record === undefined ? {} : { record }),
    ...(maxId === undefined ? {} : { maxId }),
  });
  return answerJson(call, body, headers);
}

/** The text's entities that carry one of the wanted inline tags; `*` means any. */
export function tagsIn(format: FormatName, text: string, wanted: readonly string[]): EntityTags[] {
  if (wanted.length === 0) return [];
  const all = inlineTags(formatNamed(format), text);
  return wanted.includes("*") ? all : all.filter(({ tags }) => tags.some((tag) => wanted.includes(tag)));
}

/** With `qualified`, each subject has its context in front unless that is the default one. */
export function shownReferences(
  { references, context }: Pick<ReadableContent, "references" | "context">,
  referenceFormat: string | undefined,
): ReadableContent["references"] {
  if (referenceFormat?.toLowerCase() !== "qualified") return references;
  return references.map((reference) => ({
    ...reference,
    subject: reference.subject.startsWith(":.")
      ? reference.subject
      : printSubjectName({ context, subject: reference.subject }),
  }));
}

async function usesOfId(request: ConfluentRequest) {
  const { edge, query } = request;
  const uses = requireValue(
    await listUsesOfConfluentId(edge, {
      confluentId: parseId(request),
      subject: query.text("subject"),
      deleted: query.flag("deleted"),
    }),
  );
  const { offset, limit } = parseOffsetPage(query, Number.MAX_SAFE_INTEGER);
  return { records: uses.records.slice(offset, offset + limit), headers: answeredAt(uses.asOf) };
}
