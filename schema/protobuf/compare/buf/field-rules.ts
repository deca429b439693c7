/** Buf's breaking rules about fields and extensions, paired by number. https://buf.build/docs/breaking/rules/ */

import type { WorkMeter } from "../../../work-meter.ts";
import { type Definition, type Enum, isEnumDefinition, type Message } from "../../model.ts";
import { textOption } from "../features.ts";
import type { Cardinality, LinkedField, LinkedModel, WireKind } from "../linked.ts";
import { CoveredNumbers } from "../ranges.ts";
import { isSameDefault, readDefault, showDefault } from "../semantic/defaults.ts";
import type { BufRule } from "./categories.ts";
import type { ReportBuf } from "./rules.ts";

type BufContext = { reader: LinkedModel; writer: LinkedModel; report: ReportBuf; work: WorkMeter };

const CARDINALITY_TEXT: Record<Cardinality, string> = {
  explicit: "optional with explicit presence",
  implicit: "optional with implicit presence",
  required: "required",
  repeated: "repeated",
  map: "map",
};

const WIRE_CARDINALITY: Record<Cardinality, string> = {
  explicit: "optional",
  implicit: "optional",
  required: "required",
  repeated: "repeated",
  map: "repeated",
};

const JSON_CARDINALITY: Record<Cardinality, string> = { ...WIRE_CARDINALITY, map: "map" };

/** Kinds of one group can read each other's records. */
const WIRE_GROUPS: Record<WireKind, string> = {
  int32: "varint",
  int64: "varint",
  uint32: "varint",
  uint64: "varint",
  bool: "varint",
  sint32: "zigzag",
  sint64: "zigzag",
  fixed32: "fixed 32",
  sfixed32: "fixed 32",
  fixed64: "fixed 64",
  sfixed64: "fixed 64",
  string: "string",
  bytes: "bytes",
  float: "float",
  double: "double",
  enum: "enum",
  message: "message",
  group: "group",
  unresolved: "unresolved",
};

/** Kinds of one group can also read each other's JSON. */
const JSON_GROUPS: Record<WireKind, string> = {
  ...WIRE_GROUPS,
  int32: "32-bit integer",
  uint32: "32-bit integer",
  int64: "64-bit integer",
  uint64: "64-bit integer",
  bool: "bool",
  sint32: "sint32",
  sint64: "sint64",
};

const LONG_INTEGERS: ReadonlySet<WireKind> = new Set(["int64", "uint64", "sint64", "fixed64", "sfixed64"]);

/**
 * Compares fields by number. `reader` is their message, null for extensions, which other rules count; `isMapEntry`
 * means that both sides are map entries.
 */
export function compareBufFields(
  context: BufContext,
  before: ReadonlyMap<number, LinkedField>,
  after: ReadonlyMap<number, LinkedField>,
  { reader, isMapEntry }: { reader: Message | null; isMapEntry: boolean },
): void {
  if (reader !== null) compareRequired(context, before, after);
  const reserved = reader === null ? null : reservedOf(reader);
  for (const [number, field] of before) {
    context.work.spend(1, () => field.pointer);
    const match = after.get(number);
    if (match !== undefined) compareBufField(context, field, match, isMapEntry);
    else if (reader !== null && reserved !== null) reportDeleted(context, field, reader, reserved);
  }
}

type ReservedOf = { names: ReadonlySet<string>; numbers: CoveredNumbers };

function reservedOf({ reserved }: Message): ReservedOf {
  return {
    names: new Set(reserved.flatMap(({ names }) => names)),
    numbers: new CoveredNumbers(reserved.flatMap(({ ranges }) => ranges)),
  };
}

function reportDeleted({ report }: BufContext, field: LinkedField, reader: Message, reserved: ReservedOf): void {
  const text = `The message "${reader.name}" of the reader has no field ${field.number} ("${field.name}")`;
  report("FIELD_NO_DELETE", null, field.pointer, `${text}.`, `Keep the field ${field.number}.`);
  if (!reserved.names.has(field.name)) {
    const rule = "FIELD_NO_DELETE_UNLESS_NAME_RESERVED";
    report(rule, null, field.pointer, `${text}, and does not reserve the name.`, `Reserve "${field.name}".`);
  }
  if (!reserved.numbers.has(field.number)) {
    const rule = "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED";
    report(rule, null, field.pointer, `${text}, and does not reserve the number.`, `Reserve ${field.number}.`);
  }
}

/** Only the label `required` counts here, as in Buf; editions' LEGACY_REQUIRED counts in the cardinality rules. */
function compareRequired(
  { report }: BufContext,
  before: ReadonlyMap<number, LinkedField>,
  after: ReadonlyMap<number, LinkedField>,
): void {
  const isRequired = (field: LinkedField | undefined) => field?.element.label === "required";
  for (const [number, field] of before) {
    if (!isRequired(field) || isRequired(after.get(number))) continue;
    const text = `The field ${number} ("${field.name}") is required by the writer only.`;
    const place = after.get(number)?.pointer ?? null;
    report("MESSAGE_SAME_REQUIRED_FIELDS", place, field.pointer, text, "Keep the field and its label.");
  }
  for (const [number, field] of after) {
    if (!isRequired(field) || isRequired(before.get(number))) continue;
    const text = `The field ${number} ("${field.name}") is required by the reader only.`;
    const place = before.get(number)?.pointer ?? null;
    report("MESSAGE_SAME_REQUIRED_FIELDS", field.pointer, place, text, "Make the field optional.");
  }
}

function compareBufField(context: BufContext, before: LinkedField, after: LinkedField, isMapEntry: boolean): void {
  const noun = before.extensionName === null ? "field" : "extension";
  const changed = (rule: BufRule, what: string, was: string | null, is: string | null) => {
    if (was === is) return;
    const [from, to] = [was ?? "none", is ?? "none"];
    const text = `The ${what} of the ${noun} ${before.number} ("${before.name}") changed from ${from} to ${to}.`;
    context.report(rule, after.pointer, before.pointer, text, `Keep the ${what} ${from}.`);
  };
  changed("FIELD_SAME_NAME", "name", before.extensionName ?? before.name, after.extensionName ?? after.name);
  if (before.extensionName === null) {
    changed("FIELD_SAME_JSON_NAME", "JSON name", before.jsonName, after.jsonName);
    changed("FIELD_SAME_ONEOF", "oneof", before.oneof?.name ?? null, after.oneof?.name ?? null);
  }
  compareCardinalities(before, after, isMapEntry, changed);
  compareTypes(context, before, after, changed);
  compareDefaults(context, before, after, changed);
  if (!isMapEntry && isText(before.kind) && isText(after.kind)) {
    const [was, is] = [before.features.cpp_string_type, after.features.cpp_string_type];
    // C++ never had a separate interface for STRING_PIECE, so returning to STRING changes no code.
    if (was !== "STRING_PIECE" || is !== "STRING") changed("FIELD_SAME_CPP_STRING_TYPE", "C++ string type", was, is);
  }
  if (before.kind === "string" && after.kind === "string") {
    changed(
      "FIELD_SAME_UTF8_VALIDATION",
      "UTF-8 validation",
      before.features.utf8_validation,
      after.features.utf8_validation,
    );
    changed("FIELD_SAME_JAVA_UTF8_VALIDATION", "Java UTF-8 validation", javaUtf8(before), javaUtf8(after));
  }
  if (LONG_INTEGERS.has(before.kind) && LONG_INTEGERS.has(after.kind)) {
    changed("FIELD_SAME_JSTYPE", "JavaScript type", jstypeOf(before), jstypeOf(after));
  }
}

type Changed = (rule: BufRule, what: string, was: string | null, is: string | null) => void;

function compareCardinalities(before: LinkedField, after: LinkedField, isMapEntry: boolean, changed: Changed): void {
  const [was, is] = [before.cardinality, after.cardinality];
  const texts = [CARDINALITY_TEXT[was], CARDINALITY_TEXT[is]] as const;
  if (!isMapEntry) changed("FIELD_SAME_CARDINALITY", "cardinality", ...texts);
  if (WIRE_CARDINALITY[was] !== WIRE_CARDINALITY[is])
    changed("FIELD_WIRE_COMPATIBLE_CARDINALITY", "cardinality", ...texts);
  if (JSON_CARDINALITY[was] !== JSON_CARDINALITY[is])
    changed("FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY", "cardinality", ...texts);
}

function compareTypes(context: BufContext, before: LinkedField, after: LinkedField, changed: Changed): void {
  const texts = [typeText(before), typeText(after)] as const;
  changed("FIELD_SAME_TYPE", "type", ...texts);
  if (texts[0] === texts[1]) return;
  if (before.kind === after.kind && before.typeName !== null) {
    if (before.kind === "enum" && isEnumSubset(context, before, after)) return;
    changed("FIELD_WIRE_COMPATIBLE_TYPE", "type", ...texts);
    changed("FIELD_WIRE_JSON_COMPATIBLE_TYPE", "type", ...texts);
    return;
  }
  const isStringToBytes = before.kind === "string" && after.kind === "bytes";
  if (WIRE_GROUPS[before.kind] !== WIRE_GROUPS[after.kind] && !isStringToBytes) {
    changed("FIELD_WIRE_COMPATIBLE_TYPE", "type", ...texts);
  }
  if (JSON_GROUPS[before.kind] !== JSON_GROUPS[after.kind])
    changed("FIELD_WIRE_JSON_COMPATIBLE_TYPE", "type", ...texts);
}

/** An enum may be replaced by one with the same short name that has all its values. */
function isEnumSubset({ reader, writer, work }: BufContext, before: LinkedField, after: LinkedField): boolean {
  if (before.type === null || after.type === null) return false;
  if (!isEnumDefinition(before.type) || !isEnumDefinition(after.type)) return false;
  if (before.type.element.name !== after.type.element.name) return false;
  const [was, is]: [Definition<Enum>, Definition<Enum>] = [before.type, after.type];
  work.spend(was.element.values.length, () => before.pointer);
  const { numbers } = reader.enum(is);
  return [...writer.enum(was).numbers].every(([name, number]) => numbers.get(name) === number);
}

function compareDefaults(context: BufContext, before: LinkedField, after: LinkedField, changed: Changed): void {
  const [was, is] = [readDefault(context.writer, before), readDefault(context.reader, after)];
  if (was === null || is === null) return;
  const inSinglePrecision = before.kind === "float" || after.kind === "float";
  if (!isSameDefault(was, is, inSinglePrecision)) {
    changed(
      "FIELD_SAME_DEFAULT",
      "default",
      `${showDefault(was)} (${before.kind})`,
      `${showDefault(is)} (${after.kind})`,
    );
  }
}

function typeText({ kind, typeName }: LinkedField): string {
  return typeName === null ? kind : `${kind} "${typeName}"`;
}

function isText(kind: WireKind): boolean {
  return kind === "string" || kind === "bytes";
}

function javaUtf8({ features }: LinkedField): string {
  return features.java_utf8_validation === "VERIFY"
    ? "VERIFY"
    : features.utf8_validation === "VERIFY"
      ? "VERIFY"
      : "NONE";
}

function jstypeOf({ element }: LinkedField): string {
  return textOption(element.options, "jstype") ?? "JS_NORMAL";
}
