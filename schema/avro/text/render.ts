/** The views of a schema's text besides the canonical one. */

import type { AvroModel } from "../model.ts";
import { resolvedText } from "./canonical.ts";

/** `resolved` writes out referenced types; Avro has no other view. */
export function renderAvro(model: AvroModel, view: string): string | undefined {
  return view === "resolved" ? resolvedText(model) : undefined;
}
