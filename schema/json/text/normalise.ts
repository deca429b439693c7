/** The text under `normalize=true`: keys sorted at every level, arrays untouched. */
import { writeJsonText } from "../../json-text.ts";
import type { JsonSchemaModel } from "../model.ts";

export function normalisedJsonSchema(model: JsonSchemaModel): string {
  return writeJsonText(model.document.root, { sortKeys: true });
}
