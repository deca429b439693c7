/** `/subjects/{s}/versions`: register, read, delete, references. */
import type { SchemaRecord } from "../../../registry/record.ts";
import { parseSubjectName, type SubjectName } from "../../../schema/subject-name.ts";
import { readVersion } from "../../read-path/records.ts";
import { readShownText } from "../../read-path/texts.ts";
import { listRecordsOfSubject } from "../../registry/read/confluent-lists.ts";
import { subjectNotFound, versionNotFound } from "../../registry/read/read.ts";
import { textInView, viewProblem } from "../../registry/read/views.ts";
import {
  type ConfirmedRegistration,
  registerChanged,
  registerConfluent,
} from "../../registry/write/confluent-registration.ts";
import { deleteVersion } from "../../registry/write/delete.ts";
import { type Answer, provenance } from "../answer.ts";
import { RegistryError, refusing, requireValue } from "../errors.ts";
import { parseRegistrationBody, parseVersionChanges } from "./contract-fields.ts";
import { registeredSchema, schemaEntity } from "./rendering.ts";
import {
  answeredAt,
  answerJson,
  answerText,
  type ConfluentRequest,
  idempotencyKey,
  parseConsistency,
  parseOffsetPage,
  readFields,
} from "./request.ts";
import { shownReferences, tagsIn } from "./schemas.ts";
import { parseVersion } from "./version-id.ts";

export async function registerSchema(request: ConfluentRequest): Promise<Answer> {
  const { edge, caller, params, query } = request;
  refuseView(request);
  const { tags, ...body } = parseRegistrationBody(await readFields(request));
  const registration = {
    ...body,
    name: parseSubjectName(params.subject!),
    normalise: query.flag("normalize"),
    force: query.flag("force"),
  };
  if (registration.force) requireForcing(request, registration.name);
  const registered = await registerConfluent(
    edge,
    caller,
    registration,
    tags,
    parseConsistency(request),
    idempotencyKey(request),
  );
  return registeredAnswer(request, requireValue(registered));
}

/** Skipping the check for one registration is what setting the level to NONE for a moment would be. */
function requireForcing({ actor, edge }: ConfluentRequest, name: SubjectName): void {
  const permission = "compatibility:config:write";
  const isHeld = edge.access === undefined ? actor.permissions.has(permission) : edge.access.allows(permission, name);
  if (isHeld) return;
  throw refusing("FORBIDDEN", `Registering with force=true needs the permission "${permission}" for the subject.`);
}

/** Registers a new version with changed tags, metadata or rules. */
export async function changeVersion(request: ConfluentRequest): Promise<Answer> {
  const { edge, caller } = request;
  const fields = await readFields(request);
  const changes = parseVersionChanges(fields);
  const { record } = await readVersionRecord(request, false);
  const registered = await registerChanged(edge, caller, record, changes, idempotencyKey(request));
  return registeredAnswer(request, requireValue(registered));
}

async function registeredAnswer(
  request: ConfluentRequest,
  { record, asOf, source }: ConfirmedRegistration,
): Promise<Answer> {
  const { edge, query } = request;
  const stored = requireValue(await readShownText(edge, record.contentHash));
  const content = { ...record, text: stored.text };
  const text = requireValue(await textInView(edge, content, query.text("format")));
  return answerJson(request, registeredSchema(record, text, edge.settings.confluentApiLevel), provenance(asOf, source));
}

export async function getVersions(request: ConfluentRequest): Promise<Answer> {
  const { edge, params, query } = request;
  const onlyDeleted = query.flag("deletedOnly");
  const asNegative = query.flag("deletedAsNegative");
  const listed = requireValue(
    await listRecordsOfSubject(edge, {
      name: parseSubjectName(params.subject!),
      deleted: query.flag("deleted") || onlyDeleted || asNegative,
    }),
  );
  const shown = onlyDeleted && !asNegative ? listed.records.filter(({ deleted }) => deleted) : listed.records;
  const { offset, limit } = parseOffsetPage(query, Number.MAX_SAFE_INTEGER);
  const numbers = shown
    .slice(offset, offset + limit)
    .map(({ versionNumber, deleted }) => (asNegative && deleted ? -versionNumber! : versionNumber));
  return answerJson(request, numbers, answeredAt(listed.asOf));
}

export async function getVersion(request: ConfluentRequest): Promise<Answer> {
  const { edge, query } = request;
  const { record, text, headers } = await versionOf(request);
  const tags = tagsIn(record.format, text, query.all("findTags"));
  const entity = schemaEntity(
    record,
    { text, tags, references: shownReferences(record, query.text("referenceFormat")) },
    edge.settings.confluentApiLevel,
  );
  return answerJson(request, entity, headers);
}

export async function getVersionText(request: ConfluentRequest): Promise<Answer> {
  const { text, headers } = await versionOf(request);
  return answerText(request, text, headers);
}

export async function getReferencedBy(request: ConfluentRequest): Promise<Answer> {
  const { edge, query } = request;
  const { record } = await readVersionRecord(request, true);
  const answer = requireValue(
    await edge.primary.read("referencedBy", {
      name: { context: record.context, subject: record.subject },
      versionNumber: record.versionNumber!,
      deleted: query.flag("deleted"),
    }),
  );
  const ids = new Map(answer.value.map(({ context, confluentId }) => [`${context} ${confluentId}`, confluentId]));
  const { offset, limit } = parseOffsetPage(query, Number.MAX_SAFE_INTEGER);
  return answerJson(request, [...ids.values()].slice(offset, offset + limit), answeredAt(answer.asOf));
}

export async function removeVersion(request: ConfluentRequest): Promise<Answer> {
  const { edge, caller, params, query } = request;
  const deleted = requireValue(
    await deleteVersion(
      edge,
      caller,
      {
        name: parseSubjectName(params.subject!),
        versionNumber: parseVersion(params.version!),
        permanent: query.flag("permanent"),
      },
      idempotencyKey(request),
    ),
  );
  return answerJson(request, deleted.versionNumber, answeredAt(deleted.asOf));
}

/** Refuses an unsupported view before anything is read or written. */
function refuseView({ query }: ConfluentRequest): void {
  const problem = viewProblem(query.text("format"));
  if (problem) throw new RegistryError(problem);
}

/** The version in the path, with its text in the view that the query names. */
async function versionOf(
  request: ConfluentRequest,
): Promise<{ record: SchemaRecord; text: string; headers: Record<string, string> }> {
  const { edge, query } = request;
  refuseView(request);
  const { record, headers } = await readVersionRecord(request, query.flag("deleted"));
  const stored = requireValue(await readShownText(edge, record.contentHash));
  const content = { ...record, text: stored.text };
  const text = requireValue(await textInView(edge, content, query.text("format")));
  return { record, text, headers };
}

/** The version in the path; an unqualified subject is searched in every context. */
export async function readVersionRecord(
  request: ConfluentRequest,
  deleted: boolean,
): Promise<{ record: SchemaRecord; headers: Record<string, string> }> {
  const { edge, params } = request;
  const selector = parseVersion(params.version!);
  const name = parseSubjectName(params.subject!);
  const wanted = { name, selector, deleted, anyContext: true };
  const found = requireValue(await readVersion(edge, wanted, parseConsistency(request)));
  if ("record" in found) return { record: found.record, headers: provenance(found.asOf, found.source) };
  const refusal = found.missing === "subject" ? subjectNotFound(name) : versionNotFound(name, String(selector));
  throw new RegistryError(refusal, answeredAt(found.asOf));
}
