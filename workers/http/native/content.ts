/** `/schemas/{id}/content`: the hot read. */
import { isId, schemaNotFound } from "../../registry/read/read.ts";
import { type Answer, JSON_MEDIA_TYPE } from "../answer.ts";
import { RegistryError } from "../errors.ts";
import { renderedContentAnswer } from "../rendered-content.ts";
import { contentForm, contentJson } from "./rendering.ts";
import type { NativeRequest } from "./request.ts";

export function getSchemaContent(request: NativeRequest): Answer | Promise<Answer> {
  const { path, query, token } = request;
  const id = path.id!;
  if (!isId(id)) throw new RegistryError(schemaNotFound(id));
  const form = contentForm(query.content);
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
