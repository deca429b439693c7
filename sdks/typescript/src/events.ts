/** The event stream: server-sent events, resumed where it was cut. */

import type { CallSettings } from "./engine/call.js";
import { EVENT_IDLE_MS, FIRST_WAIT_MS, LONGEST_EVENT_WAIT_MS } from "./engine/constants.js";
import { jitterMs, parseRetryAfterMs } from "./engine/retry.js";
import { ApiError, BadAnswer } from "./errors.js";
import type { Problem, RegistryEvent } from "./models.js";

export interface EventParams {
  /** The `seq` of the last event that was handled; 0 begins with the whole log. Without it: only new events. */
  after?: number;
  /** Globs over qualified subject names. */
  subjects?: readonly string[];
  /** Such as `schema.registered` or `schema.*`. */
  types?: readonly string[];
  signal?: AbortSignal;
}

/** Iterates without end: a lost connection is re-established, and no event is delivered twice. Ends only by `signal` or `break`. */
export async function* readEvents(
  settings: CallSettings,
  params: EventParams,
): AsyncGenerator<RegistryEvent, void, undefined> {
  let lastId: string | undefined;
  let lastSeq = params.after ?? -1;
  for (let failures = 0; ; ) {
    params.signal?.throwIfAborted();
    let retryAfterMs = 0;
    const stop = new AbortController();
    const cancel = () => stop.abort();
    params.signal?.addEventListener("abort", cancel, { once: true });
    try {
      for await (const event of connect(settings, params, lastId, stop)) {
        failures = 0;
        lastId = event.id;
        if (event.seq <= lastSeq) continue;
        lastSeq = event.seq;
        yield event;
      }
    } catch (error) {
      params.signal?.throwIfAborted();
      if (error instanceof BadAnswer || (error instanceof ApiError && !isPassing(error.status))) throw error;
      if (error instanceof ApiError) retryAfterMs = error.retryAfterMs ?? 0;
    } finally {
      params.signal?.removeEventListener("abort", cancel);
      stop.abort();
    }
    failures += 1;
    const waitMs = jitterMs(failures, settings.random(), LONGEST_EVENT_WAIT_MS) || FIRST_WAIT_MS / 10;
    await settings.clock.sleep(retryAfterMs + waitMs, params.signal);
  }
}

function isPassing(status: number): boolean {
  return status === 429 || (status >= 502 && status <= 504);
}

async function* connect(
  settings: CallSettings,
  { after, subjects, types }: EventParams,
  lastId: string | undefined,
  stop: AbortController,
): AsyncGenerator<RegistryEvent, void, undefined> {
  const query = new URLSearchParams();
  if (after !== undefined && lastId === undefined) query.set("after", String(after));
  if (subjects?.length) query.set("subjects", subjects.join(","));
  if (types?.length) query.set("types", types.join(","));
  const headers: Record<string, string> = {
    ...settings.headers,
    Accept: "text/event-stream",
    "X-Request-ID": settings.newId(),
  };
  if (lastId !== undefined) headers["Last-Event-ID"] = lastId;
  let stopTimer = settings.clock.startTimer(EVENT_IDLE_MS, () => stop.abort());
  const search = query.toString();
  try {
    const url = `${settings.baseUrl}/api/v1/events${search === "" ? "" : `?${search}`}`;
    const response = await settings.fetch(url, { headers, redirect: "manual", signal: stop.signal });
    if (response.status !== 200 || response.body === null) throw await readRefusal(response, settings.clock.wallMs());
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      stopTimer();
      stopTimer = settings.clock.startTimer(EVENT_IDLE_MS, () => stop.abort());
      text += decoder.decode(value, { stream: true }).replace(/\r/g, "");
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const event = parseEvent(text.slice(0, end));
        text = text.slice(end + 2);
        if (event !== undefined) yield event;
      }
    }
  } finally {
    stopTimer();
  }
}

/** The error that a response other than the expected stream stands for. */
export async function readRefusal(response: Response, wallMs: number): Promise<ApiError | BadAnswer> {
  const { status } = response;
  if (status < 400) return new BadAnswer(status, `The answer has status ${status} and is not a stream.`, 1);
  let problem: Problem | undefined;
  try {
    problem = (await response.json()) as Problem;
  } catch {
    problem = undefined;
  }
  return new ApiError({
    status,
    problem,
    requestId: response.headers.get("X-Request-ID") ?? undefined,
    retryAfterMs: parseRetryAfterMs(response.headers.get("Retry-After"), wallMs),
    attempts: 1,
  });
}

function parseEvent(block: string): RegistryEvent | undefined {
  const data = block
    .split("\n")
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice(5).replace(/^ /, ""))
    .join("\n");
  if (data === "") return undefined;
  try {
    const event = JSON.parse(data) as Omit<RegistryEvent, "seq"> & { data: { seq: unknown } };
    if (typeof event.data.seq === "number") return { ...event, seq: event.data.seq };
  } catch {
    // Reading it again would give the same event.
  }
  throw new BadAnswer(200, "An event of the stream cannot be read.", 1);
}
