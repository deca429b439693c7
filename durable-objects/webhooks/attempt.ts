/** One request to an endpoint. What it answers is read as little as possible and kept nowhere: it could be anything. */

/** An endpoint that takes longer is aborted: it should accept first and work later. */
export const ATTEMPT_TIMEOUT_MS = 10_000;
/** Of an answer's body so much is read, so that the connection can be used again. */
const MAX_ANSWER_BYTES = 1_024;
/** And for so long: while it is read, the answer takes the place of another delivery. */
const MAX_DRAIN_MS = 500;
const MAX_ERROR_CHARACTERS = 200;

export type Attempted = {
  /** Null where no answer came. */
  status: number | null;
  latencyMs: number;
  /** Null: it was taken. */
  error: string | null;
  retryAfter: string | null;
};

/** Sends a POST and says what came of it; never throws. Only a 2xx counts, and no redirect is followed. */
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
    const said = signal.aborted ? `No answer within ${timeoutMs / 1_000} s.` : `No answer: ${messageOf(error)}`;
    return { status: null, latencyMs, error: said, retryAfter: null };
  }
}

function statusProblem(status: number): string | null {
  if (status >= 200 && status < 300) return null;
  return status >= 300 && status < 400 ? `Answered ${status}: redirects are not followed.` : `Answered ${status}.`;
}

/** The status has said everything, so a body that breaks off or never ends changes nothing. */
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
    // Broken off.
  } finally {
    clearTimeout(timer);
  }
}

/** Lets go of the connection, whatever it says to that. */
function cancel(reader: ReadableStreamDefaultReader<Uint8Array>): void {
  reader.cancel().catch(() => undefined);
}

function messageOf(error: unknown): string {
  return String((error as Error)?.message ?? error).slice(0, MAX_ERROR_CHARACTERS);
}
