/** Everything the client throws. An error is recognised by its `code` or by `isRegistryError`, never by its class alone. */
import type { ApiErrorCode, Problem, ProblemPlace, Verdict } from "./models.js";

/** Two copies of the package, one of them CommonJS, have two classes; the brand is the same in both. */
const BRAND = Symbol.for("llm-schema-registry.error");

export type RegistryErrorName =
  | "BadRequest"
  | "Unauthorized"
  | "Forbidden"
  | "NotFound"
  | "Conflict"
  | "VersionExists"
  | "Protected"
  | "Frozen"
  | "IncompatibleSchema"
  | "PreconditionFailed"
  | "InvalidSchema"
  | "TooComplex"
  | "PayloadTooLarge"
  | "RateLimited"
  | "Unavailable"
  | "StorageFull"
  | "ServerError"
  | "ApiError"
  | "ConnectionLost"
  | "DeadlineExceeded"
  | "CircuitOpen"
  | "BadAnswer"
  | "ConfigurationError";

const NAME_OF_CODE: Record<string, RegistryErrorName> = {
  bad_request: "BadRequest",
  unauthorized: "Unauthorized",
  forbidden: "Forbidden",
  not_found: "NotFound",
  conflict: "Conflict",
  version_exists: "VersionExists",
  protected: "Protected",
  frozen: "Frozen",
  incompatible_schema: "IncompatibleSchema",
  precondition_failed: "PreconditionFailed",
  precondition_required: "PreconditionFailed",
  invalid_schema: "InvalidSchema",
  unsupported: "InvalidSchema",
  too_complex: "TooComplex",
  payload_too_large: "PayloadTooLarge",
  rate_limited: "RateLimited",
  not_ready: "Unavailable",
  busy: "Unavailable",
  storage_full: "StorageFull",
  internal: "ServerError",
};

export class RegistryError extends Error {
  /** The problem's `code`; for what never reached the registry `connection_lost`, `deadline_exceeded`, `circuit_open`, `bad_answer` or `configuration_error`. */
  readonly code: string;
  /** Attempts that were made. */
  readonly attempts: number;

  constructor(name: RegistryErrorName, code: string, message: string, attempts: number, cause?: unknown) {
    super(message);
    if (cause !== undefined) Object.defineProperty(this, "cause", { value: cause, enumerable: false });
    this.name = name;
    this.code = code;
    this.attempts = attempts;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** An error response of the registry. */
export class ApiError extends RegistryError {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** The errors in the request, with their locations, if several were found. */
  readonly errors: readonly ProblemPlace[];
  /** The whole problem document, unknown members included; absent if a gateway answered. */
  readonly problem: Problem | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;
  /** Present on `incompatible_schema`: the differences, each with a breaking datum if one was found. */
  readonly verdict: Verdict | undefined;

  constructor(answer: {
    status: number;
    problem: Problem | undefined;
    requestId: string | undefined;
    retryAfterMs: number | undefined;
    attempts: number;
  }) {
    const { status, problem, requestId, attempts } = answer;
    const code = problem?.code ?? `http_${status}`;
    const detail = problem?.detail ?? problem?.title ?? `The answer has status ${status} and no problem document.`;
    super(
      nameApiError(code, status),
      code,
      `${code}: ${detail}${requestId ? ` (request ${requestId})` : ""}`,
      attempts,
    );
    this.status = status;
    this.title = problem?.title ?? "";
    this.detail = detail;
    this.errors = problem?.errors ?? [];
    this.problem = problem;
    this.requestId = requestId;
    this.retryAfterMs = answer.retryAfterMs;
    this.verdict = problem?.verdict;
  }
}

/** The connection failed, or an attempt timed out. */
export class ConnectionLost extends RegistryError {
  /** False only if no connection was made. */
  readonly mayHaveBeenSent: boolean;

  constructor(message: string, mayHaveBeenSent: boolean, attempts: number, cause?: unknown) {
    super("ConnectionLost", "connection_lost", message, attempts, cause);
    this.mayHaveBeenSent = mayHaveBeenSent;
  }
}

export class DeadlineExceeded extends RegistryError {
  constructor(timeoutMs: number, attempts: number, cause?: unknown) {
    super("DeadlineExceeded", "deadline_exceeded", `The call did not end within ${timeoutMs} ms.`, attempts, cause);
  }
}

/** The registry has not answered lately, so no connection was tried. */
export class CircuitOpen extends RegistryError {
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number, attempts: number) {
    super(
      "CircuitOpen",
      "circuit_open",
      `The registry did not answer; the next attempt is made in ${retryAfterMs} ms.`,
      attempts,
    );
    this.retryAfterMs = retryAfterMs;
  }
}

/** The answer violates the contract: a redirect, or a body that cannot be read. */
export class BadAnswer extends RegistryError {
  readonly status: number;

  constructor(status: number, message: string, attempts: number) {
    super("BadAnswer", "bad_answer", message, attempts);
    this.status = status;
  }
}

export class ConfigurationError extends RegistryError {
  constructor(message: string) {
    super("ConfigurationError", "configuration_error", message, 0);
  }
}

function nameApiError(code: string, status: number): RegistryErrorName {
  const known = NAME_OF_CODE[code];
  if (known !== undefined) return known;
  if (!code.startsWith("http_")) return "ApiError";
  if (status >= 502 && status <= 504) return "Unavailable";
  return status === 429 ? "RateLimited" : status === 500 ? "ServerError" : "ApiError";
}

/** Whether a value is an error of this client, from any copy of the package, and has the given code if there is one. */
export function isRegistryError(error: unknown, code: "incompatible_schema"): error is ApiError & { verdict: Verdict };
export function isRegistryError(error: unknown, code: ApiErrorCode): error is ApiError;
export function isRegistryError(error: unknown, code?: string): error is RegistryError;
export function isRegistryError(error: unknown, code?: string): boolean {
  if (typeof error !== "object" || error === null || (error as { [BRAND]?: true })[BRAND] !== true) return false;
  return code === undefined || (error as RegistryError).code === code;
}
