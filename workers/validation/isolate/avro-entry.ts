/** The module of isolates for this format; scripts/build-isolate.mjs bundles it. Schemas are compiled while it starts. */
import { WorkerEntrypoint } from "cloudflare:workers";
import input from "isolate-input.json";
import { type CompiledAvro, compileAvro } from "./avro.ts";
import { checkAll, compileAll } from "./checker.ts";

const schemas = compileAll(input as CompiledAvro[], compileAvro);

export class AvroValidator extends WorkerEntrypoint {
  check(bytes: Uint8Array, ends: number[]): Uint8Array {
    return checkAll(schemas, bytes, ends);
  }
}

export default {};
