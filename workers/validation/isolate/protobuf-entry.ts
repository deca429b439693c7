/** The module of isolates for this format; scripts/build-isolate.mjs bundles it. Schemas are compiled while it starts. */
import { WorkerEntrypoint } from "cloudflare:workers";
import input from "isolate-input.json";
import { checkAll, compileAll } from "./checker.ts";
import { type CompiledProtobuf, compileProtobuf } from "./protobuf.ts";

const schemas = compileAll(input as CompiledProtobuf[], compileProtobuf);

export class ProtobufValidator extends WorkerEntrypoint {
  check(bytes: Uint8Array, ends: number[]): Uint8Array {
    return checkAll(schemas, bytes, ends);
  }
}

export default {};
