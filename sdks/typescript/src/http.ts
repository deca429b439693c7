/** One attempt over fetch: a request out, status, headers and body text back. */
import type { Clock } from "./engine/clock.js";

export interface HttpRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string | undefined;
}

export interface HttpAnswer {
  status: number;
  headers: Headers;
  text: string;
}

/** How an attempt ended without an answer. */
export type Lost =
  | { kind: "timeout" }
  | { kind: "lost"; mayHaveBeenSent: boolean; cause: unknown }
  /** Retrying cannot help: a bad certificate or an invalid URL. */
  | { kind: "hopeless"; cause: unknown };

export async function attempt(
  send: typeof fetch,
  request: HttpRequest,
  limits: { timeoutMs: number; signal: AbortSignal | undefined; clock: Clock },
): Promise<HttpAnswer | Lost> {
  const { signal, clock, timeoutMs } = limits;
  signal?.throwIfAborted();
  const stop = new AbortController();
  let timedOut = false;
  const stopTimer = clock.startTimer(timeoutMs, () => {
    timedOut = true;
    stop.abort();
  });
  const cancel = () => stop.abort();
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    const { method, headers, body } = request;
    const init: RequestInit = { method, headers, redirect: "manual", signal: stop.signal };
    if (body !== undefined) init.body = body;
    const response = await send(request.url, init);
    return { status: response.status, headers: response.headers, text: await response.text() };
  } catch (error) {
    signal?.throwIfAborted();
    return timedOut ? { kind: "timeout" } : describeFailure(error);
  } finally {
    stopTimer();
    signal?.removeEventListener("abort", cancel);
  }
}

/**
 * The cause of a fetch error has the system code of the connection's failure. With the codes in this list nothing was
 * sent.
 */
const NOT_SENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);
const HOPELESS = /^(CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_INVALID_URL|HOSTNAME_MISMATCH)/;

export function describeFailure(error: unknown): Lost {
  let code = "";
  for (let cause = error, depth = 0; typeof cause === "object" && cause !== null && depth < 5; depth++) {
    const named = (cause as { code?: unknown }).code;
    if (typeof named === "string") code = named;
    cause = (cause as { cause?: unknown }).cause;
  }
  if (HOPELESS.test(code)) return { kind: "hopeless", cause: error };
  return { kind: "lost", mayHaveBeenSent: !NOT_SENT.has(code), cause: error };
}
