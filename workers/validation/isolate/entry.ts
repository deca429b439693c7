/**
 * The module that a loaded isolate runs; scripts/build-isolate.mjs bundles it into one text. The schema is compiled
 * while the isolate starts.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import input from "isolate-input.json";
import { checkLines, compileSchema } from "./check.ts";

const isValid = compileSchema(input);

export class Validator extends WorkerEntrypoint {
  check(bytes: Uint8Array, ends: number[]): Uint8Array {
    return checkLines(isValid, bytes, ends);
  }
}

export default {};
