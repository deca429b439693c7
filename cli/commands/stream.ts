/**
 * llmsr stream: checks a model's JSON answer while it arrives, offline, and stops at the first error that later text
 * cannot correct.
 */
import type { JsonSchemaModel } from "../../schema/json/model.ts";
import { MAX_ANSWER_CHARACTERS } from "../../schema/projection/bounds.ts";
import { checkPartialAnswer } from "../../schema/projection/partial-answer.ts";
import type { CliCommand } from "../command.ts";
import { readSchema } from "../entries.ts";
import { EXIT } from "../exit-codes.ts";
import { asJsonSchema, requireJsonSchema } from "../model-schemas.ts";
import { parseOptions } from "../parse-options.ts";
import { REGISTRY_OPTIONS, REGISTRY_USAGE } from "../settings.ts";
import type { Shell } from "../shell.ts";
import { UsageError } from "../usage-error.ts";
import { readInputOptions } from "./compare.ts";

const STREAM_USAGE = `llmsr stream checks a JSON value while it arrives on stdin, and ends at the first error that no continuation can fix.

  model | llmsr stream --schema SCHEMA

  --schema FILE      a JSON Schema or a tool definition; FILE#/pointer names one schema of several
  --ref NAME=FILE    what a reference resolves to; may be repeated
  --json             one line of JSON instead of text
${REGISTRY_USAGE}
Exit codes: 0 valid and complete, 1 invalid or incomplete, 2 an unreadable file or invalid argument.
`;

type Outcome = {
  outcome: "valid" | "invalid" | "incomplete" | "not_json";
  errors: readonly { pointer: string; message: string }[];
  /** Characters received by then. */
  characters: number;
};

const STREAM_OPTIONS = {
  ...REGISTRY_OPTIONS,
  schema: { type: "string" },
  ref: { type: "string", multiple: true, default: [] as string[] },
  json: { type: "boolean", default: false },
} as const;

async function stream(args: readonly string[], shell: Shell): Promise<number> {
  const { print, printError } = shell;
  const { values, positionals } = parseOptions(args, STREAM_OPTIONS);
  if (positionals.length > 0) throw new UsageError(`stream reads stdin and takes no file.\n\n${STREAM_USAGE}`);
  if (values.schema === undefined) throw new UsageError("stream requires --schema FILE.");
  const options = asJsonSchema(values.schema, readInputOptions({ ...values, format: [] }, shell));
  const schema = requireJsonSchema(await readSchema(values.schema, values.ref, options));
  for (const note of schema.notes) printError(`${note}\n`);
  const outcome = await checkChunks(schema.model, shell.stdinChunks());
  if (values.json) print(`${JSON.stringify(outcome)}\n`);
  else {
    const errors = outcome.errors.map(({ pointer, message }) => `  ${pointer || "/"}: ${message}\n`);
    print(`${outcome.outcome} after ${outcome.characters} characters\n${errors.join("")}`);
  }
  return outcome.outcome === "valid" ? EXIT.ok : EXIT.no;
}

export const STREAM_COMMAND: CliCommand = { usage: STREAM_USAGE, options: STREAM_OPTIONS, run: stream };

async function checkChunks(model: JsonSchemaModel, chunks: AsyncIterable<Uint8Array>): Promise<Outcome> {
  const decoder = new TextDecoder();
  let text = "";
  // The whole text is checked again whenever it has grown by a quarter, which keeps the total time linear.
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
