#!/usr/bin/env node
import { runImport } from "./import.ts";
import { run } from "./llmsr.ts";

const print = (text: string) => process.stdout.write(text);
const [command, ...args] = process.argv.slice(2);

process.exitCode =
  command === "import"
    ? await runImport(args, print)
    : run(process.argv.slice(2), print, process.stdout.isTTY === true);
