/**
 * The parts of the process that a command may use. Tests pass their own; nothing below `commands/` reads `process`
 * itself.
 */
import { readFileSync } from "node:fs";
import { addAbortSignal } from "node:stream";
import { isatty } from "node:tty";
import { EXIT } from "./exit-codes.ts";

/**
 * A command's output streams: results go to standard output, everything else to standard error. Much of it is the text of
 * schemas and of registries; a terminal gets it without escape sequences, a pipe gets results byte for byte.
 */
export type Output = { print(text: string): void; printError(text: string): void; isTerminal: boolean };

export type Shell = Output & {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** Whether standard error is a terminal, so that progress may redraw its line. */
  errorIsTerminal: boolean;
  /** Replaces the terminal's last line on standard error. */
  redraw(text: string): void;
  /** Whether standard input is a terminal, so that a question can be asked. */
  inputIsTerminal: boolean;
  /** No progress and no notes. */
  isQuiet: boolean;
  fetch: typeof fetch;
  readStdin(): string;
  /** Standard input as it arrives. */
  stdinChunks(): AsyncIterable<Uint8Array>;
  /** Aborted by an interrupt. */
  signal: AbortSignal;
  /** Aborted when nothing reads standard output any more; printing does nothing from then on. */
  outputClosed: AbortSignal;
};

type GlobalOptions = { color: "auto" | "always" | "never"; isQuiet: boolean };

export function makeProcessShell({ color, isQuiet }: GlobalOptions): Shell {
  const { env, stdout, stderr } = process;
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort(new Error("interrupted"));
  process.once("SIGINT", interrupt);
  const closed = new AbortController();
  // A reader such as head closes the pipe early. That must not change a verdict, so the command continues.
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") closed.abort();
    if (closed.signal.aborted) return;
    stderr.write(`llmsr: standard output cannot be written: ${error.message}\n`);
    process.exit(EXIT.usage);
  });
  stderr.on("error", () => {});
  return {
    print(text) {
      if (!closed.signal.aborted) stdout.write(stdout.isTTY ? withoutEscapes(text) : text);
    },
    printError: (text) => stderr.write(withoutEscapes(text)),
    redraw: (text) => stderr.write(`\r\u001b[K${withoutEscapes(text)}`),
    isTerminal: isColoured(color, env, stdout.isTTY === true),
    errorIsTerminal: stderr.isTTY === true,
    // Reading process.stdin would open it without blocking, and a slow pipe would then be an error to readFileSync.
    inputIsTerminal: isatty(0),
    isQuiet,
    env,
    cwd: process.cwd(),
    fetch: (input, init) => fetch(input, init),
    readStdin() {
      // Event listeners do not run while the read blocks, so an interrupt must end the process by default.
      process.off("SIGINT", interrupt);
      const text = readFileSync(0, "utf8");
      process.once("SIGINT", interrupt);
      return text;
    },
    stdinChunks: () => addAbortSignal(interrupted.signal, process.stdin),
    signal: interrupted.signal,
    outputClosed: closed.signal,
  };
}

/** Removes control sequences, which could move the cursor or set the title, but keeps the colours of paint.ts. */
export function withoutEscapes(text: string): string {
  return text.replaceAll(COLOUR_OR_CONTROL, "$1");
}

const COLOUR_OR_CONTROL = /(\u001b\[(?:1|2|22|31|32|33|39)m)|(?![\n\t])\p{Cc}/gu;

/** https://no-color.org and https://bixense.com/clicolors; an option takes precedence over both. */
export function isColoured(color: GlobalOptions["color"], env: Shell["env"], isTerminal: boolean): boolean {
  if (color !== "auto") return color === "always";
  if (env.NO_COLOR) return false;
  if (env.CLICOLOR_FORCE && env.CLICOLOR_FORCE !== "0") return true;
  return isTerminal;
}
