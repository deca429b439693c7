/** The losses when the fields of one message are read as another's. */
import { isMessageDefinition, type Oneof } from "../../model.ts";
import { type Cardinality, type ExtensionSet, isPackable, type LinkedField, type LinkedMessage } from "../linked.ts";
import { hasPartsOf, isOtherWellKnown, VALUE_NUMBER } from "../meaning.ts";
import { oneofOrigins } from "../oneofs.ts";
import type { SemanticComparison } from "./comparison.ts";
import { isSameDefault, isZeroDefault, readDefault, showDefault } from "./defaults.ts";
import { LOSSES, type LossKind } from "./losses.ts";
import { typeLoss } from "./type-losses.ts";

export function compareSemanticFields(
  comparison: SemanticComparison,
  writer: LinkedMessage,
  reader: LinkedMessage,
): void {
  const { work } = comparison;
  const survivingOneofs = new Set<Oneof>();
  for (const field of writer.fields.values()) {
    work.spend(1, () => field.pointer);
    const match = reader.fields.get(field.number);
    if (match !== undefined && field.oneof !== null && match.oneof !== null) survivingOneofs.add(field.oneof);
  }
  for (const field of writer.fields.values()) {
    const match = reader.fields.get(field.number);
    if (match !== undefined) compareField(comparison, field, match, { writer, reader });
    else {
      const extension = comparison.reader.extensions().get(reader.fullName)?.fields.get(field.number);
      if (extension !== undefined) compareField(comparison, field, extension, null);
      else reportRemoved(comparison, field, reader, survivingOneofs);
    }
  }
  for (const field of reader.fields.values()) {
    work.spend(1, () => field.pointer);
    if (writer.fields.has(field.number)) continue;
    const what = `The field ${field.number} ("${field.name}") is new.`;
    // If the writer uses the name with another number, it is reported there.
    const kind = field.cardinality === "required" ? "REQUIRED_FIELD_ADDED" : "FIELD_ADDED";
    comparison.add(kind, field.pointer, null, what);
  }
  compareOneofs(comparison, writer, reader);
  const isSame = comparison.isSameName(writer.definition, reader.definition);
  if (isSame) comparison.extendees.add(writer.fullName).add(reader.fullName);
  const [before, after] = [comparison.writer.extensions(), comparison.reader.extensions()];
  compareExtensions(comparison, before.get(writer.fullName), after.get(reader.fullName), {
    fields: reader.fields,
    isSame,
  });
}

/** Extensions of messages that no pair has covered, mostly those of built-in files. */
export function compareSemanticExtensions(comparison: SemanticComparison): void {
  const [before, after] = [comparison.writer.extensions(), comparison.reader.extensions()];
  for (const extendee of new Set([...before.keys(), ...after.keys()])) {
    if (comparison.extendees.has(extendee)) continue;
    compareExtensions(comparison, before.get(extendee), after.get(extendee), { fields: new Map(), isSame: true });
  }
}

/** An extension that became a field, or the reverse, has the same encoding and is compared as a field. */
function compareExtensions(
  comparison: SemanticComparison,
  before: ExtensionSet | undefined,
  after: ExtensionSet | undefined,
  reader: { fields: ReadonlyMap<number, LinkedField>; isSame: boolean },
): void {
  for (const field of before?.fields.values() ?? []) {
    comparison.work.spend(1, () => field.pointer);
    const match = after?.fields.get(field.number) ?? reader.fields.get(field.number);
    if (match !== undefined) compareField(comparison, field, match, null);
    else if (reader.isSame) {
      comparison.add("EXTENSION_REMOVED", null, field.pointer, `The reader has no extension "${field.name}".`);
    }
  }
  for (const field of after?.fields.values() ?? []) {
    comparison.work.spend(1, () => field.pointer);
    if (!reader.isSame || before?.fields.has(field.number)) continue;
    comparison.add("EXTENSION_ADDED", field.pointer, null, `The extension "${field.name}" is new.`);
  }
}

function reportRemoved(
  comparison: SemanticComparison,
  field: LinkedField,
  reader: LinkedMessage,
  survivingOneofs: ReadonlySet<Oneof>,
): void {
  const renumbered = reader.fieldsByName.get(field.name);
  if (renumbered !== undefined) {
    reportRenumbered(comparison, field, renumbered);
    return;
  }
  const what = `The reader has no field ${field.number} ("${field.name}").`;
  let kind: LossKind = field.cardinality === "required" ? "REQUIRED_FIELD_REMOVED" : "FIELD_REMOVED";
  if (field.oneof !== null && survivingOneofs.has(field.oneof)) kind = "ONEOF_MEMBER_REMOVED";
  comparison.add(kind, null, field.pointer, what);
}

function reportRenumbered(comparison: SemanticComparison, field: LinkedField, match: LinkedField): void {
  const what = `The field "${field.name}" has the number ${field.number} in the writer and ${match.number} in the reader.`;
  comparison.add("FIELD_RENUMBERED", match.pointer, field.pointer, what);
}

function compareField(
  comparison: SemanticComparison,
  before: LinkedField,
  after: LinkedField,
  messages: { writer: LinkedMessage; reader: LinkedMessage } | null,
): void {
  const add = (kind: LossKind, what: string) => comparison.add(kind, after.pointer, before.pointer, what);
  const noun = `The ${before.extensionName === null ? "field" : "extension"} ${before.number} ("${before.name}")`;
  compareNames(comparison, before, after, messages?.reader ?? null, add);
  const typeKind = compareTypes(comparison, before, after, noun, add);
  // Key and value of a map entry are always sent, and are read as zero if they are not.
  if (!messages?.writer.isMapEntry) {
    const presence = messages?.reader.isMapEntry ? "implicit" : after.cardinality;
    comparePresence(before.cardinality, presence, before.oneof !== null, noun, add);
  }
  compareCounts(before, after, noun, add);
  if (typeKind === null || LOSSES[typeKind].severity !== "breaking") {
    if (!messages?.writer.isMapEntry) compareDefaults(comparison, before, after, noun, add);
  }
  if (before.oneof !== null && after.oneof === null) {
    add("ONEOF_MEMBER_MOVED_OUT", `${noun} left the oneof "${before.oneof.name}".`);
  } else if (before.oneof === null && after.oneof !== null) {
    add("FIELD_MOVED_INTO_ONEOF", `${noun} moved into the oneof "${after.oneof.name}".`);
  }
}

type Add = (kind: LossKind, what: string) => void;

function compareNames(
  comparison: SemanticComparison,
  before: LinkedField,
  after: LinkedField,
  reader: LinkedMessage | null,
  add: Add,
): void {
  const renumbered = before.name === after.name ? undefined : reader?.fieldsByName.get(before.name);
  if (renumbered !== undefined) {
    reportRenumbered(comparison, before, renumbered);
    return;
  }
  if (before.name === after.name && before.jsonName === after.jsonName) return;
  const what =
    before.name === after.name
      ? `The JSON name of the field "${before.name}" changed from "${before.jsonName}" to "${after.jsonName}".`
      : `The field ${before.number} is called "${before.name}" by the writer and "${after.name}" by the reader.`;
  // JSON readers accept a field's JSON name and its declared name.
  const isStillRead = before.jsonName === after.jsonName || before.jsonName === after.name;
  if (isStillRead) add("FIELD_NAME_STILL_READ", what);
  else add(before.name === after.name ? "FIELD_JSON_NAME_CHANGED" : "FIELD_RENAMED", what);
}

/** Types whose JSON form differs from that of their fields. https://protobuf.dev/programming-guides/json/ */
const JSON_FORMS = new Set(
  "Any Timestamp Duration FieldMask Struct Value ListValue DoubleValue FloatValue Int64Value UInt64Value Int32Value UInt32Value BoolValue StringValue BytesValue"
    .split(" ")
    .map((name) => `google.protobuf.${name}`),
);

function compareTypes(
  comparison: SemanticComparison,
  before: LinkedField,
  after: LinkedField,
  noun: string,
  add: Add,
): LossKind | null {
  if (before.type !== null && after.type !== null && before.kind === after.kind) {
    const isOther = compareNamedTypes(comparison, before, after, noun, add);
    if (!isOther) comparison.pairTypes(before.type, after.type);
  }
  const { reader, writer, options } = comparison;
  const loss = typeLoss({ model: writer, field: before }, { model: reader, field: after }, options.writers);
  if (loss !== null) add(loss, `${noun} is ${typeText(before)} to the writer and ${typeText(after)} to the reader.`);
  const verifies = after.features.utf8_validation === "VERIFY" && before.features.utf8_validation === "NONE";
  if (before.kind === "string" && after.kind === "string" && verifies) {
    add("UTF8_VALIDATION_ADDED", `${noun} must be valid UTF-8 for the reader.`);
  }
  return loss;
}

/** The differences of two messages or two enums besides their fields; true if their meanings differ. */
function compareNamedTypes(
  comparison: SemanticComparison,
  before: LinkedField,
  after: LinkedField,
  noun: string,
  add: Add,
): boolean {
  const [writer, reader] = [before.type!, after.type!];
  const [wasMap, isMap] = [before.cardinality === "map", after.cardinality === "map"];
  if (wasMap && isMap) return false;
  const what = `${noun} changed its type from "${before.typeName}" to "${after.typeName}".`;
  if (wasMap !== isMap) {
    if (!isMessageDefinition(writer) || !isMessageDefinition(reader)) return false;
    const [sent, read] = [comparison.writer.message(writer), comparison.reader.message(reader)];
    if (isMap && !hasPartsOf(sent, read)) add("MESSAGE_READ_AS_MAP_ENTRY", what);
    if (isMap && mayLackRequiredValue(comparison, sent, read)) {
      add(
        "REQUIRED_BY_READER",
        `${noun} may lack its value, which the reader then takes for one without required fields.`,
      );
    }
    if (wasMap && !hasPartsOf(read, sent)) add("MAP_ENTRY_READ_AS_MESSAGE", what);
    return false;
  }
  if (comparison.isSameName(writer, reader)) return false;
  const isOther = isOtherWellKnown(writer, reader);
  add(isOther ? "WELL_KNOWN_TYPE_CHANGED" : "TYPE_NAME_CHANGED", what);
  if (JSON_FORMS.has(writer.fullName) || JSON_FORMS.has(reader.fullName)) add("JSON_MAPPING_CHANGED", what);
  return isOther;
}

/** An entry without a value is read with an empty one, which is invalid if the value's message has required fields. */
function mayLackRequiredValue({ reader }: SemanticComparison, sent: LinkedMessage, entry: LinkedMessage): boolean {
  const type = entry.fields.get(VALUE_NUMBER)?.type;
  if (!type || !isMessageDefinition(type) || reader.message(type).required.length === 0) return false;
  return sent.fields.get(VALUE_NUMBER)?.cardinality !== "required";
}

function typeText({ kind, typeName }: LinkedField): string {
  return typeName === null ? kind : `${kind} "${typeName}"`;
}

function comparePresence(was: Cardinality, is: Cardinality, wasInOneof: boolean, noun: string, add: Add): void {
  if (was === is) return;
  const what = `${noun} is ${was} to the writer and ${is} to the reader.`;
  if (is === "required") add("REQUIRED_BY_READER", what);
  else if (was === "required" && (is === "explicit" || is === "implicit")) add("REQUIRED_RELAXED", what);
  else if (is === "implicit" && was === "explicit") {
    add(wasInOneof ? "ONEOF_CASE_LOST" : "PRESENCE_LOST", what);
  } else if (is === "explicit" && was === "implicit") add("PRESENCE_GAINED", what);
}

/** Singular, repeated, and map. */
function compareCounts(before: LinkedField, after: LinkedField, noun: string, add: Add): void {
  const [was, is] = [before.cardinality, after.cardinality];
  const what = `${noun} is ${was} to the writer and ${is} to the reader.`;
  const [wasMany, isMany] = [was === "repeated" || was === "map", is === "repeated" || is === "map"];
  if (wasMany && !isMany) add("REPEATED_READ_AS_SINGULAR", what);
  else if (!wasMany && isMany) add("SINGULAR_READ_AS_REPEATED", what);
  else if (was === "repeated" && is === "map") add("REPEATED_READ_AS_MAP", what);
  else if (was === "map" && is === "repeated") add("MAP_READ_AS_REPEATED", what);
  else if (before.packed !== after.packed && isPackable(before.kind) && isPackable(after.kind)) {
    add("PACKING_CHANGED", `${noun} is ${before.packed ? "packed" : "unpacked"} in the writer only.`);
  }
}

/** Defaults matter only for fields that may be omitted. */
function compareDefaults(
  comparison: SemanticComparison,
  before: LinkedField,
  after: LinkedField,
  noun: string,
  add: Add,
): void {
  if (before.cardinality === "required" || after.cardinality === "required") return;
  const was = readDefault(comparison.writer, before);
  if (was === null) return;
  const is = readDefault(comparison.reader, after);
  const isMany = after.cardinality === "repeated" || after.cardinality === "map";
  if (is === null ? !isMany || isZeroDefault(was) : isSameDefault(was, is, false)) return;
  const text = is === null ? "an empty list" : showDefault(is);
  add(
    "DEFAULT_CHANGED",
    `${noun} reads as ${showDefault(was)} to the writer and as ${text} to the reader when it is not sent.`,
  );
}

function compareOneofs(comparison: SemanticComparison, writer: LinkedMessage, reader: LinkedMessage): void {
  const [before, after] = [writer.definition.element, reader.definition.element];
  for (const [oneof, origins] of oneofOrigins(before, after)) {
    if (origins.size < 2) continue;
    const names = [...origins].map(({ kind, name }) => `${kind} "${name}"`).join(", ");
    const what = `The reader's oneof "${oneof.name}" holds what the writer has in ${names}.`;
    comparison.add("FIELDS_MERGED_INTO_ONEOF", `${reader.pointer}/${oneof.name}`, writer.pointer, what);
  }
  const [wasNames, isNames] = [
    new Set(before.oneofs.map(({ name }) => name)),
    new Set(after.oneofs.map(({ name }) => name)),
  ];
  for (const name of wasNames) {
    if (!isNames.has(name))
      comparison.add("ONEOF_REMOVED", null, `${writer.pointer}/${name}`, `The reader has no oneof "${name}".`);
  }
  for (const name of isNames) {
    if (!wasNames.has(name))
      comparison.add("ONEOF_ADDED", `${reader.pointer}/${name}`, null, `The oneof "${name}" is new.`);
  }
}
