/**
 * llmsr project: a schema projected for a model provider, with the part of the request that carries it and the decoder
 * for the answers.
 */
import { type JsonNode, writeJsonText } from "../../schema/json-text.ts";
import { type Projection, projectSchema } from "../../schema/projection/project.ts";
import { requestFragment } from "../../schema/projection/request-fragment.ts";
import { SHAPE_NAMES } from "../../schema/projection/shapes.ts";
import type { CliCommand } from "../command.ts";
import { type ModelSchema, readModelSchemas, readProfiles } from "../model-schemas.ts";
import { parseOptions } from "../parse-options.ts";
import { REGISTRY_OPTIONS, REGISTRY_USAGE } from "../settings.ts";
import type { Shell } from "../shell.ts";
import { UsageError } from "../usage-error.ts";
import { readInputOptions } from "./compare.ts";

const PROJECT_USAGE = `llmsr project rewrites a JSON Schema for one model provider. No server, no network.

  llmsr project SCHEMA --target NAME    SCHEMA as for llmsr lint; - reads stdin

  --target NAME      openai, anthropic, gemini, mcp, or any profile, dated or not
  --shape SHAPE      the request around the schema: ${SHAPE_NAMES.slice(0, 4).join(", ")}, …; without it, the schema alone
  --all              schema, request, decoder and report as one JSON document
  --ref NAME=FILE    what a $ref to another document resolves to; may be repeated
${REGISTRY_USAGE}
Exit codes: 0 projected, 1 the provider has no form for it, 2 a file or an argument cannot be used.
`;

async function project(args: readonly string[], shell: Shell): Promise<number> {
  const { print, printError } = shell;
  const { values, positionals } = parse(args);
  const [file, ...rest] = positionals;
  if (file === undefined || rest.length > 0 || values.target === undefined) {
    throw new UsageError(`project takes one file and --target.\n\n${PROJECT_USAGE}`);
  }
  const [profile, ...others] = readProfiles(values.target);
  if (profile === undefined || others.length > 0) throw new UsageError("--target must name one profile.");
  let code = 0;
  for (const schema of await readModelSchemas(
    file,
    values.ref,
    readInputOptions({ ...values, format: [], json: false }, shell),
  )) {
    for (const note of schema.notes) printError(`${note}\n`);
    const projected = projectSchema(schema.model, profile);
    if (!projected.ok) {
      for (const { pointer, message } of projected.refusal.problems)
        printError(`llmsr: ${nameOf(schema)} ${pointer}: ${message}\n`);
      code = 1;
      continue;
    }
    const naming = {
      name: nameOf(schema),
      ...(schema.description === null ? {} : { description: schema.description }),
    };
    const wrapped = requestFragment(profile, values.shape, projected.value.schema, naming);
    if (!wrapped.ok) throw new UsageError(wrapped.refusal.message);
    const { fragment, shape } = wrapped.value;
    if (values.all) print(renderAll(schema, projected.value, shape, fragment));
    else print(`${writeJsonText(values.shape === undefined ? projected.value.schema : fragment)}\n`);
  }
  return code;
}

function nameOf({ name, pointer }: ModelSchema): string {
  return name ?? (pointer === "" ? "schema" : pointer);
}

/** Built as text, because JavaScript objects move integer-like property names to the front. */
function renderAll(
  schema: ModelSchema,
  { profile, schema: node, loss, changes, decoder }: Projection,
  shape: string,
  fragment: JsonNode,
): string {
  const members = [
    ["name", JSON.stringify(nameOf(schema))],
    ["profile", JSON.stringify(profile)],
    ["schema", writeJsonText(node)],
    ["shape", JSON.stringify(shape)],
    ["fragment", writeJsonText(fragment)],
    ["decoder", JSON.stringify(decoder)],
    ["loss", JSON.stringify(loss)],
    ["changes", JSON.stringify(changes)],
  ];
  return `{${members.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(",")}}\n`;
}

const PROJECT_OPTIONS = {
  target: { type: "string" },
  shape: { type: "string" },
  all: { type: "boolean", default: false },
  ref: { type: "string", multiple: true, default: [] as string[] },
  ...REGISTRY_OPTIONS,
} as const;

function parse(args: readonly string[]) {
  return parseOptions(args, PROJECT_OPTIONS);
}

export const PROJECT_COMMAND: CliCommand = { usage: PROJECT_USAGE, options: PROJECT_OPTIONS, run: project };
