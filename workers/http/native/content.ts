/** `/schemas/{id}/content`: the hot read. A hit answers the bytes that were rendered before, without touching the content again. */
import { CONTENT_FRESH_MS, readContent } from "../../read-path/content";
import { ageMs, type Cached, type Source } from "../../read-path/read-through";
import { contentSatisfies } from "../../read-path/token";
import { isId, schemaNotFound } from "../../registry/read";
import {
  type Answer,
  JSON_MEDIA_TYPE,
  jsonTextAnswer,
  matchesETag,
  notModified,
  prebuiltHeaders,
  provenance,
} from "../answer";
import { RegistryError, requireValue } from "../errors";
import { type ContentForm, contentForm, contentJson } from "./rendering";
import type { NativeRequest } from "./request";

/** `guid` and `contentHash` let a hard delete find the entry. */
type Rendered = { bytes: Uint8Array; etag: string; guid: string; contentHash: string };

export function getSchemaContent(request: NativeRequest): Answer | Promise<Answer> {
  const { edge, caller, path, query, token } = request;
  const { tenant } = caller;
  const id = path.id!;
  const form = contentForm(query.content);
  const key = renderedKey(form, id);
  const known = edge.cache.get(tenant, key) as Cached<Rendered> | undefined;
  if (known && ageMs(edge, known) <= CONTENT_FRESH_MS && contentSatisfies(known.asOf, token)) {
    return contentAnswer(request, known, "memory", false);
  }
  return readSchemaContent(request, id, form);
}

async function readSchemaContent(request: NativeRequest, id: string, form: ContentForm): Promise<Answer> {
  const { edge, caller, token } = request;
  const { tenant } = caller;
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
  edge.cache.put(tenant, renderedKey(form, id), rendered, bytes.byteLength + 256);
  return contentAnswer(request, rendered, source, stale);
}

function contentAnswer(
  { header, edge }: NativeRequest,
  cached: Cached<Rendered>,
  source: Source,
  stale: boolean,
): Answer {
  const { bytes, etag } = cached.value;
  const restSeconds = Math.max(0, Math.floor((CONTENT_FRESH_MS - ageMs(edge, cached)) / 1_000));
  if (source === "memory" && !stale && header["If-None-Match"] === undefined) {
    return { status: 200, headers: {}, body: bytes, prebuilt: headersInMemory(cached, restSeconds) };
  }
  const answer = jsonTextAnswer(200, bytes, contentHeaders(cached, source, restSeconds));
  if (stale) answer.headers["X-Registry-Stale"] = "true";
  return matchesETag(header["If-None-Match"], etag) ? notModified(answer) : answer;
}

function contentHeaders(
  { asOf, value }: Cached<Rendered>,
  source: Source,
  restSeconds: number,
): Record<string, string> {
  return {
    ...provenance(asOf, source),
    ETag: value.etag,
    "Cache-Control": `private, max-age=${restSeconds}`,
  };
}

/** Made from a cached rendering and nothing else, so they may live as long as it does; they change with the second. */
const HEADERS_IN_MEMORY = new WeakMap<Cached<Rendered>, { restSeconds: number; headers: Headers }>();

function headersInMemory(cached: Cached<Rendered>, restSeconds: number): Headers {
  const known = HEADERS_IN_MEMORY.get(cached);
  if (known?.restSeconds === restSeconds) return known.headers;
  const headers = prebuiltHeaders({
    "Content-Type": JSON_MEDIA_TYPE,
    ...contentHeaders(cached, "memory", restSeconds),
  });
  HEADERS_IN_MEMORY.set(cached, { restSeconds, headers });
  return headers;
}

function renderedKey(form: string, id: string): string {
  return `rendered/${form}/${id}`;
}
