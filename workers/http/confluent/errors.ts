/** Refusals as error bodies of the Confluent API. */
import { confluentMessage, ERRORS, type Refusal } from "../../../contract/errors.ts";
import type { ConfluentApiLevel } from "../../settings.ts";
import type { Answer } from "../answer.ts";
import { isApiLevelAtLeast } from "./api-level.ts";
import { CONFLUENT_HEADERS, negotiatedMediaType } from "./media-types.ts";

/** Up to 8.1 an incompatible schema has no specific error code. */
const INCOMPATIBLE_BEFORE_8_2 = 409;

/** Before 8.0 the message listed that release's modes. */
const INVALID_MODE_BEFORE_8_0 = "Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE, and IMPORT.";

export function confluentErrorAnswer(refusal: Refusal, request: Request, levelOf: () => ConfluentApiLevel): Answer {
  const { status, confluent } = ERRORS[refusal.error];
  const { error_code } = confluent;
  const { retryAfterSeconds } = refusal;
  return {
    // The status is the first three digits of a five-digit code.
    status: error_code >= 10_000 ? Math.floor(error_code / 100) : status,
    headers: {
      ...CONFLUENT_HEADERS,
      "Content-Type": negotiatedMediaType(request.headers.get("Accept")),
      ...(retryAfterSeconds === undefined ? {} : { "Retry-After": String(retryAfterSeconds) }),
    },
    body: JSON.stringify(confluentErrorBody(refusal, levelOf)),
  };
}

export function confluentErrorBody(refusal: Refusal, levelOf: () => ConfluentApiLevel) {
  const { error } = refusal;
  const { error_code } = ERRORS[error].confluent;
  const isOldConflict = error === "INCOMPATIBLE_SCHEMA" && !isApiLevelAtLeast(levelOf(), 8, 2);
  const namesOldModes = error === "INVALID_MODE" && !isApiLevelAtLeast(levelOf(), 8, 0);
  return {
    error_code: isOldConflict ? INCOMPATIBLE_BEFORE_8_2 : error_code,
    message: namesOldModes ? INVALID_MODE_BEFORE_8_0 : confluentMessage(refusal),
  };
}
