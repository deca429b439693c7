/** `/schemas`: register, read, list, change, delete. */
import type { LifecycleState, SchemaRecord } from "../../../registry/record.ts";
import type { CompatibilityLevel } from "../../../schema/compatibility.ts";
import type { FormatName, JsonDialect } from "../../../schema/format.ts";
import type { Role } from "../../../schema/rules/roles.ts";
import { readShownText, shownText } from "../../read-path/texts.ts";
import { checkSchema } from "../../registry/compatibility/check.ts";
import { readPortability } from "../../registry/projection/portability.ts";
import { type ContentText, contentText, inCallersText, schemaFileText } from "../../registry/read/content-text.ts";
import { listRecords } from "../../registry/read/list.ts";
import { readById, readSubjectFormat } from "../../registry/read/read.ts";
import { deleteById, undelete } from "../../registry/write/delete.ts";
import { eraseVersion } from "../../registry/write/erasure.ts";
import { type Registration, register } from "../../registry/write/register.ts";
import { updateRecord } from "../../registry/write/update.ts";
import { type Answer, jsonAnswer, jsonTextAnswer, provenance } from "../answer.ts";
import { requireValue } from "../errors.ts";
import {
  contentNode,
  idempotencyKey,
  ifMatchSeq,
  printContentText,
  requestedAttributes,
  requestedDataContract,
  requestedReferences,
  requireInCallersText,
  textParameter,
} from "./fields.ts";
import { fileFormat, readSchemaFile } from "./file-format.ts";
import { pageAnswer, parseConsistency, recordAnswer } from "./records.ts";
import { contentForm, recordETag, recordJson } from "./rendering.ts";
import type { NativeRequest } from "./request.ts";
import type { Shape } from "./shapes.ts";

export async function registerSchema(request: NativeRequest): Promise<Answer> {
  const { edge, tree } = request;
  const body = request.body as Shape<"Registration">;
  const node = contentNode(tree!);
  const format =
    body.format ?? requireValue(await readSubjectFormat(edge, { subject: body.subject, context: undefined }));
  const content = requireValue(contentText(format, node));
  return answerRegistration(request, content, {
    subject: body.subject,
    context: undefined,
    format,
    references: requestedReferences(body.references),
    contract: requestedDataContract(body.contract),
    dialect: body.dialect ?? null,
    semver: body.version ?? null,
    compatibilityLevel: body.compatibility_level ?? null,
    state: body.state ?? "active",
    attributes: requestedAttributes(body),
  });
}

/** `curl --data-binary @order.avsc`: the text, unwrapped. */
export async function registerFile(request: NativeRequest): Promise<Answer> {
  const { edge, path, query } = request;
  const subject = { subject: path.subject!, context: textParameter(request, "context") };
  const named = fileFormat(request);
  const content = requireValue(schemaFileText(await readSchemaFile(request.request)));
  const format = named ?? requireValue(await readSubjectFormat(edge, subject));
  return answerRegistration(request, content, {
    ...subject,
    format,
    references: [],
    contract: { metadata: null, ruleSet: null },
    dialect: (query.dialect as JsonDialect | undefined) ?? null,
    semver: textParameter(request, "version") ?? null,
    compatibilityLevel: (query.compatibility_level as CompatibilityLevel | undefined) ?? null,
    state: query.state as "draft" | "active",
    attributes: query.role === undefined ? {} : { role: query.role as Role },
  });
}

async function answerRegistration(
  request: NativeRequest,
  content: ContentText,
  registration: Omit<Registration, "text">,
): Promise<Answer> {
  const { edge, caller, query } = request;
  const outcome = await register(edge, caller, { ...registration, text: content.text }, idempotencyKey(request));
  const { registered, asOf, text: registeredText } = requireInCallersText(outcome, content);
  const { record, created } = registered;
  const warnings = inCallersText(registered.warnings, content);
  const text =
    registeredText === undefined
      ? requireValue(await readShownText(edge, record.contentHash))
      : shownText(edge, record.contentHash, registeredText);
  return jsonTextAnswer(created ? 201 : 200, recordJson(record, text, contentForm(query.content), warnings), {
    ...provenance(asOf, "primary"),
    ETag: recordETag(record),
    ...(created ? { Location: `/api/v1/schemas/${record.id}` } : {}),
  });
}

export async function getSchema(request: NativeRequest): Promise<Answer> {
  const { edge, path, query } = request;
  const wanted = { id: path.id!, deleted: query.deleted === true };
  const read = requireValue(await readById(edge, wanted, parseConsistency(request)));
  if (query.portability !== true) return recordAnswer(request, read);
  const { record, text, asOf, source } = read;
  const portability = requireValue(await readPortability(edge, record, text.text));
  const json = recordJson(record, text, contentForm(query.content));
  const body = portability === null ? json : `${json.slice(0, -1)},"portability":${JSON.stringify(portability)}}`;
  // Without an ETag: the summary also changes with the profiles.
  return jsonTextAnswer(200, body, { ...provenance(asOf, source), "Cache-Control": "private, no-cache" });
}

export async function listSchemas(request: NativeRequest): Promise<Answer> {
  const { edge, query } = request;
  const form = contentForm(query.content);
  const [format, state, tag] = [query.format, query.state, query.tag];
  const page = await listRecords(edge, {
    ...(format === undefined ? {} : { format: format as FormatName }),
    ...(state === undefined ? {} : { state: state as LifecycleState }),
    ...(tag === undefined ? {} : { tag: tag as string }),
    subjectPrefix: textParameter(request, "subject_prefix"),
    context: textParameter(request, "context"),
    latestOnly: query.latest_only === true,
    deleted: query.deleted === true,
    limit: query.limit as number,
    cursor: textParameter(request, "cursor"),
    withTexts: true,
  });
  return pageAnswer(requireValue(page), form);
}

export async function updateSchema(request: NativeRequest): Promise<Answer> {
  const { edge, caller, path } = request;
  const body = request.body as Shape<"RecordChanges">;
  const update = {
    id: path.id!,
    changes: requestedAttributes(body),
    state: body.state ?? null,
    reason: body.reason ?? null,
    ifMatchSeq: ifMatchSeq(request),
  };
  const { record, asOf } = requireValue(await updateRecord(edge, caller, update, idempotencyKey(request)));
  return changedAnswer(request, record, provenance(asOf, "primary"));
}

export async function deleteSchema(request: NativeRequest): Promise<Answer> {
  const { edge, caller, path, query } = request;
  const wanted = { id: path.id!, permanent: query.permanent === true, ifMatchSeq: ifMatchSeq(request) };
  const asOf = requireValue(await deleteById(edge, caller, wanted, idempotencyKey(request)));
  return { status: 204, headers: provenance(asOf, "primary"), body: null };
}

export async function eraseSchema(request: NativeRequest): Promise<Answer> {
  const { edge, caller, path } = request;
  const { reason = null } = request.body as Shape<"Erasure">;
  const erasure = { id: path.id!, reason };
  const { changeSet, asOf } = requireValue(await eraseVersion(edge, caller, erasure, idempotencyKey(request)));
  return jsonAnswer<Shape<"ErasedSchema">>(200, { change_set: changeSet, id: erasure.id }, provenance(asOf, "primary"));
}

export async function undeleteSchema(request: NativeRequest): Promise<Answer> {
  const { edge, caller, path } = request;
  const { record, asOf } = requireValue(await undelete(edge, caller, path.id!, idempotencyKey(request)));
  return changedAnswer(request, record, provenance(asOf, "primary"));
}

export async function checkSchemaText(request: NativeRequest): Promise<Answer> {
  const { edge, tree } = request;
  const { format, references, dialect } = request.body as Shape<"SchemaToCheck">;
  const content = printContentText(format, tree!);
  const checked = requireInCallersText(
    await checkSchema(edge, {
      format,
      text: content.text,
      references: requestedReferences(references),
      dialect,
      context: textParameter(request, "context"),
    }),
    content,
  );
  return jsonAnswer<Shape<"SchemaCheck">>(
    200,
    checked.valid
      ? {
          valid: true,
          errors: [],
          warnings: inCallersText(checked.warnings, content),
          canonical_text: checked.canonicalText,
          fingerprint: `sha256:${checked.fingerprint}`,
        }
      : { valid: false, errors: inCallersText(checked.errors, content), warnings: [] },
  );
}

async function changedAnswer(
  { edge, query }: NativeRequest,
  record: SchemaRecord,
  headers: Record<string, string>,
): Promise<Answer> {
  const text = requireValue(await readShownText(edge, record.contentHash));
  const body = recordJson(record, text, contentForm(query.content));
  return jsonTextAnswer(200, body, { ...headers, ETag: recordETag(record) });
}
