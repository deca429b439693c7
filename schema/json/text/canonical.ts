/** The stored text: compact, members in the order written, numbers as written. */
import { writeJsonText } from "../../json-text.ts";
import type { JsonSchemaModel } from "../model.ts";

export function canonicalJsonSchema(model: JsonSchemaModel): string {
  return writeJsonText(model.document.root);
}

/** Whether a lookup treats two schemas as the same: equality of canonical texts. */
export function equivalentJsonSchemas(a: JsonSchemaModel, b: JsonSchemaModel): boolean {
  return a.document.root === b.document.root || canonicalJsonSchema(a) === canonicalJsonSchema(b);
}
