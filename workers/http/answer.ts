/** What a handler gives back: plain, so that the app can add its headers before the one Response is made. */
import { printTraceparent, type TraceContext } from "../../observe/trace-context.ts";
import type { AsOf } from "../../registry/log-entry.ts";
import type { Source } from "../read-path/read-through.ts";
import { printToken } from "../read-path/token.ts";

export type Answer = {
  status: number;
  headers: Record<string, string>;
  /** A stream for answers that have no bound in size. */
  body: string | Uint8Array | ReadableStream<Uint8Array> | null;
  /** With status 101: the caller's end of a socket. */
  webSocket?: WebSocket;
  /** Instead of `headers`, made by `prebuiltHeaders` for an answer that is given many times: copying them costs a third. */
  prebuilt?: Headers;
};

/**
 * What every answer says, unless it says otherwise itself. JSON that no browser may sniff into something else is never
 * rendered as a document, so what only documents need is said by the page of documentation alone: a header costs 2 µs.
 */
const COMMON_HEADERS: Readonly<Record<string, string>> = {
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
};

/** Headers that answers copy. */
export function prebuiltHeaders(headers: Readonly<Record<string, string>>): Headers {
  return new Headers({ ...COMMON_HEADERS, ...headers });
}

/** The one Response, with the request's id and the trace it belongs to. */
export function respond(
  { status, headers, body, webSocket, prebuilt }: Answer,
  requestId: string,
  trace: TraceContext | undefined,
): Response {
  // The Response copies its headers, so a prebuilt set may carry the id of one answer after the other.
  prebuilt?.set("X-Request-ID", requestId);
  const response = new Response(body as BodyInit | null, {
    status,
    headers: prebuilt ?? { ...COMMON_HEADERS, "X-Request-ID": requestId, ...headers },
    // Left out wherever there is none: every read from memory passes here.
    ...(webSocket === undefined ? {} : { webSocket }),
  });
  if (trace !== undefined) response.headers.set("traceparent", printTraceparent(trace));
  return response;
}

export const JSON_MEDIA_TYPE = "application/json";

export function jsonAnswer<T = unknown>(status: number, value: T, headers: Record<string, string> = {}): Answer {
  return jsonTextAnswer(status, JSON.stringify(value), headers);
}

/** For a body that is JSON text already. */
export function jsonTextAnswer(
  status: number,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): Answer {
  return { status, headers: { "Content-Type": JSON_MEDIA_TYPE, ...headers }, body };
}

/** Says what the answer is based on: the token to send back, and where it was found. */
export function provenance(asOf: AsOf, source: Source): Record<string, string> {
  return { "X-Registry-Seq": printToken(asOf), "X-Registry-Source": source };
}

/** Whether the caller's `If-None-Match` names this ETag; weak comparison, as RFC 9110 asks for GET. */
export function matchesETag(ifNoneMatch: unknown, etag: string): boolean {
  if (typeof ifNoneMatch !== "string") return false;
  if (ifNoneMatch === etag || ifNoneMatch.trim() === "*") return true;
  return ifNoneMatch.split(",").some((candidate) => candidate.trim().replace(/^W\//, "") === etag);
}

/** The caller's copy is current: the headers of the full answer, without those that describe a body. */
export function notModified({ headers }: Answer): Answer {
  const { "Content-Type": _, ...rest } = headers;
  return { status: 304, headers: rest, body: null };
}
