/**
 * Turns refusals into responses. RegistryError is thrown only under workers/http; everywhere else a refusal is a value.
 */

import { ERRORS, type ErrorName, makeRefusal, type Refusal } from "../../contract/errors.ts";
import type { Result } from "../../schema/result.ts";
import type { Answer } from "./answer.ts";

/** A refusal that propagates to `onError`. */
export class RegistryError extends Error {
  readonly refusal: Refusal;
  readonly headers: Readonly<Record<string, string>>;

  constructor(refusal: Refusal, headers: Readonly<Record<string, string>> = {}) {
    super(refusal.detail);
    this.refusal = refusal;
    this.headers = headers;
  }
}

/** Returns the value, or throws the refusal. */
export function requireValue<Value>(result: Result<Value, Refusal>): Value {
  if (!result.ok) throw new RegistryError(result.refusal);
  return result.value;
}

/** Returns the value of a result, or throws its refusal. */
export function requireOk<T>(result: Result<T, Refusal>): T {
  if (!result.ok) throw new RegistryError(result.refusal);
  return result.value;
}

/** A refusal whose detail is its only argument. */
export function refusing(
  error: ErrorName,
  detail: string,
  more: Parameters<typeof makeRefusal>[3] = {},
): RegistryError {
  return new RegistryError(makeRefusal(error, [detail], detail, more));
}

/** RFC 9457. `type` links to the list of problems in this server's documentation. */
export function problemAnswer(refusal: Refusal, requestId: string): Answer {
  const { status, code, title } = ERRORS[refusal.error];
  const problem = {
    ...refusal.extra,
    type: `/docs#problem-${code}`,
    title,
    status,
    detail: refusal.detail,
    instance: requestId,
    code,
    ...(refusal.items ? { errors: refusal.items } : {}),
  };
  return {
    status,
    headers: { "Content-Type": "application/problem+json", ...retryAfter(refusal) },
    body: JSON.stringify(problem),
  };
}

function retryAfter({ retryAfterSeconds }: Refusal): Record<string, string> {
  return retryAfterSeconds === undefined ? {} : { "Retry-After": String(retryAfterSeconds) };
}
