/** llmsr stream: checks a model's JSON answer while it arrives, offline, and ends at the first error that no rest can fix. */
import { readFileSync } from "node:fs";
import type { JsonSchemaModel } from "../schema/json/model.ts";
import { MAX_ANSWER_CHARACTERS } from "../schema/projection/bounds.ts";
import { checkPartialAnswer } from "../schema/projection/partial-answer.ts";
import type { Output } from "./llmsr.ts";
import { parseOptions } from "./parse-options.ts";
import { readSchema } from "./read-schema.ts";
import { splitReference } from "./references.ts";
import { UsageError } from "./usage-error.ts";

const STREAM_USAGE = `llmsr stream checks a JSON value while it arrives on stdin, and ends at the first error that no continuation can fix.

  model | llmsr stream --schema SCHEMA

  --schema FILE      a JSON Schema or a tool definition; FILE#/pointer names one schema of several
  --ref NAME=FILE    what a reference resolves to; may be repeated
  --json             one line of JSON instead of text

Exit codes: 0 valid and complete, 1 invalid or incomplete, 2 an unreadable file or invalid argument.
`;

type Outcome = {
  outcome: "valid" | "invalid" | "incomplete" | "not_json";
  errors: readonly { pointer: string; message: string }[];
  /** Characters that had arrived by then. */
  characters: number;
};

export async function runStream(
  args: readonly string[],
  output: Output,
  chunks: AsyncIterable<Uint8Array> = process.stdin,
): Promise<number> {
  try {
    return await stream(args, output, chunks);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    output.printError(`llmsr: ${error.message}\n`);
    return 2;
  }
}

async function stream(
  args: readonly string[],
  { print, printError }: Output,
  chunks: AsyncIterable<Uint8Array>,
): Promise<number> {
  const { values, positionals } = parseOptions(args, {
    schema: { type: "string" },
    ref: { type: "string", multiple: true, default: [] },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  });
  if (values.help) {
    print(STREAM_USAGE);
    return 0;
  }
  if (positionals.length > 0) throw new UsageError(`stream reads stdin and takes no file.\n\n${STREAM_USAGE}`);
  if (values.schema === undefined) throw new UsageError("stream requires --schema FILE.");
  const readFile = (path: string) => readFileSync(path, "utf8");
  const schema = readSchema(values.schema, "json-schema", values.ref.map(splitReference), readFile);
  for (const note of schema.notes) printError(`${note}\n`);
  const outcome = await checkChunks(schema.model as JsonSchemaModel, chunks);
  if (values.json) print(`${JSON.stringify(outcome)}\n`);
  else {
    const errors = outcome.errors.map(({ pointer, message }) => `  ${pointer || "/"}: ${message}\n`);
    print(`${outcome.outcome} after ${outcome.characters} characters\n${errors.join("")}`);
  }
  return outcome.outcome === "valid" ? 0 : 1;
}

async function checkChunks(model: JsonSchemaModel, chunks: AsyncIterable<Uint8Array>): Promise<Outcome> {
  const decoder = new TextDecoder();
  let text = "";
  // The whole text is checked again whenever it has grown by a quarter, so that its length costs linear time.
  let checkAt = 1;
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_ANSWER_CHARACTERS) {
      throw new UsageError(`The answer is longer than ${MAX_ANSWER_CHARACTERS} characters.`);
    }
    if (text.length < checkAt) continue;
    checkAt = text.length * 1.25;
    const failed = outcomeOf(model, text);
    if (failed.outcome === "invalid" || failed.outcome === "not_json") return failed;
  }
  return outcomeOf(model, text + decoder.decode());
}

function outcomeOf(model: JsonSchemaModel, text: string): Outcome {
  const { errors, isComplete, problem } = checkPartialAnswer(model, text);
  const characters = text.length;
  if (problem !== undefined) return { outcome: "not_json", errors: [{ pointer: "", message: problem }], characters };
  const found = errors.map(({ pointer, message }) => ({ pointer, message }));
  if (found.length > 0) return { outcome: "invalid", errors: found, characters };
  return { outcome: isComplete ? "valid" : "incomplete", errors: [], characters };
}
