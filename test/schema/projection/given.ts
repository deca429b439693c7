import type { JsonSchemaModel } from "../../../schema/json/model.ts";
import { parseJsonSchema } from "../../../schema/json/parse/parse.ts";
import type { Profile } from "../../../schema/projection/profile.ts";
import { profileNamed } from "../../../schema/projection/profiles.ts";
import { type Projection, type ProjectOptions, projectSchema } from "../../../schema/projection/project.ts";

export function modelOf(schema: unknown, references: Record<string, unknown> = {}): JsonSchemaModel {
  const offered = Object.entries(references).map(([name, target]) => ({
    name,
    subject: name,
    version: 1,
    source: { text: JSON.stringify(target), references: [] },
  }));
  const text = typeof schema === "string" ? schema : JSON.stringify(schema);
  const parsed = parseJsonSchema({ text, references: offered }, { strictness: "new", defaultDialect: "2020-12" });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal.problems));
  return parsed.value.model;
}

export function profileOf(name: string): Profile {
  const found = profileNamed(name);
  if (!found.ok) throw new Error(found.refusal.message);
  return found.value;
}

export function projectionOf(schema: unknown, profile: string, options: ProjectOptions = {}): Projection {
  const projected = projectSchema(modelOf(schema), profileOf(profile), options);
  if (!projected.ok) throw new Error(JSON.stringify(projected.refusal));
  return projected.value;
}

/** A closed object whose properties are all required unless others are given. */
export function closed(properties: Record<string, unknown>, required = Object.keys(properties)): object {
  return { type: "object", properties, required, additionalProperties: false };
}
