/** The registry's own JSON Schema interpreter, bundled from the server's sources. It generates no code and always ends. */
import type { ValidationError } from "../models.js";

export interface SchemaText {
  text: string;
  dialect: string;
  references: ResolvedReference[];
}

export interface ResolvedReference {
  name: string;
  subject: string;
  version: number;
  schema: SchemaText;
}

export type LocalResult = { valid: boolean; errors: ValidationError[] };

/** A validator, or undefined where this engine cannot decide and the registry should be asked. */
export function compileJsonSchema(schema: SchemaText): ((data: unknown) => LocalResult | undefined) | undefined;
