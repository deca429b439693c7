/** Checks the numbers and names of one message: no duplicates, none reserved, none outside the valid range. */

import {
  type Definition,
  type Field,
  MAX_FIELD_NUMBER,
  MAX_MESSAGE_SET_NUMBER,
  type Message,
  type NumberRange,
} from "../model.ts";
import { defaultJsonName } from "../names.ts";
import { resolveFeatures } from "../options/editions.ts";
import { booleanOption, plainOption } from "../options/plain.ts";
import { shown } from "../parse/tokens.ts";
import type { CheckContext } from "./context.ts";
import { checkDeclarations } from "./declarations.ts";
import { checkField } from "./field.ts";
import { NumberRanges } from "./number-ranges.ts";

const FIRST_LIBRARY_NUMBER = 19_000;
const LAST_LIBRARY_NUMBER = 19_999;

export function checkMessage(context: CheckContext, definition: Definition<Message>): void {
  const { element } = definition;
  checkNumbers(context, definition);
  checkRanges(context, element);
  checkDeclarations(context, element);
  checkReservedNames(context, element);
  checkOneofs(context, element);
  checkMessageOptions(context, definition);
  checkJsonNames(context, definition);
  for (const field of element.fields) {
    checkField(context, {
      file: definition.file,
      fullName: `${definition.fullName}.${field.name}`,
      element: field,
      parent: definition,
      extend: null,
    });
  }
}

/** Whether a number is valid for a field; problems are reported. */
export function checkFieldNumber(context: CheckContext, field: Field, max: number): boolean {
  const { name, number, start } = field;
  if (number < 1 || number > max) {
    context.error("field_number", `Field "${shown(name)}" has number ${number}, expected 1 to ${max}.`, start);
    return false;
  }
  if (number >= FIRST_LIBRARY_NUMBER && number <= LAST_LIBRARY_NUMBER && max === MAX_FIELD_NUMBER) {
    const range = `${FIRST_LIBRARY_NUMBER} to ${LAST_LIBRARY_NUMBER}`;
    context.error("field_number", `Field "${shown(name)}" has number ${number}; ${range} belong to Protobuf.`, start);
    return false;
  }
  return true;
}

function checkNumbers(context: CheckContext, { element }: Definition<Message>): void {
  const byNumber = new Map<number, Field>();
  for (const field of element.fields) {
    if (!checkFieldNumber(context, field, MAX_FIELD_NUMBER)) continue;
    const earlier = byNumber.get(field.number);
    if (earlier === undefined) byNumber.set(field.number, field);
    else {
      const message = `Fields "${shown(earlier.name)}" and "${shown(field.name)}" both have number ${field.number}.`;
      context.error("duplicate_number", message, field.start);
    }
  }
}

/** Fields, reserved ranges and extension ranges must not overlap. */
function checkRanges(context: CheckContext, element: Message): void {
  const max = booleanOption(element.options, "message_set_wire_format") ? MAX_MESSAGE_SET_NUMBER : MAX_FIELD_NUMBER;
  const valid = (rule: string, ranges: readonly NumberRange[]) =>
    ranges.filter(({ from, to, start }) => {
      const isValid = from >= 1 && to <= max && from <= to;
      if (!isValid) context.error(rule, `Range ${from} to ${to} is not within 1 to ${max}, lower end first.`, start);
      return isValid;
    });
  const reserved = valid(
    "reserved_range",
    element.reserved.flatMap(({ ranges }) => ranges),
  );
  const extensions = valid(
    "extension_range",
    element.extensionRanges.flatMap(({ ranges }) => ranges),
  );
  if (reserved.length + extensions.length === 0) return;
  const reservedRanges = new NumberRanges(reserved);
  const all = extensions.length === 0 ? reservedRanges : new NumberRanges([...reserved, ...extensions]);
  const isReserved = new Set(reserved);
  for (const [a, b] of all.overlaps()) {
    const rule = isReserved.has(a) && isReserved.has(b) ? "reserved_range" : "extension_range";
    const message = `Ranges ${a.from} to ${a.to} and ${b.from} to ${b.to} overlap.`;
    context.error(rule, message, Math.max(a.start, b.start));
  }
  for (const { name, number, start } of element.fields) {
    if (reservedRanges.has(number)) {
      context.error("reserved_number", `Field "${shown(name)}" has number ${number}, which is reserved.`, start);
    } else if (all.has(number)) {
      const message = `Field "${shown(name)}" has number ${number}, which is in an extension range.`;
      context.error("extension_range", message, start);
    }
  }
}

function checkReservedNames(context: CheckContext, element: Message): void {
  const reserved = new Set<string>();
  for (const { names, start } of element.reserved) {
    for (const name of names) {
      if (reserved.has(name)) context.error("reserved_name", `Name "${shown(name)}" is reserved twice.`, start);
      reserved.add(name);
    }
  }
  if (reserved.size === 0) return;
  for (const { name, start } of element.fields) {
    if (reserved.has(name)) context.error("reserved_name", `Field name "${shown(name)}" is reserved.`, start);
  }
}

function checkOneofs(context: CheckContext, element: Message): void {
  const used = new Set(element.fields.map(({ oneof }) => oneof));
  for (const oneof of element.oneofs) {
    if (!used.has(oneof)) context.error("empty_oneof", `Oneof "${shown(oneof.name)}" has no fields.`, oneof.start);
  }
}

function checkMessageOptions(context: CheckContext, definition: Definition<Message>): void {
  const { element, file } = definition;
  if (element.visibility === "export" && definition.parent !== null) {
    if (resolveFeatures(definition).default_symbol_visibility === "STRICT") {
      context.error("visibility", `Nested message "${shown(element.name)}" cannot be exported here.`, element.start);
    }
  }
  const mapEntry = plainOption(element.options, "map_entry");
  if (mapEntry !== undefined) {
    context.error("map_entry", '"map_entry" is not written; use map<key, value>.', mapEntry.start);
  }
  const ranges = element.extensionRanges[0];
  if (file.edition === "proto3" && ranges !== undefined) {
    context.error("extension_range", "A proto3 message has no extension ranges.", ranges.start);
  }
  const messageSet = plainOption(element.options, "message_set_wire_format");
  if (messageSet === undefined || !booleanOption(element.options, "message_set_wire_format")) return;
  if (file.edition === "proto3") context.error("message_set", "proto3 has no message sets.", messageSet.start);
  const field = element.fields[0];
  if (field !== undefined) {
    context.error("message_set", "A message set has no fields of its own, only extensions.", field.start);
  }
  if (ranges === undefined) context.error("message_set", "A message set needs an extension range.", messageSet.start);
}

/** Two fields must not share a JSON name. With legacy best-effort JSON, conflicts of derived names only warn. */
function checkJsonNames(context: CheckContext, definition: Definition<Message>): void {
  const { element } = definition;
  if (booleanOption(element.options, "deprecated_legacy_json_field_conflicts")) return;
  const isBestEffort = resolveFeatures(definition).json_format === "LEGACY_BEST_EFFORT";
  const derived = new Map<string, Field>();
  const chosen = new Map<string, { field: Field; isCustom: boolean }>();
  for (const field of element.fields) {
    const name = defaultJsonName(field.name);
    const earlier = derived.get(name);
    if (earlier === undefined) derived.set(name, field);
    else {
      const message = `Fields "${shown(earlier.name)}" and "${shown(field.name)}" have the same JSON name "${shown(name)}".`;
      if (isBestEffort) context.warn("json_name_conflict", message, field.start);
      else context.error("json_name_conflict", message, field.start);
    }
    const written = plainOption(field.options, "json_name")?.value;
    const isCustom = written?.kind === "string" && written.value !== name;
    const json = isCustom ? written.value : name;
    const other = chosen.get(json);
    if (other === undefined) chosen.set(json, { field, isCustom });
    else if (isCustom || other.isCustom) {
      const message = `Fields "${shown(other.field.name)}" and "${shown(field.name)}" have the same JSON name "${shown(json)}".`;
      if (isBestEffort && !(isCustom && other.isCustom)) context.warn("json_name_conflict", message, field.start);
      else context.error("json_name_conflict", message, field.start);
    }
  }
}
