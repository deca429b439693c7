#!/usr/bin/env node
import { run } from "./llmsr";

process.exitCode = run(process.argv.slice(2), (text) => process.stdout.write(text), process.stdout.isTTY === true);
