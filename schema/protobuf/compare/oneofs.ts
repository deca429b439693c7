/** Where the members of oneofs come from. */
import type { Field, Message, Oneof } from "../model.ts";

/** Where the members of each of the reader's oneofs were in the writer: each oneof is one place, each other field its own. */
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

/** The fields of a message by number, members of oneofs included. */
export function fieldsByNumber(message: Message): Map<number, Field> {
  return new Map(message.fields.map((field) => [field.number, field]));
}
