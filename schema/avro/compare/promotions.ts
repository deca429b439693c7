/** Promotions between primitive types (specification, "Schema Resolution"). */
import type { AvroPrimitiveKind, AvroType } from "../model.ts";

/** From the writer's type to the reader's. */
export const PROMOTIONS: Readonly<Partial<Record<AvroType["kind"], readonly AvroPrimitiveKind[]>>> = {
  int: ["long", "float", "double"],
  long: ["float", "double"],
  float: ["double"],
  string: ["bytes"],
  bytes: ["string"],
};

export function isPromotable(writer: AvroType, reader: AvroType): boolean {
  return PROMOTIONS[writer.kind]?.some((kind) => kind === reader.kind) ?? false;
}
