/** Zod 4 types as schemas to register. Needs `zod` beside this package. */
import { toJSONSchema, type ZodType } from "zod";
import { JSONSchema } from "./schema.js";

/** The JSON Schema (2020-12) of what a Zod type accepts, as it arrives: defaults may be left out and transformations have not happened. */
export function fromZod(type: ZodType): JSONSchema {
  return new JSONSchema(toJSONSchema(type, { io: "input", target: "draft-2020-12" }));
}
