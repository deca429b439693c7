/** The interface of a command, and how its errors become a message and an exit code. */
import type { ParseArgsConfig } from "node:util";
import { ApiError, isRegistryError, type RegistryError } from "../sdks/typescript/src/errors.ts";
import { VERSION } from "../sdks/typescript/src/version.ts";
import { AddressProblem, networkProblem } from "./address.ts";
import { chooseExitCode, EXIT } from "./exit-codes.ts";
import type { Shell } from "./shell.ts";
import { UsageError } from "./usage-error.ts";

type CommandOptions = NonNullable<ParseArgsConfig["options"]>;

export type CliCommand = {
  usage: string;
  options: CommandOptions;
  /** Prints a long or endless result: it stops when its output is no longer read. */
  isStream?: true;
  /** Returns the exit code. */
  run(args: readonly string[], shell: Shell): number | Promise<number>;
};

export async function runCommand(command: CliCommand, args: readonly string[], shell: Shell): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    shell.print(command.usage);
    return EXIT.ok;
  }
  const stops = command.isStream ? AbortSignal.any([shell.signal, shell.outputClosed]) : shell.signal;
  try {
    return await command.run(args, { ...shell, signal: stops });
  } catch (error) {
    // An interrupt aborts pending calls, so it takes precedence over the errors they report.
    if (shell.signal.aborted) {
      shell.printError("llmsr: interrupted\n");
      return EXIT.interrupted;
    }
    if (stops.aborted) return EXIT.outputClosed;
    if (isRegistryError(error)) {
      shell.printError(describeRegistryError(error, args.includes("--json")));
      return chooseExitCode(error);
    }
    // Node exits with 1 after an uncaught error, which would mean the answer "no".
    shell.printError(`llmsr: ${describeOther(error)}\n`);
    return EXIT.usage;
  }
}

/** Errors of usage or of the machine are one sentence; any other error is a bug and keeps its stack. */
function describeOther(error: unknown): string {
  if (!(error instanceof Error)) return `internal error: ${String(error)}\n${REPORT}`;
  const isExpected = error instanceof UsageError || error instanceof AddressProblem || "code" in error;
  return isExpected ? error.message : `internal error: ${error.message}\n${REPORT}\n${error.stack ?? ""}`;
}

const REPORT = `This is a defect of llmsr ${VERSION} with node ${process.versions.node}. Please report it as an issue, with the command and these lines.`;

/** The message, the errors in the request, and the problem document on the last line if JSON is requested. */
function describeRegistryError(error: RegistryError, withProblem: boolean): string {
  const lines = [`llmsr: ${describeReason(error)}`];
  if (error instanceof ApiError) {
    const { verdict } = error;
    if (verdict === undefined) {
      for (const { pointer, message } of error.errors) lines.push(`  ${pointer ? `${pointer}: ` : ""}${message}`);
    }
    for (const { message, witness } of verdict?.differences ?? []) {
      lines.push(`  ${message}`);
      if (witness?.datum !== undefined) lines.push(`    for example ${JSON.stringify(witness.datum)}`);
    }
    if (withProblem) lines.push(JSON.stringify(error.problem ?? { code: error.code, detail: error.detail }));
  } else if (withProblem) lines.push(JSON.stringify({ code: error.code, detail: error.message }));
  return `${lines.join("\n")}\n`;
}

const HINTS: Readonly<Record<string, string>> = {
  unauthorized: "Store a key with `llmsr login`, or set LLMSR_KEY.",
  forbidden: "`llmsr doctor` shows which key is used and what it may do.",
  connection_lost: "`llmsr doctor` shows which registry is asked and where its address comes from.",
};

function describeReason(error: RegistryError): string {
  const hint = HINTS[error.code];
  const message =
    error.cause === undefined ? error.message : `${error.message.replace(/\.$/, "")}: ${networkProblem(error.cause)}.`;
  return hint === undefined ? message : `${message} ${hint}`;
}
