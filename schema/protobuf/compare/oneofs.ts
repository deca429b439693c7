/** Maps the members of oneofs between writer and reader. */
import type { Field, Message, Oneof } from "../model.ts";

/**
 * The writer's locations of the members of each of the reader's oneofs: each oneof is one location, every other field
 * its own.
 */
export function oneofOrigins(writer: Message, reader: Message): Map<Oneof, Set<Oneof | Field>> {
  const before = fieldsByNumber(writer);
  const origins = new Map<Oneof, Set<Oneof | Field>>();
  for (const { number, oneof } of reader.fields) {
    const field = before.get(number);
    if (oneof === null || field === undefined) continue;
    const known = origins.get(oneof) ?? new Set();
    origins.set(oneof, known.add(field.oneof ?? field));
  }
  return origins;
}

/** The fields of a message by number, including members of oneofs. */
export function fieldsByNumber(message: Message): Map<number, Field> {
  return new Map(message.fields.map((field) => [field.number, field]));
}
