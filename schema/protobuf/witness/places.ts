/** Which reader messages read which writer messages, and the path to them from a message that can be sent. */

import { findMessage } from "../codec/codec.ts";
import { type LinkedField, type LinkedMessage, type LinkedModel, localName } from "../compare/linked.ts";
import { type Definition, isMessageDefinition, type Message } from "../model.ts";

/** Maximum number of pairs; a real file has a few dozen. */
const MAX_PLACES = 2_000;

/** A pair of messages and the path to it: fields of the writer from `root` on, outermost first. */
export type WitnessPlace = {
  readonly writer: LinkedMessage;
  readonly reader: LinkedMessage;
  readonly from: { readonly place: WitnessPlace; readonly field: LinkedField } | null;
};

/** All pairs that data can reach, those sent on their own first. */
export function findPlaces(reader: LinkedModel, writer: LinkedModel): WitnessPlace[] {
  const readerMessages = new Map(reader.fileMessages().map((definition) => [localName(definition), definition]));
  const places: WitnessPlace[] = [];
  const seen = new Map<Message, Set<Message>>();
  const add = (before: Definition<Message>, after: Definition<Message>, from: WitnessPlace["from"]) => {
    const readers = seen.get(before.element) ?? new Set<Message>();
    seen.set(before.element, readers);
    if (readers.has(after.element)) return;
    readers.add(after.element);
    places.push({ writer: writer.message(before), reader: reader.message(after), from });
  };
  for (const definition of writer.fileMessages()) {
    if (places.length >= MAX_PLACES) return places;
    const match = readerMessages.get(localName(definition));
    if (match !== undefined && definition.element.synthetic === null) add(definition, match, null);
  }
  for (let at = 0; at < places.length; at += 1) {
    const place = places[at]!;
    for (const field of place.writer.fields.values()) {
      if (places.length >= MAX_PLACES) return places;
      const match = place.reader.fields.get(field.number);
      if (match === undefined || findMessage(writer, field) === null || findMessage(reader, match) === null) continue;
      if (!isMessageDefinition(field.type!) || !isMessageDefinition(match.type!)) continue;
      add(field.type, match.type, { place, field });
    }
  }
  return places;
}

/** The root message for a location, and the fields in between, outermost first. */
export function wayTo(place: WitnessPlace): { root: WitnessPlace; fields: LinkedField[] } {
  const fields: LinkedField[] = [];
  let root = place;
  while (root.from !== null) {
    fields.unshift(root.from.field);
    root = root.from.place;
  }
  return { root, fields };
}
