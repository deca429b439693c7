/** Responses with records: a single one with its ETag, or a page. */
import { type Consistency, RECORD_MAX_AGE_MS } from "../../read-path/records.ts";
import type { RecordPage } from "../../registry/read/list.ts";
import type { ReadRecord } from "../../registry/read/read.ts";
import { type Answer, jsonTextAnswer, matchesETag, notModified, provenance } from "../answer.ts";
import { type ContentForm, contentForm, recordETag, recordJson } from "./rendering.ts";
import type { NativeRequest } from "./request.ts";

/** The maximum age of a record that this caller accepts. */
export function parseConsistency({ header, token }: NativeRequest): Consistency {
  return { token, maxAgeMs: header["X-Registry-Consistency"] === "eventual" ? RECORD_MAX_AGE_MS : 0 };
}

export function recordAnswer({ request, query }: NativeRequest, { record, text, asOf, source }: ReadRecord): Answer {
  const etag = recordETag(record);
  const headers = { ...provenance(asOf, source), ETag: etag, "Cache-Control": "private, no-cache" };
  if (matchesETag(request.headers.get("If-None-Match"), etag)) {
    return notModified({ status: 200, headers, body: null });
  }
  return jsonTextAnswer(200, recordJson(record, text, contentForm(query.content)), headers);
}

export function pageAnswer({ items, nextCursor, asOf }: RecordPage, form: ContentForm): Answer {
  const listed = items.map(({ record, text }) => recordJson(record, text, form)).join(",");
  const next = nextCursor === undefined ? "" : `,"next_cursor":${JSON.stringify(nextCursor)}`;
  return jsonTextAnswer(200, `{"items":[${listed}]${next}}`, provenance(asOf, "primary"));
}
