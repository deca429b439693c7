/**
 * The compiled engine: ajv in a separate isolate without network access, which the Worker Loader starts from the code
 * that this Worker carries. It only says what is certainly valid; everything else is the interpreter's, so that both
 * give one answer.
 */
import { errorFields, logLine } from "../../observe/log-line.ts";
import type { DataOptions } from "../../schema/data.ts";
import type { Edge } from "../edge.ts";
import { NATIVE_DIALECT } from "../registry/native-dialect.ts";
import isolateCode from "./isolate/isolate.generated.txt";
import type { Target } from "./targets.ts";

/** Raised whenever the isolate's code may decide differently. */
const BUNDLE_VERSION = 1;
const COMPATIBILITY_DATE = "2026-11-01";

type ValidatorStub = { check(bytes: Uint8Array, ends: number[]): Promise<Uint8Array> };

export type Compiled = {
  /** One byte per text, 1 if it is certainly valid; undefined if the isolate failed. */
  check(texts: readonly Uint8Array[]): Promise<Uint8Array | undefined>;
};

/** The compiled form of a hot schema, if there is one. */
export function compiledFor(edge: Edge, target: Target, { formats }: DataOptions): Compiled | undefined {
  const loader = edge.env.VALIDATORS;
  if (loader === undefined || !target.heat.isHot) return undefined;
  const schema = target.format.data.compilable?.(target.model);
  if (schema === undefined) {
    target.heat.refuse();
    return undefined;
  }
  const dialect = target.format.dialect(target.model) ?? NATIVE_DIALECT;
  const key = [edge.tenant, target.closureKey, dialect, formats, BUNDLE_VERSION].join("/");
  const { count } = edge.loadedIsolates;
  if (!edge.loadedIsolates.admit(key, edge.now())) {
    target.heat.refuse();
    edge.counters.add("registry_validating_isolates_total", ["over_budget"]);
    return undefined;
  }
  if (edge.loadedIsolates.count !== count) edge.counters.add("registry_validating_isolates_total", ["started"]);
  const code = () => ({
    compatibilityDate: COMPATIBILITY_DATE,
    compatibilityFlags: ["allow_eval_during_startup"],
    mainModule: "isolate.js",
    modules: { "isolate.js": isolateCode, "isolate-input.json": { json: { schema, dialect, formats } } },
    globalOutbound: null,
  });
  const stub = loader.get(key, code).getEntrypoint("Validator") as unknown as ValidatorStub;
  return { check: (texts) => checkIn(stub, target, texts) };
}

async function checkIn(
  stub: ValidatorStub,
  target: Target,
  texts: readonly Uint8Array[],
): Promise<Uint8Array | undefined> {
  const ends: number[] = [];
  let length = 0;
  for (const text of texts) {
    length += text.length;
    ends.push(length);
  }
  const bytes = new Uint8Array(length);
  for (const [index, text] of texts.entries()) bytes.set(text, ends[index]! - text.length);
  try {
    return await stub.check(bytes, ends);
  } catch (error) {
    // The interpreter takes over: a validator that was refused or stopped must not fail the request.
    target.heat.refuse();
    logLine("warn", "A validating isolate failed", errorFields(error));
    return undefined;
  }
}
