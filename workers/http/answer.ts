/** What a handler gives back: plain, so that the app can add its headers before the one Response is made. */
import type { AsOf } from "../../durable-objects/protocol";
import type { Source } from "../read-path/read-through";
import { printToken } from "../read-path/token";

export type Answer = {
  status: number;
  headers: Record<string, string>;
  body: string | Uint8Array | null;
};

export const JSON_MEDIA_TYPE = "application/json";

export function jsonAnswer(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
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
export function matchesETag(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  if (ifNoneMatch === etag || ifNoneMatch.trim() === "*") return true;
  return ifNoneMatch.split(",").some((candidate) => candidate.trim().replace(/^W\//, "") === etag);
}

/** The caller's copy is current: the headers of the full answer, without those that describe a body. */
export function notModified({ headers }: Answer): Answer {
  const { "Content-Type": _, ...rest } = headers;
  return { status: 304, headers: rest, body: null };
}
