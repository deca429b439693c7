/** Holds reads to their consistency token once the primary has answered. */
import { notReached, parseToken, recordSatisfies } from "../read-path/token.ts";
import type { Answer } from "./answer.ts";
import { RegistryError } from "./errors.ts";

/**
 * Refuses a read whose token is newer than the primary's state, rather than answer with an older one. Caches are held to
 * the token before they answer; a write has already happened.
 */
export function requireReached(request: Request, { headers, body }: Answer): void {
  const given = request.headers.get("X-Registry-Min-Seq");
  if (given === null || headers["X-Registry-Source"] !== "primary") return;
  const [token, asOf] = [parseToken(given), parseToken(headers["X-Registry-Seq"] ?? "")];
  if (token === undefined || asOf === undefined || recordSatisfies(asOf, token)) return;
  if (body instanceof ReadableStream) void body.cancel();
  throw new RegistryError(notReached(token, asOf), { "X-Registry-Seq": headers["X-Registry-Seq"]! });
}
