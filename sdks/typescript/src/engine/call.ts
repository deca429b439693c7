/**
 * One logical call: attempts, waits, the deadline, the breaker and the tokens. Clock, randomness and sockets are passed
 * in.
 */
import { ApiError, BadAnswer, CircuitOpen, ConnectionLost, DeadlineExceeded, type RegistryError } from "../errors.js";
import { attempt, type HttpAnswer, type HttpRequest, type Lost } from "../http.js";
import type { Problem } from "../models.js";
import type { CallOptions, ClientEvent } from "../options.js";
import type { AttemptOutcome, Breaker } from "./breaker.js";
import type { Clock } from "./clock.js";
import { isRetriedStatus, jitterMs, parseRetryAfterMs } from "./retry.js";
import { newestToken, parseToken, type Token, type Tokens } from "./token.js";

/** The request that a method makes. */
export interface Operation {
  /** The operation's name in the OpenAPI document. */
  name: string;
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below /api/v1, its parts percent-encoded. */
  path: string;
  query?: Record<string, string | undefined>;
  json?: unknown;
  headers?: Record<string, string>;
  /** Whether the registry takes an Idempotency-Key for it. */
  takesKey?: boolean;
  /** Whether it changes something, so that its token is one of the client's own writes. */
  writes?: boolean;
  /**
   * `seen` is sent with reads and registrations; search sends none, because its index lags, or `wrote` if the caller
   * asks for consistency.
   */
  token?: "seen" | "wrote" | "none";
}

/** Tighter limits while a stale value is available. */
export interface AttemptLimits {
  maxAttempts: number;
  timeoutMs: number;
}

export interface CallAnswer {
  status: number;
  headers: Headers;
  text: string;
  token: Token | undefined;
  attempts: number;
}

export interface CallSettings {
  baseUrl: string;
  headers: Record<string, string>;
  timeoutMs: number;
  attemptTimeoutMs: number;
  maxAttempts: number;
  fetch: typeof fetch;
  clock: Clock;
  random: () => number;
  newId: () => string;
  tokens: Tokens;
  breaker: Breaker;
  emit: (event: ClientEvent) => void;
  debug: (line: string) => void;
}

/** Codes of 503 answers that come from the registry itself, which shows that it is up. */
const LIVE_503: ReadonlySet<string> = new Set(["not_ready", "busy", "rate_limited"]);

export async function runCall(
  settings: CallSettings,
  operation: Operation,
  call: CallOptions,
  limits?: AttemptLimits,
): Promise<CallAnswer> {
  const { clock, breaker } = settings;
  const request = buildRequest(settings, operation, call);
  const mayRepeat = operation.method === "GET" || operation.takesKey === true || operation.writes !== true;
  const timeoutMs = Math.min(call.timeoutMs ?? settings.timeoutMs, settings.timeoutMs);
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  const maxAttempts = limits?.maxAttempts ?? settings.maxAttempts;
  let last: RegistryError | undefined;
  for (let number = 1; ; number++) {
    const beganMs = clock.monotonicMs();
    const leftMs = deadlineMs - beganMs;
    if (leftMs <= 0) throw last ?? new DeadlineExceeded(timeoutMs, number - 1);
    const permit = breaker.admit(beganMs);
    if ("retryAfterMs" in permit) throw last ?? new CircuitOpen(permit.retryAfterMs, number - 1);
    const attemptMs = Math.min(limits?.timeoutMs ?? settings.attemptTimeoutMs, leftMs);
    let result: HttpAnswer | Lost;
    try {
      result = await attempt(settings.fetch, request, { timeoutMs: attemptMs, signal: call.signal, clock });
    } catch (cancelled) {
      permit.report("none", clock.monotonicMs());
      throw cancelled;
    }
    const problem = "status" in result ? readProblem(result) : undefined;
    const outcome = limits !== undefined && isTimeout(result) ? "none" : judgeOutcome(result, problem);
    permit.report(outcome, clock.monotonicMs());
    const judged = judge(settings, operation, { result, problem, attempts: number, request });
    const goesOn = "error" in judged && number < maxAttempts && judged.retry(mayRepeat) && breaker.state !== "open";
    const waitMs = goesOn ? judged.waitAfterMs + jitterMs(number, settings.random()) : 0;
    const code = "error" in judged ? judged.error.code : undefined;
    report(settings, operation, {
      number,
      beganMs,
      status: "status" in result ? result.status : undefined,
      code,
      waitMs,
      request,
    });
    if (!("error" in judged)) return judged;
    last = isTimeout(result) && attemptMs >= leftMs ? new DeadlineExceeded(timeoutMs, number) : judged.error;
    if (!goesOn || waitMs >= deadlineMs - clock.monotonicMs()) throw last;
    await clock.sleep(waitMs, call.signal);
  }
}

function isTimeout(result: HttpAnswer | Lost): boolean {
  return "kind" in result && result.kind === "timeout";
}

/** A failure only if the registry itself did not answer; anything else shows that it is up. */
function judgeOutcome(result: HttpAnswer | Lost, problem: Problem | undefined): AttemptOutcome {
  if ("kind" in result) return result.kind === "hopeless" ? "none" : "failed";
  const { status } = result;
  if (status === 502 || status === 504) return "failed";
  return status === 503 && !(problem !== undefined && LIVE_503.has(problem.code)) ? "failed" : "alive";
}

type Failed = { error: RegistryError; waitAfterMs: number; retry: (mayRepeat: boolean) => boolean };

function judge(
  settings: CallSettings,
  operation: Operation,
  made: { result: HttpAnswer | Lost; problem: Problem | undefined; attempts: number; request: HttpRequest },
): CallAnswer | Failed {
  const { result, problem, attempts } = made;
  if ("kind" in result) {
    const mayHaveBeenSent = result.kind === "timeout" || (result.kind === "lost" && result.mayHaveBeenSent);
    const message =
      result.kind === "timeout" ? "The registry did not answer in time." : "The connection to the registry failed.";
    const cause = result.kind === "timeout" ? undefined : result.cause;
    const error = new ConnectionLost(message, mayHaveBeenSent, attempts, cause);
    return {
      error,
      waitAfterMs: 0,
      retry: (mayRepeat) => result.kind !== "hopeless" && (mayRepeat || !mayHaveBeenSent),
    };
  }
  const { status, headers, text } = result;
  const token =
    operation.token === "none"
      ? undefined
      : settings.tokens.learn(headers.get("X-Registry-Seq"), operation.writes === true && status < 400);
  if (status === 304 || (status >= 200 && status < 300)) return { status, headers, text, token, attempts };
  const never = () => false;
  if (status < 400) {
    const message = `The answer has status ${status}; redirects are not followed, for they would carry the key.`;
    return { error: new BadAnswer(status, message, attempts), waitAfterMs: 0, retry: never };
  }
  const retryAfterMs = parseRetryAfterMs(headers.get("Retry-After"), settings.clock.wallMs());
  const requestId = headers.get("X-Request-ID") ?? undefined;
  const error = new ApiError({ status, problem, requestId, retryAfterMs, attempts });
  return { error, waitAfterMs: retryAfterMs ?? 0, retry: (mayRepeat) => isRetriedStatus(status, mayRepeat) };
}

function readProblem({ headers, status, text }: HttpAnswer): Problem | undefined {
  if (status < 400 || !/json/.test(headers.get("Content-Type") ?? "")) return undefined;
  try {
    const value = JSON.parse(text) as Problem;
    return typeof value?.code === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

function buildRequest(settings: CallSettings, operation: Operation, call: CallOptions): HttpRequest {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(operation.query ?? {})) if (value !== undefined) query.set(name, value);
  const search = query.toString();
  const headers: Record<string, string> = { ...settings.headers, ...operation.headers };
  headers["X-Request-ID"] = call.requestId ?? settings.newId();
  if (operation.takesKey) headers["Idempotency-Key"] = call.idempotencyKey ?? `auto-${settings.newId()}`;
  const token = tokenToSend(settings.tokens, operation, call);
  if (token !== undefined) headers["X-Registry-Min-Seq"] = token.text;
  if (operation.json !== undefined) headers["Content-Type"] = "application/json";
  return {
    method: operation.method,
    url: `${settings.baseUrl}/api/v1${operation.path}${search === "" ? "" : `?${search}`}`,
    headers,
    body: operation.json === undefined ? undefined : JSON.stringify(operation.json),
  };
}

function tokenToSend(tokens: Tokens, { token = "seen" }: Operation, call: CallOptions): Token | undefined {
  if (token === "none") return undefined;
  const held = token === "wrote" ? tokens.wrote : tokens.seen;
  const given = parseToken(call.minToken);
  return given === undefined ? held : newestToken(held, given);
}

/** Headers whose values a log may hold. Everything else may be a secret. */
const LOGGED_HEADERS = ["X-Request-ID", "X-Registry-Min-Seq", "If-None-Match", "User-Agent"];

function report(
  { clock, breaker, emit, debug }: CallSettings,
  operation: Operation,
  made: {
    number: number;
    beganMs: number;
    status: number | undefined;
    code: string | undefined;
    waitMs: number;
    request: HttpRequest;
  },
): void {
  const { number, beganMs, status, code, waitMs, request } = made;
  const ms = clock.monotonicMs() - beganMs;
  emit({
    kind: "attempt",
    operation: operation.name,
    attempt: number,
    status,
    code,
    ms,
    source: "network",
    waitMs,
    breaker: breaker.state,
  });
  const shown = LOGGED_HEADERS.flatMap((name) => (request.headers[name] ? [`${name}=${request.headers[name]}`] : []));
  const line = `${request.method} /api/v1${operation.path} ${status ?? code} ${Math.round(ms)}ms attempt=${number} ${shown.join(" ")}`;
  debug(line);
}
