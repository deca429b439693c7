/** `/schemas/{id}/content`: the hot read. */

import { makeRefusal } from "../../../contract/errors.ts";
import { schemaNotFound } from "../../../registry/record.ts";
import { isId } from "../../registry/read/read.ts";
import { readTarget } from "../../validation/targets.ts";
import { type Answer, JSON_MEDIA_TYPE, jsonTextAnswer, provenance } from "../answer.ts";
import { RegistryError } from "../errors.ts";
import { renderedContentAnswer } from "../rendered-content.ts";
import { parseConsistency } from "./records.ts";
import { contentForm, contentJson } from "./rendering.ts";
import type { NativeRequest } from "./request.ts";

/** The content with its references inlined; rebuilt each time, because references may resolve differently later. */
async function bundleAnswer(request: NativeRequest, id: string): Promise<Answer> {
  const found = await readTarget(request.edge, { id }, parseConsistency(request));
  if (!found.ok) throw new RegistryError(found.refusal);
  const { target, asOf, source } = found.value;
  const { format, model, dialect } = target;
  const bundled = format.bundle(model);
  if (!bundled.ok) {
    const detail = `The schema cannot be bundled: ${bundled.refusal.message}`;
    const error = bundled.refusal.rule === "too_complex" ? "TOO_COMPLEX" : "UNSUPPORTED";
    throw new RegistryError(makeRefusal(error, [detail], detail, { items: [bundled.refusal] }));
  }
  const isText = format.name === "protobuf" || request.query.content === "text";
  const head = JSON.stringify({ format: format.name, ...(dialect === null ? {} : { dialect }) });
  const content = isText ? JSON.stringify(bundled.value) : bundled.value;
  return jsonTextAnswer(200, `${head.slice(0, -1)},"content":${content},"references":[]}`, provenance(asOf, source));
}

export function getSchemaContent(request: NativeRequest): Answer | Promise<Answer> {
  const { path, query, token } = request;
  const id = path.id!;
  if (!isId(id)) throw new RegistryError(schemaNotFound(id));
  const form = contentForm(query.content);
  if (query.bundle === true) return bundleAnswer(request, id);
  return renderedContentAnswer(request, {
    key: `native/${form}/${id}`,
    selector: { id },
    token,
    mediaType: JSON_MEDIA_TYPE,
    render: (content) => ({
      text: contentJson(content, form),
      etag: `"${content.contentHash.slice(0, 32)}${form === "json" ? "" : `-${form}`}"`,
    }),
    notFound: () => schemaNotFound(id),
  });
}
