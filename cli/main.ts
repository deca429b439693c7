#!/usr/bin/env node
import "./node-20.ts";
import { dispatch } from "./dispatch.ts";
import { EXIT } from "./exit-codes.ts";
import { makeProcessShell } from "./shell.ts";

const args = process.argv.slice(2);
const color = takeOption("--color") ?? "auto";
const isQuiet = takeFlag("--quiet");

/** Options that every command has may appear anywhere before `--`. */
function takeOption(name: string): string | undefined {
  const at = args.findIndex((arg) => arg === name || arg.startsWith(`${name}=`));
  if (at === -1 || args.slice(0, at).includes("--")) return undefined;
  const [taken] = args.splice(at, 1);
  return taken!.includes("=") ? taken!.slice(name.length + 1) : args.splice(at, 1)[0];
}

function takeFlag(name: string): boolean {
  const at = args.indexOf(name);
  if (at === -1 || args.slice(0, at).includes("--")) return false;
  args.splice(at, 1);
  return true;
}

if (color === "auto" || color === "always" || color === "never") {
  process.exitCode = await dispatch(args, makeProcessShell({ color, isQuiet }));
} else {
  process.stderr.write(`llmsr: --color must be auto, always or never, got "${color}".\n`);
  process.exitCode = EXIT.usage;
}
