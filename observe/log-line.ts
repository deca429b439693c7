/**
 * The only writer of log lines: JSON objects that start with `level` and `message`. Lines are bounded, and of an error they
 * contain only its kind, message and location.
 */

type LogLevel = "info" | "warn" | "error";
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** An error's message is a sentence; anything longer quotes data, which must not be logged. */
export const MAX_LOGGED_ERROR_CHARACTERS = 500;
/** The first stack frames locate the error; the rest belong to the runtime. */
export const MAX_LOGGED_FRAMES = 12;

/** Writes one line, omitting undefined fields. */
export function logLine(level: LogLevel, message: string, fields: LogFields = {}): void {
  const line = JSON.stringify({ level, message, ...fields });
  if (level === "error") console.error(line);
  else if (level === "warn") console.warn(line);
  else console.log(line);
}

/** The fields that describe a thrown value. */
export function errorFields(error: unknown): { error: string; stack?: string } {
  if (!(error instanceof Error)) return { error: bounded(String(error)) };
  const frames = readFrames(error);
  return { error: bounded(saidBy(error)), ...(frames === "" ? {} : { stack: frames }) };
}

/** The message of a failed statement quotes its parameters, which may contain schema texts; its cause says what went wrong. */
function saidBy(error: Error): string {
  if (!("query" in error) && !("params" in error)) return `${error.name}: ${error.message}`;
  const { cause } = error;
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : `${error.name}: a statement failed`;
}

function bounded(text: string): string {
  return text.length <= MAX_LOGGED_ERROR_CHARACTERS ? text : `${text.slice(0, MAX_LOGGED_ERROR_CHARACTERS)}…`;
}

/** A stack starts with the message, which may be long, so only the frames are kept. */
function readFrames({ stack = "" }: Error): string {
  return stack
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .slice(0, MAX_LOGGED_FRAMES)
    .map((line) => line.trim())
    .join("\n");
}
