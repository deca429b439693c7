/**
 * llmsr project: a schema projected for a model provider, with the part of the request that carries it and the decoder
 * for the answers.
 */
import { type JsonNode, writeJsonText } from "../../schema/json-text.ts";
import { projectBundle } from "../../schema/projection/bundle.ts";
import type { Profile } from "../../schema/projection/profile.ts";
import { type Projection, type ProjectionRefusal, projectSchema } from "../../schema/projection/project.ts";
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
  --together         the tools of SCHEMA are for one request and share its limits
  --fallback NAME    with --together, the profile for tools that no longer fit; anthropic-tool sends them without strict
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
  const profile = readOneProfile("--target", values.target);
  if (values.fallback !== undefined && !values.together) throw new UsageError("--fallback needs --together.");
  const fallback = values.fallback === undefined ? undefined : readOneProfile("--fallback", values.fallback);
  const inputOptions = readInputOptions({ ...values, format: [], json: false }, shell);
  const schemas = await readModelSchemas(file, values.ref, inputOptions);
  for (const { notes } of schemas) for (const note of notes) printError(`${note}\n`);
  const projected = values.together
    ? projectTogether(schemas, profile, fallback, shell)
    : projectEach(schemas, profile, shell);
  for (const { schema, profile: used, projection } of projected) {
    const naming = {
      name: nameOf(schema),
      ...(schema.description === null ? {} : { description: schema.description }),
    };
    const wrapped = requestFragment(used, values.shape, projection.schema, naming);
    if (!wrapped.ok) throw new UsageError(wrapped.refusal.message);
    const { fragment, shape } = wrapped.value;
    if (values.all) print(renderAll(schema, projection, shape, fragment));
    else print(`${writeJsonText(values.shape === undefined ? projection.schema : fragment)}\n`);
  }
  return projected.length === schemas.length ? 0 : 1;
}

function readOneProfile(option: string, name: string): Profile {
  const [profile, ...others] = readProfiles(name);
  if (profile === undefined || others.length > 0) throw new UsageError(`${option} must name one profile.`);
  return profile;
}

type Projected = { schema: ModelSchema; profile: Profile; projection: Projection };

/** Without those that cannot be projected, which are reported. */
function projectEach(schemas: readonly ModelSchema[], profile: Profile, { printError }: Shell): Projected[] {
  return schemas.flatMap((schema) => {
    const projected = projectSchema(schema.model, profile);
    if (projected.ok) return [{ schema, profile, projection: projected.value }];
    printError(problemLines(nameOf(schema), projected.refusal));
    return [];
  });
}

/** All of them or, if one does not fit, none. */
function projectTogether(
  schemas: readonly ModelSchema[],
  profile: Profile,
  fallback: Profile | undefined,
  { printError }: Shell,
): Projected[] {
  const named = schemas.map((schema) => ({ name: nameOf(schema), model: schema.model }));
  const bundle = projectBundle(named, profile, fallback);
  if (!bundle.ok) {
    printError(problemLines(bundle.refusal.name ?? "", bundle.refusal));
    return [];
  }
  for (const warning of bundle.value.warnings) printError(`llmsr: ${warning}\n`);
  return bundle.value.schemas.map(({ name, profile: used, reason, projection }, index) => {
    if (reason !== undefined) printError(`llmsr: ${name} is projected for ${used.name}: ${reason}\n`);
    return { schema: schemas[index]!, profile: used, projection };
  });
}

function problemLines(name: string, { problems }: Pick<ProjectionRefusal, "problems">): string {
  return problems
    .map(({ pointer, message }) => `llmsr: ${[name, pointer].filter(Boolean).join(" ")}: ${message}\n`)
    .join("");
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
  together: { type: "boolean", default: false },
  fallback: { type: "string" },
  ref: { type: "string", multiple: true, default: [] as string[] },
  ...REGISTRY_OPTIONS,
} as const;

function parse(args: readonly string[]) {
  return parseOptions(args, PROJECT_OPTIONS);
}

export const PROJECT_COMMAND: CliCommand = { usage: PROJECT_USAGE, options: PROJECT_OPTIONS, run: project };
