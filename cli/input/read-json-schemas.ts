/**
 * Reads JSON Schemas from a file for `llmsr lint` and `llmsr project`: one schema, or those inside tool definitions.
 */
import type { JsonSchemaModel } from "../../schema/json/model.ts";
import { parseJsonSchema } from "../../schema/json/parse/parse.ts";
import { parseJsonText } from "../../schema/json-text.ts";
import type { Profile } from "../../schema/projection/profile.ts";
import { profileNamed } from "../../schema/projection/profiles.ts";
import { type UnwrappedSchema, unwrapSchemas } from "../../schema/projection/tool-schema-text.ts";
import { UsageError } from "../usage-error.ts";

export type ReadSchema = UnwrappedSchema & { readonly model: JsonSchemaModel };

export function readJsonSchemas(
  file: string,
  references: readonly { name: string; file: string }[],
  readFile: (path: string) => string,
): ReadSchema[] {
  const text = readText(file, readFile);
  const parsed = parseJsonText(text);
  if (!parsed.ok) {
    const { message, line, column } = parsed.refusal.problem;
    throw new UsageError(`${file}:${line}:${column}: ${message}`);
  }
  const offered = references.map(({ name, file: target }) => ({
    name,
    subject: name,
    version: 1,
    source: { text: readText(target, readFile), references: [] },
  }));
  return unwrapSchemas(parsed.value.root, text).map((found) => {
    const read = parseJsonSchema(
      { text: found.text, references: offered },
      { strictness: "new", defaultDialect: "2020-12" },
    );
    if (read.ok) return { ...found, model: read.value.model };
    const lines = read.refusal.problems.map(
      ({ message, pointer }) => `${file}: ${found.pointer}${pointer ?? ""}: ${message}`,
    );
    throw new UsageError(lines.join("\n"));
  });
}

function readText(file: string, readFile: (path: string) => string): string {
  try {
    return readFile(file);
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Profiles by name, comma-separated. */
export function readProfiles(names: string): Profile[] {
  return names.split(",").map((name) => {
    const found = profileNamed(name.trim());
    if (!found.ok) throw new UsageError(found.refusal.message);
    return found.value;
  });
}
