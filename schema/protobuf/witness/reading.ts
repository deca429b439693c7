/** Compares, field by field, what the writer meant with what a reader decodes, and describes the first loss. */

import {
  encodeMessageValue,
  type FieldValue,
  findMessage,
  isMessageValue,
  isZero,
  type MessageValue,
  makeZero,
} from "../codec/codec.ts";
import type { LinkedField, LinkedMessage, LinkedModel } from "../compare/linked.ts";
import { hasPartsOf, isOtherWellKnown, KEY_NUMBER } from "../compare/meaning.ts";
import { type DefaultValue, isSameDefault, isZeroDefault, readDefault } from "../compare/semantic/defaults.ts";
import { isEnumDefinition } from "../model.ts";

/**
 * `value`: a different value; `presence`: only whether it was set; `name`: the same number of an enum under a different
 * name; `number`: the reader looks for the field under a different number; `key`: elements with one key, of which a map
 * keeps the last.
 */
export type ReadingLoss = { kind: "value" | "presence" | "name" | "number" | "key"; pointer: string; text: string };

type Message = { side: LinkedModel; message: LinkedMessage; value: MessageValue };

/** In the writer's messages on the path, the only fields that are checked besides those that are present. */
type ReadingFocus = { messages: ReadonlySet<LinkedMessage>; fields: readonly LinkedField[] };

/** Compares written with read values; unknown fields of the reader are not a loss by themselves. */
export function readingLosses(writer: Message, reader: Message, focus?: ReadingFocus): ReadingLoss[] {
  const losses = new LossList(focus);
  compareMessages(writer, reader, losses);
  return losses.found;
}

class LossList {
  readonly found: ReadingLoss[] = [];
  readonly #focus: ReadingFocus | undefined;

  constructor(focus: ReadingFocus | undefined) {
    this.#focus = focus;
  }

  push(loss: ReadingLoss): void {
    this.found.push(loss);
  }

  /** The fields of the writer's message that are checked. */
  fieldsOf(writer: Message, reader: Message): Iterable<LinkedField> {
    const all = writer.side.fields(writer.message);
    if (!this.#focus?.messages.has(writer.message)) return all.values();
    const numbers = [...writer.value.values.keys(), ...reader.value.values.keys()];
    const asked = this.#focus.fields.filter((field) => all.get(field.number) === field);
    return new Set([...numbers.flatMap((number) => all.get(number) ?? []), ...asked]);
  }
}

function compareMessages(writer: Message, reader: Message, losses: LossList): void {
  const readerFields = reader.side.fields(reader.message);
  for (const field of losses.fieldsOf(writer, reader)) {
    const match = readerFields.get(field.number);
    if (match !== undefined) compareField(writer, reader, field, match, losses);
    else compareLostMember(writer, reader, field, losses);
    compareNumbers(writer, reader, field, losses);
  }
}

/** The reader lacks the field: this is a loss only if a oneof then looks empty. */
function compareLostMember(writer: Message, reader: Message, field: LinkedField, losses: LossList): void {
  if (field.oneof === null || !writer.value.values.has(field.number)) return;
  // The reader's oneof is the one that contains the other members now, whatever its name.
  for (const sibling of writer.message.fields.values()) {
    const oneof = sibling.oneof === field.oneof ? reader.message.fields.get(sibling.number)?.oneof : null;
    if (oneof === null || oneof === undefined) continue;
    const text = `the writer set "${field.name}" in the oneof "${field.oneof.name}", the reader finds no member of "${oneof.name}" set`;
    losses.push({ kind: "presence", pointer: field.pointer, text });
    return;
  }
}

/** The reader has the field's name under another number, where it finds nothing. */
function compareNumbers(writer: Message, reader: Message, field: LinkedField, losses: LossList): void {
  const namesake = reader.message.fieldsByName.get(field.name);
  const values = writer.value.values.get(field.number);
  if (namesake === undefined || namesake.number === field.number || values === undefined) return;
  if (field.cardinality === "implicit" && isZero(values[0]!)) return;
  const read = reader.value.values.get(namesake.number);
  const text = `the writer sent "${field.name}" as number ${field.number}: ${showValues(values)}; the reader looks under ${namesake.number} and reads ${read === undefined ? "nothing" : showValues(read)}`;
  losses.push({ kind: "number", pointer: field.pointer, text });
}

function compareField(
  writer: Message,
  reader: Message,
  field: LinkedField,
  match: LinkedField,
  losses: LossList,
): void {
  const sent = writer.value.values.get(field.number);
  const read = reader.value.values.get(field.number);
  const add = (kind: ReadingLoss["kind"], text: string) =>
    losses.push({ kind, pointer: field.pointer, text: `the field ${field.number} ("${field.name}"): ${text}` });
  const isMany = match.cardinality === "repeated" || match.cardinality === "map";
  const wasMany = field.cardinality === "repeated" || field.cardinality === "map";
  // Both parts of a map entry are always sent, and are read as zero if they are not.
  const isInEntry = writer.message.isMapEntry || reader.message.isMapEntry;
  const wasZeroOmitted =
    field.cardinality === "implicit" && !writer.message.isMapEntry && (sent === undefined || isZero(sent[0]!));
  if (sent === undefined || wasZeroOmitted) {
    compareAbsent(
      writer,
      reader,
      field,
      match,
      { wasMany, isMany, isRead: read !== undefined && !(isInEntry && isEmpty(read[0]!)), wasSent: sent !== undefined },
      add,
    );
    return;
  }
  if (read === undefined) {
    // A reader without presence does not distinguish a sent zero from an absent one.
    if (sent.length > 0 && !(isInEntry && isEmpty(sent[0]!)))
      add("value", `the writer sent ${showValues(sent)}, the reader reads nothing`);
    return;
  }
  const kept = match.cardinality === "map" ? lastOfEachKey(sent, findMessage(reader.side, match)) : sent;
  if (kept.length < sent.length) {
    add("key", `the writer sent ${sent.length} elements, the reader keeps ${kept.length}, the last of each key`);
  }
  if (kept.length !== read.length) {
    add("value", `the writer sent ${showValues(kept)}, the reader reads ${showValues(read)}`);
    return;
  }
  kept.forEach((value, index) => {
    compareValues(writer, reader, field, match, value, read[index]!, losses);
  });
  const isWithoutPresence = match.cardinality === "implicit" || reader.message.isMapEntry;
  if (!writer.message.isMapEntry && field.cardinality === "explicit" && isWithoutPresence && isEmpty(sent[0]!)) {
    add("presence", `the writer set ${showValues(sent)}, the reader cannot tell it from a field that was not set`);
  }
}

function compareAbsent(
  writer: Message,
  reader: Message,
  field: LinkedField,
  match: LinkedField,
  state: { wasMany: boolean; isMany: boolean; isRead: boolean; wasSent: boolean },
  add: (kind: ReadingLoss["kind"], text: string) => void,
): void {
  if (state.isRead) {
    add("value", "the writer did not send it, the reader reads a value");
    return;
  }
  if (state.wasMany) return;
  const was = readDefault(writer.side, field);
  const is = readDefault(reader.side, match);
  if (state.isMany) {
    if (was !== null && !isZeroDefault(was))
      add("value", `not sent, it is ${show(was)} to the writer and an empty list to the reader`);
    return;
  }
  if (was !== null && is !== null && !isSameDefault(was, is, false)) {
    add("value", `not sent, it is ${show(was)} to the writer and ${show(is)} to the reader`);
  } else if (state.wasSent && match.cardinality === "explicit") {
    add("presence", "the writer set its zero value and so does not send it, the reader takes it for not set");
  }
}

function show(value: DefaultValue): string {
  return value.kind === "bytes" ? showValue(value.value) : String(value.value);
}

function compareValues(
  writer: Message,
  reader: Message,
  field: LinkedField,
  match: LinkedField,
  sent: FieldValue,
  read: FieldValue,
  losses: LossList,
): void {
  const was = findMessage(writer.side, field);
  const is = findMessage(reader.side, match);
  if (was !== null && is !== null && isMessageValue(sent) && isMessageValue(read)) {
    const misread = misreadMessage(was, is);
    if (misread !== null) {
      losses.push({
        kind: "value",
        pointer: field.pointer,
        text: `the field ${field.number} ("${field.name}"): ${misread}`,
      });
    }
    compareMessages(
      { side: writer.side, message: was, value: sent },
      { side: reader.side, message: is, value: read },
      losses,
    );
    return;
  }
  if (was !== null && match.kind === "string") {
    const text = `the field ${field.number} ("${field.name}"): the writer sent a message, the reader reads the text ${showValue(read)}`;
    losses.push({ kind: "value", pointer: field.pointer, text });
    return;
  }
  const plain = was !== null && isMessageValue(sent) ? encodeMessageValue(writer.side, was, sent) : sent;
  const head = `the field ${field.number} ("${field.name}")`;
  if (!isSameValue(plain, read)) {
    const text = `${head}: the writer sent ${showValue(sent)}, the reader reads ${showValue(read)}`;
    losses.push({ kind: "value", pointer: field.pointer, text });
    return;
  }
  const [sentNames, readNames] = [enumNames(writer.side, field, sent), enumNames(reader.side, match, read)];
  if (sentNames === null || readNames === null || sentNames.some((name) => readNames.includes(name))) return;
  const text = `${head}: the writer sent ${sentNames[0] ?? String(sent)}, the reader reads ${readNames[0] ?? `the number ${sent} without a name`}`;
  losses.push({ kind: "name", pointer: field.pointer, text });
}

/** The meaning of a message to the reader, if every field arrives but means something else. */
function misreadMessage(was: LinkedMessage, is: LinkedMessage): string | null {
  if (isOtherWellKnown(was.definition, is.definition))
    return `the writer sent a ${was.fullName}, the reader reads a ${is.fullName}`;
  if (is.isMapEntry && !was.isMapEntry && !hasPartsOf(was, is)) {
    return `the writer sent a ${was.fullName}, the reader reads the key and the value of an entry`;
  }
  if (was.isMapEntry && !is.isMapEntry && !hasPartsOf(is, was)) {
    return `the writer sent the key and the value of an entry, the reader reads a ${is.fullName}`;
  }
  return null;
}

/** The elements that a map keeps: of those with one key, the last. */
function lastOfEachKey(elements: readonly FieldValue[], entry: LinkedMessage | null): readonly FieldValue[] {
  const part = entry?.fields.get(KEY_NUMBER);
  if (part === undefined) return elements;
  const byKey = new Map<string, FieldValue>();
  for (const element of elements) {
    const written = isMessageValue(element) ? element.values.get(KEY_NUMBER)?.[0] : undefined;
    const key = String(written ?? makeZero(part));
    byKey.delete(key);
    byKey.set(key, element);
  }
  return [...byKey.values()];
}

function enumNames(side: LinkedModel, field: LinkedField, value: FieldValue): readonly string[] | null {
  if (field.type === null || !isEnumDefinition(field.type)) return null;
  return side.enum(field.type).names.get(Number(value)) ?? [];
}

/** Numbers are equal if their values are, text and bytes if their bytes are. */
function isSameValue(sent: FieldValue, read: FieldValue): boolean {
  const [a, b] = [comparable(sent), comparable(read)];
  if (typeof a === "number" && typeof b === "number") return Object.is(a, b);
  // JavaScript compares a bigint with a number by their mathematical values.
  // biome-ignore lint/suspicious/noDoubleEquals: strict equality is false between a bigint and a number.
  return typeof a === typeof b || (typeof a !== "string" && typeof b !== "string") ? a == b : false;
}

function comparable(value: FieldValue): bigint | number | string {
  if (typeof value === "boolean") return value ? 1n : 0n;
  if (typeof value === "string") return String(new TextEncoder().encode(value));
  if (value instanceof Uint8Array) return String(value);
  return isMessageValue(value) ? "" : value;
}

function isEmpty(value: FieldValue): boolean {
  return isMessageValue(value) ? value.values.size === 0 : isZero(value);
}

function showValues(values: readonly FieldValue[]): string {
  return values.length === 1 ? showValue(values[0]!) : `[${values.map(showValue).join(", ")}]`;
}

function showValue(value: FieldValue): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof Uint8Array)
    return `bytes [${[...value.subarray(0, 32)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ")}]`;
  return isMessageValue(value) ? "a message" : String(value);
}
