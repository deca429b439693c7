/** `/subjects`: list, look up, delete, find by metadata. */
import { makeRefusal } from "../../../contract/errors.ts";
import { parseSubjectName } from "../../../schema/subject-name.ts";
import { readShownText } from "../../read-path/texts.ts";
import { listSubjectNames } from "../../registry/read/confluent-lists.ts";
import { subjectNotFound } from "../../registry/read/read.ts";
import { EVERY_CONTEXT_PREFIX } from "../../registry/read/subject-names.ts";
import { textInView, viewProblem } from "../../registry/read/views.ts";
import { lookUpConfluent } from "../../registry/write/confluent-registration.ts";
import { deleteSubject } from "../../registry/write/delete.ts";
import { type Answer, provenance } from "../answer.ts";
import { RegistryError, requireValue } from "../errors.ts";
import { parseRegistrationBody } from "./contract-fields.ts";
import { schemaEntity } from "./rendering.ts";
import {
  answeredAt,
  answerJson,
  type ConfluentRequest,
  idempotencyKey,
  parseConsistency,
  parseOffsetPage,
  readFields,
} from "./request.ts";

export async function getSubjects(request: ConfluentRequest): Promise<Answer> {
  const { edge, query } = request;
  const deleted = query.flag("deletedOnly") ? "only" : query.flag("deleted") ? "also" : "no";
  const prefix = query.text("subjectPrefix") ?? EVERY_CONTEXT_PREFIX;
  const listed = requireValue(await listSubjectNames(edge, { prefix, deleted }));
  const { offset, limit } = parseOffsetPage(query, Number.MAX_SAFE_INTEGER);
  return answerJson(request, listed.names.slice(offset, offset + limit), answeredAt(listed.asOf));
}

export async function lookUpSchema(request: ConfluentRequest): Promise<Answer> {
  const { edge, params, query } = request;
  const view = query.text("format");
  const unsupported = viewProblem(view);
  if (unsupported) throw new RegistryError(unsupported);
  const { format, text, references, metadata, ruleSet } = parseRegistrationBody(await readFields(request));
  if (text === "") return findNothing(request);
  const found = requireValue(
    await lookUpConfluent(
      edge,
      {
        name: parseSubjectName(params.subject!),
        format,
        text,
        references,
        metadata,
        ruleSet,
        normalise: query.flag("normalize"),
        deleted: query.flag("deleted"),
      },
      parseConsistency(request),
    ),
  );
  const { record, exact, asOf, source } = found;
  const stored = requireValue(await readShownText(edge, record.contentHash));
  const shown = requireValue(await textInView(edge, { ...record, text: stored.text }, view));
  // The Confluent server builds the answer to an exact match from the request, so it has no ts and no deleted.
  const entity = schemaEntity(record, { text: shown }, edge.settings.confluentApiLevel, !exact);
  return answerJson(request, entity, provenance(asOf, source));
}

/** No version has an empty text, so the only other possible result is a missing subject. */
async function findNothing({ edge, params, query }: ConfluentRequest): Promise<never> {
  const name = parseSubjectName(params.subject!);
  const any = { name, properties: [], deleted: query.flag("deleted") };
  const { value, asOf } = requireValue(await edge.primary.read("recordByProperties", any));
  const isMissing = "missing" in value && value.missing === "subject";
  const detail = "No version of the subject has an empty text.";
  throw new RegistryError(
    isMissing ? subjectNotFound(name) : makeRefusal("SCHEMA_TEXT_NOT_FOUND", [], detail),
    answeredAt(asOf),
  );
}

export async function removeSubject(request: ConfluentRequest): Promise<Answer> {
  const { edge, caller, params, query } = request;
  const subject = {
    subject: params.subject!,
    context: undefined,
    permanent: query.flag("permanent"),
    needsVersion: true,
  };
  const { deleted, asOf } = requireValue(await deleteSubject(edge, caller, subject, idempotencyKey(request)));
  return answerJson(request, deleted.versions, answeredAt(asOf));
}

export async function getVersionWithMetadata(request: ConfluentRequest): Promise<Answer> {
  const { edge, params, query } = request;
  const name = parseSubjectName(params.subject!);
  const values = query.all("value");
  const properties = query.all("key").map((key, index): [string, string] => [key, values[index] ?? ""]);
  const answer = requireValue(
    await edge.primary.read("recordByProperties", { name, properties, deleted: query.flag("deleted") }),
  );
  if ("missing" in answer.value) {
    throw new RegistryError(
      answer.value.missing === "subject"
        ? subjectNotFound(name)
        : makeRefusal("SCHEMA_TEXT_NOT_FOUND", [], "No version of the subject has this metadata."),
    );
  }
  const record = answer.value.found;
  const stored = requireValue(await readShownText(edge, record.contentHash));
  const content = { ...record, text: stored.text };
  const text = requireValue(await textInView(edge, content, query.text("format")));
  return answerJson(request, schemaEntity(record, { text }, edge.settings.confluentApiLevel), answeredAt(answer.asOf));
}
