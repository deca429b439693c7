/** Exit codes, as grep and diff have them: a pipeline can tell "no" from "could not ask". docs/cli.md lists them. */
import { ApiError, isRegistryError, type RegistryError } from "../sdks/typescript/src/errors.ts";

export const EXIT = {
  /** Yes, or done. */
  ok: 0,
  /** The answer is no: incompatible, invalid, not accepted by a provider. */
  no: 1,
  /** The call is invalid: usage, an unreadable file, a bad configuration. */
  usage: 2,
  /** The registry cannot be reached, or is not ready. */
  unreachable: 3,
  /** Not logged in, or not allowed. */
  notAllowed: 4,
  /** Refused for another reason: a conflict, a precondition, a quota. */
  refused: 5,
  interrupted: 130,
  /** The reader of an endless output closed the pipe: 128 + SIGPIPE, as in shells. */
  outputClosed: 141,
} as const;

const UNREACHABLE: ReadonlySet<string> = new Set([
  "connection_lost",
  "deadline_exceeded",
  "circuit_open",
  "bad_answer",
  "not_ready",
  "busy",
]);

export function chooseExitCode(error: RegistryError): number {
  if (isRegistryError(error, "incompatible_schema")) return EXIT.no;
  if (error.code === "configuration_error") return EXIT.usage;
  if (UNREACHABLE.has(error.code)) return EXIT.unreachable;
  // By status, because a gateway before the registry answers without a code.
  if (!(error instanceof ApiError)) return EXIT.refused;
  if (error.status === 401 || error.status === 403) return EXIT.notAllowed;
  return error.problem === undefined && error.status >= 502 ? EXIT.unreachable : EXIT.refused;
}
