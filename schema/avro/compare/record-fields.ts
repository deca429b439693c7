/** Matches a reader's field with the writer's fields, by name or alias. */
import type { AvroField } from "../model.ts";

/** The distinct indexes of matching writer fields. More than one means the match is ambiguous. */
export function findWriterFields(field: AvroField, writerFields: ReadonlyMap<string, number>): number[] {
  const direct = writerFields.get(field.name);
  if (field.aliases.length === 0) return direct === undefined ? [] : [direct];
  const matches = new Set<number>();
  if (direct !== undefined) matches.add(direct);
  for (const alias of field.aliases) {
    const index = writerFields.get(alias);
    if (index !== undefined) matches.add(index);
  }
  return [...matches];
}
