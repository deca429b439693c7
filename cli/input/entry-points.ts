/**
 * Schemas of programs: `module:Model` (Pydantic) and `file.ts#export` (Zod). Reading one runs the user's own code, as
 * importing it would.
 */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Shell } from "../shell.ts";
import { UsageError } from "../usage-error.ts";

const RUN_WITHIN_MS = 60_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

const PYDANTIC = /^([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)$/;
const ZOD = /^(.+\.(?:[mc]?ts|[mc]?js))#([A-Za-z_$][\w$]*)$/;

type EntryPoint = { name: string; text: string };

/** The name that a schema takes from an entry point; undefined if the reference is not one. */
export function nameOfEntryPoint(reference: string): string | undefined {
  const [, , zod] = ZOD.exec(reference) ?? [];
  const [, , pydantic] = PYDANTIC.exec(reference) ?? [];
  return zod ?? (pydantic === undefined ? undefined : lastName(pydantic));
}

/** The schema's JSON text; undefined if the reference is not an entry point. */
export function readEntryPoint(reference: string, shell: Pick<Shell, "cwd" | "env">): EntryPoint | undefined {
  const zod = ZOD.exec(reference);
  if (zod !== null) return readZod(reference, zod[1]!, zod[2]!, shell);
  const pydantic = PYDANTIC.exec(reference);
  if (pydantic !== null) return readPydantic(reference, pydantic[1]!, pydantic[2]!, shell);
  return undefined;
}

/** The module may print to standard output, so the schema is written to a separate descriptor. */
const PYTHON = `
import importlib, json, os, sys
sys.path.insert(0, os.getcwd())
value = importlib.import_module(sys.argv[1])
for name in sys.argv[2].split("."):
    value = getattr(value, name)
if hasattr(value, "model_json_schema"):
    schema = value.model_json_schema()
else:
    from pydantic import TypeAdapter
    schema = TypeAdapter(value).json_schema()
with os.fdopen(3, "w") as out:
    json.dump(schema, out)
`;

function readPydantic(reference: string, module: string, model: string, shell: Pick<Shell, "cwd" | "env">): EntryPoint {
  const python = shell.env.PYTHON ?? "python3";
  const text = runProgram(reference, python, ["-c", PYTHON, module, model], shell);
  return { name: lastName(model), text };
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

const SCRIPT = `
import { writeSync } from "node:fs";
const [, file, name, zod] = process.argv;
const module = await import(file);
if (!(name in module)) throw new Error(file + " exports no " + name + " (it exports " + Object.keys(module).join(", ") + ")");
const { z, toJSONSchema = z?.toJSONSchema } = await import(zod);
if (toJSONSchema === undefined) throw new Error("zod 4 or later is needed, which has toJSONSchema");
writeSync(3, JSON.stringify(toJSONSchema(module[name])));
`;

function readZod(reference: string, file: string, name: string, shell: Pick<Shell, "cwd" | "env">): EntryPoint {
  const path = resolve(shell.cwd, file);
  let zod: string;
  try {
    zod = createRequire(path).resolve("zod");
  } catch {
    throw new UsageError(`${reference}: zod is not installed where ${file} is (npm install zod).`);
  }
  const args = ["--input-type=module", "-e", SCRIPT, "--", pathToFileURL(path).href, name, pathToFileURL(zod).href];
  return { name, text: runProgram(reference, process.execPath, args, shell) };
}

function runProgram(
  reference: string,
  program: string,
  args: readonly string[],
  { cwd, env }: Pick<Shell, "cwd" | "env">,
): string {
  // The module is the repository's code, which must not receive the registry's key.
  const { LLMSR_KEY: _, ...shared } = env;
  const { output, status, error } = spawnSync(program, args, {
    cwd,
    env: { ...shared, NODE_NO_WARNINGS: "1" } as NodeJS.ProcessEnv,
    encoding: "utf8",
    timeout: RUN_WITHIN_MS,
    maxBuffer: MAX_OUTPUT_BYTES,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  if (error !== undefined) throw new UsageError(`${reference}: ${program} cannot be run: ${error.message}`);
  const schema = output[3] ?? "";
  if (status === 0 && schema !== "") return schema;
  throw new UsageError(`${reference} cannot be read: ${lastReason(output[2] ?? "")}`);
}

/** The line of a traceback or stack that says what happened. */
function lastReason(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const named = lines.findLast((line) => /^\w*(?:Error|Exception)\b/.test(line) || /^[\w.]+Error:/.test(line));
  return (named ?? lines.at(-1) ?? "it printed no schema").trim();
}
