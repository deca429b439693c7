/** JSON Schema has no views: every `format` parameter gives the stored text. */
import type { JsonSchemaModel } from "../model.ts";

export function renderJsonSchema(_model: JsonSchemaModel, _view: string): string | undefined {
  return undefined;
}
