/** `/schemas/{id}/content`: the hot read. A hit answers the bytes that were rendered before, without touching the content again. */
import type { AsOf } from "../../../durable-objects/protocol";
import { CONTENT_FRESH_MS, readContent } from "../../read-path/content";
import { ageMs, type Cached, type Source } from "../../read-path/read-through";
import { contentSatisfies } from "../../read-path/token";
import { isId, schemaNotFound } from "../../registry/read";
import { type Answer, jsonTextAnswer, matchesETag, notModified, provenance } from "../answer";
import { RegistryError, requireValue } from "../errors";
import { contentForm, contentJson } from "./rendering";
import type { NativeRequest } from "./request";

/** `guid` and `contentHash` let a hard delete find the entry. */
type Rendered = { bytes: Uint8Array; etag: string; guid: string; contentHash: string };

export async function getSchemaContent(request: NativeRequest): Promise<Answer> {
  const { edge, caller, path, query, token } = request;
  const { tenant } = caller;
  const id = path.id!;
  const form = contentForm(query.content);
  const key = renderedKey(form, id);
  const known = edge.cache.get(tenant, key) as Cached<Rendered> | undefined;
  if (known && ageMs(edge, known) <= CONTENT_FRESH_MS && contentSatisfies(known.asOf, token)) {
    return contentAnswer(request, known, "memory", false);
  }
  if (!isId(id)) throw new RegistryError(schemaNotFound(id));
  const found = requireValue(await readContent(edge, tenant, { selector: { id }, token }));
  if ("absent" in found) {
    for (const shown of ["json", "text"]) edge.cache.delete(tenant, renderedKey(shown, id));
    throw new RegistryError(schemaNotFound(id), provenance(found.asOf, "primary"));
  }
  const { value: content, readAtMs, asOf, source, stale } = found;
  const bytes = new TextEncoder().encode(contentJson(content, form));
  const etag = `"${content.contentHash.slice(0, 32)}${form === "json" ? "" : `-${form}`}"`;
  const { guid, contentHash } = content;
  const rendered: Cached<Rendered> = { readAtMs, asOf, value: { bytes, etag, guid, contentHash } };
  edge.cache.put(tenant, key, rendered, bytes.byteLength + 256);
  return contentAnswer(request, rendered, source, stale);
}

function contentAnswer(
  { request, edge }: NativeRequest,
  cached: { readAtMs: number; asOf: AsOf; value: Rendered },
  source: Source,
  stale: boolean,
): Answer {
  const { bytes, etag } = cached.value;
  const restSeconds = Math.max(0, Math.floor((CONTENT_FRESH_MS - ageMs(edge, cached)) / 1_000));
  const headers: Record<string, string> = {
    ...provenance(cached.asOf, source),
    ETag: etag,
    "Cache-Control": `private, max-age=${restSeconds}`,
  };
  if (stale) headers["X-Registry-Stale"] = "true";
  const answer = jsonTextAnswer(200, bytes, headers);
  return matchesETag(request.headers.get("If-None-Match"), etag) ? notModified(answer) : answer;
}

function renderedKey(form: string, id: string): string {
  return `rendered/${form}/${id}`;
}
