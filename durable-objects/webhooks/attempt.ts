/** One delivery request. Response bodies are barely read and never stored: they may contain anything. */

/** Timeout of one attempt: an endpoint should accept first and process later. */
export const ATTEMPT_TIMEOUT_MS = 10_000;
/** Bytes of a response body that are read so that the connection can be reused. */
const MAX_ANSWER_BYTES = 1_024;
/** Time spent reading it: meanwhile the connection blocks another delivery. */
const MAX_DRAIN_MS = 500;
const MAX_ERROR_CHARACTERS = 200;

export type Attempted = {
  /** Null without a response. */
  status: number | null;
  latencyMs: number;
  /** Null if the endpoint accepted it. */
  error: string | null;
  retryAfter: string | null;
};

/** Sends the POST and returns its result; never throws. Only a 2xx counts as success; redirects are not followed. */
export async function attempt(
  send: (url: string, init: RequestInit) => Promise<Response>,
  request: { url: string; headers: Readonly<Record<string, string>>; body: string },
  timeoutMs: number = ATTEMPT_TIMEOUT_MS,
): Promise<Attempted> {
  const startedAtMs = Date.now();
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const { url, headers, body } = request;
    const response = await send(url, { method: "POST", headers: { ...headers }, body, redirect: "manual", signal });
    const latencyMs = Date.now() - startedAtMs;
    const { status } = response;
    await drain(response);
    return { status, latencyMs, error: statusProblem(status), retryAfter: response.headers.get("Retry-After") };
  } catch (error) {
    const latencyMs = Date.now() - startedAtMs;
    const said = signal.aborted ? `No response within ${timeoutMs / 1_000} s.` : `No answer: ${messageOf(error)}`;
    return { status: null, latencyMs, error: said, retryAfter: null };
  }
}

function statusProblem(status: number): string | null {
  if (status >= 200 && status < 300) return null;
  return status >= 300 && status < 400
    ? `The endpoint answered ${status}; redirects are not followed.`
    : `Answered ${status}.`;
}

/** Drains the body. The status decides, so a truncated or endless body changes nothing. */
async function drain({ body }: Response): Promise<void> {
  if (body === null) return;
  const reader = body.getReader();
  const timer = setTimeout(() => cancel(reader), MAX_DRAIN_MS);
  try {
    for (let bytes = 0; bytes <= MAX_ANSWER_BYTES; ) {
      const { done, value } = await reader.read();
      if (done) return;
      bytes += value.byteLength;
    }
    cancel(reader);
  } catch {
    // The endpoint closed the connection.
  } finally {
    clearTimeout(timer);
  }
}

/** Releases the connection; errors are irrelevant by now. */
function cancel(reader: ReadableStreamDefaultReader<Uint8Array>): void {
  reader.cancel().catch(() => undefined);
}

function messageOf(error: unknown): string {
  return String((error as Error)?.message ?? error).slice(0, MAX_ERROR_CHARACTERS);
}
