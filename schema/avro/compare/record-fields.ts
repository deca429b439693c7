/** Which of the writer's fields a reader's field stands for: the one of its name, or one that it has as an alias. */
import type { AvroField } from "../model.ts";

/** The indexes of the writer's fields that match, each once. More than one means that nobody can say which is read. */
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
