/** The registry's own JSON Schema interpreter, bundled from the server's sources. It generates no code and always ends. */
import type { ValidationError } from "../models.js";

/** A schema without references to other schemas. */
export interface SchemaText {
  text: string;
  dialect: string;
}

export type LocalResult = { valid: boolean; errors: ValidationError[] };

/** A validator, or undefined where this engine cannot decide and the registry should be asked. */
export function compileJsonSchema(schema: SchemaText): ((data: unknown) => LocalResult | undefined) | undefined;
