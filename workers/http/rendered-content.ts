/** The hot read of both APIs: content under a name whose meaning never changes, rendered to bytes once. */
import type { Refusal } from "../../contract/errors.ts";
import type { AsOf } from "../../registry/log-entry.ts";
import { CONTENT_FRESH_MS, type ContentSelector, type ReadableContent, readContent } from "../read-path/content.ts";
import { ageMs, type Cached, type Source } from "../read-path/read-through.ts";
import { contentSatisfies } from "../read-path/token.ts";
import { isKnownReadable } from "../read-path/uses.ts";
import { type Answer, jsonTextAnswer, matchesETag, notModified, prebuiltHeaders, provenance } from "./answer.ts";
import type { Call } from "./call.ts";
import { RegistryError, requireValue } from "./errors.ts";

/** `guid` and `contentHash` let a hard delete find the entry. */
type Rendered = { bytes: Uint8Array; etag: string; guid: string; contentHash: string };

type ContentToRender = {
  /** Identifies the content and its form; unique within the tenant. */
  key: string;
  selector: ContentSelector;
  token: AsOf | undefined;
  mediaType: string;
  /** Headers that the API sets on every response. */
  headers?: Readonly<Record<string, string>>;
  render(content: ReadableContent): { text: string; etag: string };
  notFound(): Refusal;
};

/** Responds from memory without touching the content, else reads and renders it. */
export function renderedContentAnswer(call: Call, wanted: ContentToRender): Answer | Promise<Answer> {
  const { edge } = call;
  // Callers that may not read it, or whose access is not known yet, take the same path as a miss.
  if (edge.access !== undefined && isKnownReadable(edge, wanted.selector) !== true) return readAndRender(call, wanted);
  const known = edge.cache.get(renderedKey(wanted)) as Cached<Rendered> | undefined;
  if (known && ageMs(edge, known) <= CONTENT_FRESH_MS && contentSatisfies(known.asOf, wanted.token)) {
    return contentAnswer(call, wanted, known, "memory", false);
  }
  return readAndRender(call, wanted);
}

async function readAndRender(call: Call, wanted: ContentToRender): Promise<Answer> {
  const { edge } = call;
  const { selector, token } = wanted;
  const found = requireValue(await readContent(edge, { selector, token }));
  if ("absent" in found) {
    if (edge.access === undefined) edge.cache.delete(renderedKey(wanted));
    throw new RegistryError(wanted.notFound(), provenance(found.asOf, "primary"));
  }
  const { value: content, readAtMs, asOf, source, stale } = found;
  const { text, etag } = wanted.render(content);
  const bytes = new TextEncoder().encode(text);
  const { guid, contentHash } = content;
  const rendered: Cached<Rendered> = { readAtMs, asOf, value: { bytes, etag, guid, contentHash } };
  edge.cache.put(renderedKey(wanted), rendered, bytes.byteLength + 256);
  return contentAnswer(call, wanted, rendered, source, stale);
}

function renderedKey({ key }: ContentToRender): string {
  return `rendered/${key}`;
}

function contentAnswer(
  { request, edge }: Call,
  { mediaType, headers: own = {} }: ContentToRender,
  cached: Cached<Rendered>,
  source: Source,
  stale: boolean,
): Answer {
  const { bytes, etag } = cached.value;
  const restSeconds = Math.max(0, Math.floor((CONTENT_FRESH_MS - ageMs(edge, cached)) / 1_000));
  const ifNoneMatch = request.headers.get("If-None-Match");
  if (source === "memory" && !stale && ifNoneMatch === null) {
    const prebuilt = headersInMemory(cached, { mediaType, own, restSeconds, isLocal: edge.isLocal });
    return { status: 200, headers: {}, body: bytes, prebuilt };
  }
  const headers = { ...own, ...contentHeaders(cached, mediaType, source, restSeconds) };
  if (stale) headers["X-Registry-Stale"] = "true";
  const answer = jsonTextAnswer(200, bytes, headers);
  return matchesETag(ifNoneMatch, etag) ? notModified(answer) : answer;
}

function contentHeaders(
  { asOf, value }: Cached<Rendered>,
  mediaType: string,
  source: Source,
  restSeconds: number,
): Record<string, string> {
  return {
    "Content-Type": mediaType,
    ...provenance(asOf, source),
    ETag: value.etag,
    "Cache-Control": `private, max-age=${restSeconds}`,
  };
}

type HeadersInMemory = { mediaType: string; restSeconds: number; headers: Headers };

/** Derived only from a cached rendering, so they can be cached as long; they change every second. */
const HEADERS_IN_MEMORY = new WeakMap<Cached<Rendered>, HeadersInMemory>();

function headersInMemory(
  cached: Cached<Rendered>,
  {
    mediaType,
    own,
    restSeconds,
    isLocal,
  }: { mediaType: string; own: Readonly<Record<string, string>>; restSeconds: number; isLocal: boolean },
): Headers {
  const known = HEADERS_IN_MEMORY.get(cached);
  if (known?.restSeconds === restSeconds && known.mediaType === mediaType) return known.headers;
  const headers = prebuiltHeaders({ ...own, ...contentHeaders(cached, mediaType, "memory", restSeconds) }, isLocal);
  HEADERS_IN_MEMORY.set(cached, { mediaType, restSeconds, headers });
  return headers;
}
