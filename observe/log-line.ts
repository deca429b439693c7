/**
 * The one form of every line that the registry writes to its log: a JSON object with `level` and `message` first. What a
 * line may say is bounded, and nothing is said of an error but its kind, its message and where it happened.
 */

type LogLevel = "info" | "warn" | "error";
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** An error's message is a sentence; what is longer quotes data, which has no place in a log. */
export const MAX_LOGGED_ERROR_CHARACTERS = 500;
/** Frames of a stack: the first few say where, the rest is the runtime's. */
export const MAX_LOGGED_FRAMES = 12;

/** Writes one line. A field that is undefined is left out. */
export function logLine(level: LogLevel, message: string, fields: LogFields = {}): void {
  const line = JSON.stringify({ level, message, ...fields });
  if (level === "error") console.error(line);
  else if (level === "warn") console.warn(line);
  else console.log(line);
}

/** What a line says of something that was thrown. */
export function errorFields(error: unknown): { error: string; stack?: string } {
  if (!(error instanceof Error)) return { error: bounded(String(error)) };
  const frames = framesOf(error);
  return { error: bounded(saidBy(error)), ...(frames === "" ? {} : { stack: frames }) };
}

/** A failed statement's message quotes its parameters, and those may be schema texts; its cause says what went wrong. */
function saidBy(error: Error): string {
  if (!("query" in error) && !("params" in error)) return `${error.name}: ${error.message}`;
  const { cause } = error;
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : `${error.name}: a statement failed`;
}

function bounded(text: string): string {
  return text.length <= MAX_LOGGED_ERROR_CHARACTERS ? text : `${text.slice(0, MAX_LOGGED_ERROR_CHARACTERS)}…`;
}

/** A stack begins with the message, which may be long, so only its frames are kept. */
function framesOf({ stack = "" }: Error): string {
  return stack
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .slice(0, MAX_LOGGED_FRAMES)
    .map((line) => line.trim())
    .join("\n");
}
