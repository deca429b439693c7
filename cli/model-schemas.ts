/** The JSON Schemas that a model sees, for `llmsr lint` and `llmsr project`: each tool of a list, or the one schema. */

import type { JsonSchemaModel } from "../schema/json/model.ts";
import { parseJsonText } from "../schema/json-text.ts";
import type { Profile } from "../schema/projection/profile.ts";
import { profileNamed } from "../schema/projection/profiles.ts";
import type { UnwrappedSchema } from "../schema/projection/tool-schema-text.ts";
import { referenceFinder } from "./entries.ts";
import { parseSchema } from "./input/parse-schema.ts";
import { type InputOptions, isFolder, readInputs } from "./input/read-inputs.ts";
import { findEnding, type SchemaText } from "./input/schema-text.ts";
import { splitPlace } from "./input/unwrap.ts";
import { UsageError } from "./usage-error.ts";

export type ModelSchema = Pick<UnwrappedSchema, "kind" | "name" | "description" | "pointer"> &
  Pick<SchemaText, "locate" | "notes"> & { model: JsonSchemaModel };

export async function readModelSchemas(
  reference: string,
  refs: readonly string[],
  options: InputOptions,
): Promise<ModelSchema[]> {
  const { shell } = options;
  const { path, pointer = "" } = splitPlace(reference);
  if (isFolder(shell, path)) throw new UsageError(`${path} is a folder; one file is needed here.`);
  const referencesOf = await referenceFinder(refs, options);
  const inputs = await readInputs(reference, asJsonSchema(reference, options));
  return inputs.map((input) => {
    const text = input.tool?.text ?? input.text;
    const schema = requireJsonSchema(parseSchema({ ...input, text }, referencesOf(input)));
    const found = input.tool ?? { kind: null, name: titleOf(text), description: null, pointer };
    const { kind, name, description } = found;
    const { locate, notes, model } = schema;
    return { kind, name, description, pointer: found.pointer, locate, notes, model };
  });
}

/** A file is taken for a JSON Schema unless its ending says otherwise. */
export function asJsonSchema(reference: string, options: InputOptions): InputOptions {
  const ending = findEnding(splitPlace(reference).path);
  return options.format !== undefined || ending === "avsc" || ending === "proto"
    ? options
    : { ...options, format: "json-schema" };
}

export function requireJsonSchema<Of extends SchemaText>(
  schema: Of & { model: unknown },
): Of & { model: JsonSchemaModel } {
  if (schema.format === "json-schema") return schema as Of & { model: JsonSchemaModel };
  throw new UsageError(`${schema.place} is ${schema.format}; a JSON Schema is needed here.`);
}

function titleOf(text: string): string | null {
  const parsed = parseJsonText(text);
  const root = parsed.ok ? parsed.value.root : undefined;
  const title = root?.type === "object" ? root.members.get("title") : undefined;
  return title?.type === "string" ? title.value : null;
}

/** Profiles by name, comma-separated. */
export function readProfiles(names: string): Profile[] {
  return names.split(",").map((name) => {
    const found = profileNamed(name.trim());
    if (!found.ok) throw new UsageError(found.refusal.message);
    return found.value;
  });
}
