/** Headers about the caller's limit, and those that let pages of listed origins read responses. */
import type { Taken } from "../../limits/limiter.ts";

/** What a set of headers already says: setting one costs more than the rest of a limit, and two of three rarely change. */
const SAID = new WeakMap<Headers, Pick<Taken, "limit" | "resetSeconds">>();

export function setRateLimit(headers: Headers, { limit, remaining, resetSeconds }: Taken): void {
  headers.set("X-RateLimit-Remaining", String(remaining));
  const said = SAID.get(headers);
  if (said?.limit === limit && said.resetSeconds === resetSeconds) return;
  headers.set("X-RateLimit-Limit", String(limit));
  headers.set("X-RateLimit-Reset", String(resetSeconds));
  SAID.set(headers, { limit, resetSeconds });
}

const NONE: [string, string][] = [];

/**
 * Headers that a page may read in addition to the safelisted ones
 * (https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name).
 */
const EXPOSED =
  "ETag, Link, Location, Retry-After, X-Request-ID, X-Registry-Seq, X-Registry-Source, X-Registry-Stale, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset";
const SENT =
  "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Mcp-Method, Mcp-Name, MCP-Protocol-Version, traceparent, X-API-Key, X-Registry-Consistency, X-Registry-Min-Seq, X-Registry-Override, X-Request-ID, X-Schema-Guid";
/** Browsers cache a preflight for at most two hours; a shortened list of origins should take effect sooner. */
const PREFLIGHT_SECONDS = 600;

/** For pages of listed origins only. Credentials are sent in headers that pages set, never in cookies. */
export function corsHeaders(request: Request, origins: ReadonlySet<string>): [string, string][] {
  if (origins.size === 0) return NONE;
  const origin = request.headers.get("Origin");
  if (origin === null || !origins.has(origin)) return [["Vary", "Origin"]];
  return [
    ["Vary", "Origin"],
    ["Access-Control-Allow-Origin", origin],
    ["Access-Control-Expose-Headers", EXPOSED],
  ];
}

/** The response to a preflight adds the allowed methods and headers; `corsHeaders` adds the origin. */
export function preflightHeaders(request: Request, methods: readonly string[]): Record<string, string> {
  if (!request.headers.has("Access-Control-Request-Method")) return {};
  return {
    "Access-Control-Allow-Methods": methods.join(", "),
    "Access-Control-Allow-Headers": SENT,
    "Access-Control-Max-Age": String(PREFLIGHT_SECONDS),
  };
}
