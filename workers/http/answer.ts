/** A handler's result as plain data, so that the app can add its headers before it creates the one Response. */
import { printTraceparent, type TraceContext } from "../../observe/trace-context.ts";
import type { AsOf } from "../../registry/log-entry.ts";
import type { Taken } from "../limits/limiter.ts";
import type { Source } from "../read-path/read-through.ts";
import { printToken } from "../read-path/token.ts";
import { setRateLimit } from "./access/response-headers.ts";

export type Answer = {
  status: number;
  headers: Record<string, string>;
  /** A stream, for responses of unbounded size. */
  body: string | Uint8Array | ReadableStream<Uint8Array> | null;
  /** The client's end of a WebSocket; status 101 only. */
  webSocket?: WebSocket;
  /**
   * Used instead of `headers` for responses that are sent many times; made by `prebuiltHeaders`. Copying headers takes
   * a third of such a response's time.
   */
  prebuilt?: Headers;
};

/**
 * Defaults of every response: nothing is cached, rendered, framed, or embedded by another site. The documentation page
 * loosens them for its own style.
 */
const COMMON_HEADERS: Readonly<Record<string, string>> = {
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
};
/** A deployment is reached by https alone, so browsers may never try http. Subdomains are not the registry's to decide. */
const DEPLOYED_HEADERS: Readonly<Record<string, string>> = {
  ...COMMON_HEADERS,
  "Strict-Transport-Security": "max-age=31536000",
};

function commonHeaders(isLocal: boolean): Readonly<Record<string, string>> {
  return isLocal ? COMMON_HEADERS : DEPLOYED_HEADERS;
}

/** Headers that are copied into responses. */
export function prebuiltHeaders(headers: Readonly<Record<string, string>>, isLocal: boolean): Headers {
  return new Headers({ ...commonHeaders(isLocal), ...headers });
}

type Carried = {
  requestId: string;
  trace: TraceContext | undefined;
  taken: Taken | undefined;
  cors: readonly [name: string, value: string][];
  isLocal: boolean;
};

/** Creates the Response, with the request's id and its trace. */
export function respond(
  { status, headers, body, webSocket, prebuilt }: Answer,
  { requestId, trace, taken, cors, isLocal }: Carried,
): Response {
  // The Response copies its headers, so one prebuilt set can carry the id of one response after another.
  prebuilt?.set("X-Request-ID", requestId);
  // If rate limits are on, every caller has one, so a prebuilt response never carries another caller's limit.
  if (taken !== undefined && prebuilt !== undefined) setRateLimit(prebuilt, taken);
  const response = new Response(body as BodyInit | null, {
    status,
    headers: prebuilt ?? { ...commonHeaders(isLocal), "X-Request-ID": requestId, ...headers },
    // Skipped without a trace, because every read from memory runs through here.
    ...(webSocket === undefined ? {} : { webSocket }),
  });
  if (taken !== undefined && prebuilt === undefined) setRateLimit(response.headers, taken);
  // Specific to one origin, so never part of a prebuilt set.
  for (const [name, value] of cors) response.headers.set(name, value);
  if (trace !== undefined) response.headers.set("traceparent", printTraceparent(trace));
  return response;
}

export const JSON_MEDIA_TYPE = "application/json";

export function jsonAnswer<T = unknown>(status: number, value: T, headers: Record<string, string> = {}): Answer {
  return jsonTextAnswer(status, JSON.stringify(value), headers);
}

/** For a body that is already JSON text. */
export function jsonTextAnswer(
  status: number,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): Answer {
  return { status, headers: { "Content-Type": JSON_MEDIA_TYPE, ...headers }, body };
}

/** Provenance headers: the token to send back, and where the data was read from. */
export function provenance(asOf: AsOf, source: Source): Record<string, string> {
  return { "X-Registry-Seq": printToken(asOf), "X-Registry-Source": source };
}

/** Whether the caller's `If-None-Match` contains this ETag, by weak comparison as RFC 9110 requires for GET. */
export function matchesETag(ifNoneMatch: unknown, etag: string): boolean {
  if (typeof ifNoneMatch !== "string") return false;
  if (ifNoneMatch === etag || ifNoneMatch.trim() === "*") return true;
  return ifNoneMatch.split(",").some((candidate) => candidate.trim().replace(/^W\//, "") === etag);
}

/** A 304: the headers of the full response, without those that describe a body. */
export function notModified({ headers }: Answer): Answer {
  const { "Content-Type": _, ...rest } = headers;
  return { status: 304, headers: rest, body: null };
}
