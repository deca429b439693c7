/**
 * llmsr project: a schema projected for a model provider, with the part of the request that carries it and the decoder
 * for the answers.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type JsonNode, writeJsonText } from "../../schema/json-text.ts";
import { type Projection, projectSchema } from "../../schema/projection/project.ts";
import { requestFragment } from "../../schema/projection/request-fragment.ts";
import { SHAPE_NAMES } from "../../schema/projection/shapes.ts";
import type { CliCommand } from "../command.ts";
import { type ReadSchema, readJsonSchemas, readProfiles } from "../input/read-json-schemas.ts";
import { splitReference } from "../input/references.ts";
import { parseOptions } from "../parse-options.ts";
import type { Shell } from "../shell.ts";
import { UsageError } from "../usage-error.ts";

const PROJECT_USAGE = `llmsr project rewrites a JSON Schema for one model provider. No server, no network.

  llmsr project FILE --target NAME    FILE as for llmsr lint; - reads stdin

  --target NAME      openai, anthropic, gemini, mcp, or any profile, dated or not
  --shape SHAPE      the request around the schema: ${SHAPE_NAMES.slice(0, 4).join(", ")}, …; without it, the schema alone
  --all              schema, request, decoder and report as one JSON document
  --ref NAME=FILE    what a $ref to another document resolves to; may be repeated

Exit codes: 0 projected, 1 the provider has no form for it, 2 a file or an argument cannot be used.
`;

function project(args: readonly string[], shell: Shell): number {
  const { print, printError } = shell;
  const { values, positionals } = parse(args);
  const [file, ...rest] = positionals;
  if (file === undefined || rest.length > 0 || values.target === undefined) {
    throw new UsageError(`project takes one file and --target.\n\n${PROJECT_USAGE}`);
  }
  const [profile, ...others] = readProfiles(values.target);
  if (profile === undefined || others.length > 0) throw new UsageError("--target must name one profile.");
  const read = (path: string) => (path === "-" ? shell.readStdin() : readFileSync(resolve(shell.cwd, path), "utf8"));
  let code = 0;
  for (const schema of readJsonSchemas(file, values.ref.map(splitReference), read)) {
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

function nameOf({ name, pointer }: ReadSchema): string {
  return name ?? (pointer === "" ? "schema" : pointer);
}

/** Built as text, because JavaScript objects move integer-like property names to the front. */
function renderAll(
  schema: ReadSchema,
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
} as const;

function parse(args: readonly string[]) {
  return parseOptions(args, PROJECT_OPTIONS);
}

export const PROJECT_COMMAND: CliCommand = { usage: PROJECT_USAGE, options: PROJECT_OPTIONS, run: project };
