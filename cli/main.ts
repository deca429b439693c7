#!/usr/bin/env node
import { runAudit } from "./audit.ts";
import { runBundle } from "./bundle.ts";
import { runImport } from "./import.ts";
import { runLint } from "./lint.ts";
import { type Output, run } from "./llmsr.ts";
import { runPersonalData } from "./personal-data.ts";
import { runProject } from "./project.ts";
import { runPromote } from "./promote.ts";
import { runProposals } from "./proposals.ts";
import { runStream } from "./stream.ts";
import { runValidate } from "./validate.ts";

const output: Output = {
  print: (text) => process.stdout.write(text),
  printError: (text) => process.stderr.write(text),
  isTerminal: process.stdout.isTTY === true,
};
const [command, ...args] = process.argv.slice(2);

async function runCommand(): Promise<number> {
  switch (command) {
    case "audit":
      return runAudit(args, output);
    case "propose":
    case "approve":
    case "reject":
      return runProposals(command, args, output);
    case "bundle":
      return runBundle(args, output);
    case "stream":
      return runStream(args, output);
    case "person":
    case "erase":
      return runPersonalData(command, args, output);
    case "promote":
      return runPromote(args, output);
    case "import":
      return runImport(args, output);
    case "lint":
      return runLint(args, output);
    case "validate":
      return runValidate(args, output);
    case "project":
      return runProject(args, output);
    default:
      return run(process.argv.slice(2), output);
  }
}

process.exitCode = await runCommand();
