/**
 * llmsr project: a schema projected for a model provider, with the part of the request that carries it and the decoder
 * for the answers.
 */
import { readFileSync } from "node:fs";
import { type JsonNode, writeJsonText } from "../schema/json-text.ts";
import { type Projection, projectSchema } from "../schema/projection/project.ts";
import { requestFragment } from "../schema/projection/request-fragment.ts";
import { SHAPE_NAMES } from "../schema/projection/shapes.ts";
import type { Output } from "./llmsr.ts";
import { parseOptions } from "./parse-options.ts";
import { type ReadSchema, readJsonSchemas, readProfiles } from "./read-json-schemas.ts";
import { splitReference } from "./references.ts";
import { UsageError } from "./usage-error.ts";

const PROJECT_USAGE = `llmsr project rewrites a JSON Schema for one model provider. No server, no network.

  llmsr project FILE --target NAME    FILE as for llmsr lint; - reads stdin

  --target NAME      openai, anthropic, gemini, mcp, or any profile, dated or not
  --shape SHAPE      the request around the schema: ${SHAPE_NAMES.slice(0, 4).join(", ")}, …; without it, the schema alone
  --all              schema, request, decoder and report as one JSON document
  --ref NAME=FILE    what a $ref to another document resolves to; may be repeated

Exit codes: 0 projected, 1 the provider has no form for it, 2 a file or an argument cannot be used.
`;

export function runProject(args: readonly string[], output: Output): number {
  try {
    return project(args, output);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    output.printError(`llmsr: ${error.message}\n`);
    return 2;
  }
}

function project(args: readonly string[], { print, printError }: Output): number {
  const { values, positionals } = parse(args);
  const [file, ...rest] = positionals;
  if (values.help) {
    print(PROJECT_USAGE);
    return 0;
  }
  if (file === undefined || rest.length > 0 || values.target === undefined) {
    throw new UsageError(`project takes one file and --target.\n\n${PROJECT_USAGE}`);
  }
  const [profile, ...others] = readProfiles(values.target);
  if (profile === undefined || others.length > 0) throw new UsageError("--target must name one profile.");
  const read = (path: string) => readFileSync(path === "-" ? 0 : path, "utf8");
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

function parse(args: readonly string[]) {
  return parseOptions(args, {
    target: { type: "string" },
    shape: { type: "string" },
    all: { type: "boolean", default: false },
    ref: { type: "string", multiple: true, default: [] },
    help: { type: "boolean", short: "h", default: false },
  });
}
