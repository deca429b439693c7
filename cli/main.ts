#!/usr/bin/env node
import { runImport } from "./import.ts";
import { type Output, run } from "./llmsr.ts";

const output: Output = {
  print: (text) => process.stdout.write(text),
  printError: (text) => process.stderr.write(text),
  isTerminal: process.stdout.isTTY === true,
};
const [command, ...args] = process.argv.slice(2);

process.exitCode = command === "import" ? await runImport(args, output) : run(process.argv.slice(2), output);
