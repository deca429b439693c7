/**
 * The compiled engine: ajv, avsc or protobufjs in a separate isolate without network access, which the Worker Loader
 * starts from the code that this Worker carries. It only confirms valid data; the interpreter decides everything else,
 * so that both engines give the same answer.
 */
import { errorFields, logLine } from "../../observe/log-line.ts";
import { withinDeadline } from "../../registry/deadline.ts";
import { NATIVE_HASHES } from "../../registry/native-hashes.ts";
import type { DataForm, DataOptions } from "../../schema/data.ts";
import type { FormatName } from "../../schema/format.ts";
import type { Edge } from "../edge.ts";
import avroCode from "./isolate/avro.generated.txt";
import jsonSchemaCode from "./isolate/json-schema.generated.txt";
import protobufCode from "./isolate/protobuf.generated.txt";
import type { Target } from "./targets.ts";

/** Raised whenever the isolates' code may decide differently. */
const BUNDLE_VERSION = 2;
const COMPATIBILITY_DATE = "2026-11-01";
/** Versions of a subject that are compiled into one isolate, because each isolate is billed. */
export const MAX_COMPILED_TOGETHER = 20;
/** Isolates that one request calls at once: the platform allows four. */
export const MAX_ISOLATES_IN_FLIGHT = 3;
/** The platform stops an isolate that computes for longer in one call. */
const CPU_LIMIT_MS = 1_000;
/** Remembered forms of one schema: Protobuf has one for each requested message. */
const MAX_COMPILABLES = 20;
/** When the interpreter takes over: an isolate that starts takes a tenth of it. */
const ANSWER_WITHIN_MS = 2_000;

type IsolateCode = { code: string; entrypoint: string; flags: readonly string[] };

const CODES: Partial<Record<FormatName, IsolateCode>> = {
  "json-schema": { code: jsonSchemaCode, entrypoint: "JsonSchemaValidator", flags: [] },
  // Avsc reads with Node's Buffer.
  avro: { code: avroCode, entrypoint: "AvroValidator", flags: ["nodejs_compat"] },
  protobuf: { code: protobufCode, entrypoint: "ProtobufValidator", flags: [] },
};

type ValidatorStub = { check(bytes: Uint8Array, ends: number[]): Promise<Uint8Array> };

export type Compiled = {
  /**
   * One byte per datum and target, all targets of the first datum first: 1 if it is certainly valid. Undefined if the
   * isolate failed.
   */
  check(data: readonly Uint8Array[]): Promise<Uint8Array | undefined>;
};

/** The compiled form of hot schemas of one format, if there is one for all of them. */
export async function compiledFor(
  edge: Edge,
  targets: readonly Target[],
  form: DataForm,
  options: DataOptions,
): Promise<Compiled | undefined> {
  const loader = edge.env.VALIDATORS;
  const [first] = targets;
  const code = first && CODES[first.format.name];
  if (loader === undefined || code === undefined) return undefined;
  const schemas = targets.map((target) => findCompilable(target, form, options));
  if (schemas.includes(undefined)) return undefined;
  const key = isolateKey(edge.tenant, targets, form, options);
  if (!(await edge.loadedIsolates.admit(edge, key))) return undefined;
  const stub = loader
    .get(key, () => ({
      compatibilityDate: COMPATIBILITY_DATE,
      compatibilityFlags: ["allow_eval_during_startup", ...code.flags],
      mainModule: "isolate.js",
      modules: { "isolate.js": code.code, "isolate-input.json": { json: schemas } },
      globalOutbound: null,
      limits: { cpuMs: CPU_LIMIT_MS, subRequests: 0 },
    }))
    .getEntrypoint(code.entrypoint) as unknown as ValidatorStub;
  return { check: (data) => checkIn(stub, targets, form, data) };
}

/** Derived only from a target, so they may be cached as long. */
const COMPILABLES = new WeakMap<Target, Map<string, unknown>>();

/** The schema as its isolate compiles it; undefined if it is not hot, or only the interpreter can decide. */
export function findCompilable(target: Target, form: DataForm, options: DataOptions): unknown {
  const { format, model, heat } = target;
  if (!heat.isHot(form)) return undefined;
  const known = COMPILABLES.get(target) ?? new Map<string, unknown>();
  COMPILABLES.set(target, known);
  const key = `${form}/${options.formats}/${options.message ?? ""}`;
  if (known.has(key)) return known.get(key);
  const schema = format.data.compilable?.(model, form, options);
  // If not even the default message can be compiled, the schema is not tried again.
  if (schema === undefined && options.message === undefined) heat.refuse(form);
  if (known.size < MAX_COMPILABLES) known.set(key, schema);
  return schema;
}

/** What the isolate's code depends on. */
function isolateKey(tenant: string, targets: readonly Target[], form: DataForm, options: DataOptions): string {
  const parts = [tenant, form, String(options.formats), options.message ?? "", String(BUNDLE_VERSION)];
  for (const { format, closureKey, dialect } of targets) parts.push(format.name, closureKey, dialect ?? "");
  return NATIVE_HASHES.sha256([JSON.stringify(parts)]);
}

async function checkIn(
  stub: ValidatorStub,
  targets: readonly Target[],
  form: DataForm,
  data: readonly Uint8Array[],
): Promise<Uint8Array | undefined> {
  const ends: number[] = [];
  let length = 0;
  for (const datum of data) {
    length += datum.length;
    ends.push(length);
  }
  const bytes = new Uint8Array(length);
  for (const [index, datum] of data.entries()) bytes.set(datum, ends[index]! - datum.length);
  try {
    const answers = await withinDeadline(ANSWER_WITHIN_MS, stub.check(bytes, ends), () => undefined);
    if (answers?.length === data.length * targets.length) return answers;
    logLine("warn", "A validating isolate was late", { schemas: targets.length, bytes: length });
  } catch (error) {
    logLine("warn", "A validating isolate failed", errorFields(error));
  }
  // The interpreter takes over: a validator that was refused or stopped must not fail the request.
  for (const { heat } of targets) heat.refuse(form);
  return undefined;
}
