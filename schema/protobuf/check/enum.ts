/**
 * Checks one enum: its numbers, aliases and reservations, and the names its values get in JSON and in other languages.
 */

import type { Definition, Enum, EnumValue, NumberRange } from "../model.ts";
import { isClosedEnum, resolveFeatures } from "../options/editions.ts";
import { booleanOption, plainOption } from "../options/plain.ts";
import { shown } from "../parse/tokens.ts";
import type { CheckContext } from "./context.ts";
import { NumberRanges } from "./number-ranges.ts";

export function checkEnum(context: CheckContext, definition: Definition<Enum>): void {
  const { element } = definition;
  const [first] = element.values;
  if (first === undefined) {
    context.error("empty_enum", `Enum "${shown(element.name)}" has no values.`, element.start);
    return;
  }
  if (first.number !== 0 && !isClosedEnum(definition)) {
    const message = `The first value of "${shown(element.name)}" must be 0: the enum is open.`;
    context.error("enum_first_value", message, first.start);
  }
  checkAliases(context, element);
  checkReserved(context, element);
  checkCamelCase(context, definition);
}

function checkAliases(context: CheckContext, element: Enum): void {
  const option = plainOption(element.options, "allow_alias");
  const isAllowed = booleanOption(element.options, "allow_alias") === true;
  const byNumber = new Map<number, EnumValue>();
  let hasAlias = false;
  for (const value of element.values) {
    const earlier = byNumber.get(value.number);
    if (earlier === undefined) {
      byNumber.set(value.number, value);
      continue;
    }
    hasAlias = true;
    if (!isAllowed) {
      const message = `"${shown(earlier.name)}" and "${shown(value.name)}" both have number ${value.number}; set allow_alias if that is meant.`;
      context.error("enum_alias", message, value.start);
    }
  }
  if (option === undefined || option.value.kind !== "identifier") return;
  if (!isAllowed && option.value.name === "false") {
    context.warn("enum_alias", '"allow_alias = false" has no effect; omit it.', option.start);
  } else if (isAllowed && !hasAlias) {
    context.error(
      "enum_alias",
      `"allow_alias" is set, but no values of "${shown(element.name)}" share a number.`,
      option.start,
    );
  }
}

function checkReserved(context: CheckContext, element: Enum): void {
  const ranges: NumberRange[] = [];
  const names = new Set<string>();
  for (const statement of element.reserved) {
    for (const range of statement.ranges) {
      if (range.from > range.to) {
        context.error("reserved_range", `Range ${range.from} to ${range.to} has its lower end last.`, range.start);
      } else ranges.push(range);
    }
    for (const name of statement.names) {
      if (names.has(name)) context.error("reserved_name", `Name "${shown(name)}" is reserved twice.`, statement.start);
      names.add(name);
    }
  }
  const reserved = new NumberRanges(ranges);
  for (const [a, b] of reserved.overlaps()) {
    const message = `Ranges ${a.from} to ${a.to} and ${b.from} to ${b.to} overlap.`;
    context.error("reserved_range", message, Math.max(a.start, b.start));
  }
  for (const { name, number, start } of element.values) {
    if (names.has(name)) context.error("reserved_name", `Enum value name "${shown(name)}" is reserved.`, start);
    if (reserved.has(number)) {
      context.error("reserved_number", `Enum value "${shown(name)}" has number ${number}, which is reserved.`, start);
    }
  }
}

/**
 * Values must be distinct after removing the enum's name and ignoring case, because generated code in some languages
 * does so.
 */
function checkCamelCase(context: CheckContext, definition: Definition<Enum>): void {
  const { element } = definition;
  if (booleanOption(element.options, "deprecated_legacy_json_field_conflicts")) return;
  const isBestEffort = resolveFeatures(definition).json_format === "LEGACY_BEST_EFFORT";
  const byName = new Map<string, EnumValue>();
  for (const value of element.values) {
    const name = camelCase(withoutPrefix(value.name, element.name));
    const earlier = byName.get(name);
    if (earlier === undefined) byName.set(name, value);
    else if (earlier.name !== value.name && earlier.number !== value.number) {
      const message = `Enum values "${shown(earlier.name)}" and "${shown(value.name)}" are the same without case and the enum's name.`;
      if (isBestEffort) context.warn("enum_value_conflict", message, value.start);
      else context.error("enum_value_conflict", message, value.start);
    }
  }
}

/** `FOO_BAR_BAZ` of enum `FooBar` becomes `BAZ`; a name that is all prefix stays. */
function withoutPrefix(name: string, enumName: string): string {
  const prefix = enumName.replaceAll("_", "").toLowerCase();
  let matched = 0;
  let at = 0;
  for (; at < name.length && matched < prefix.length; at++) {
    if (name[at] === "_") continue;
    if (name[at]!.toLowerCase() !== prefix[matched]) return name;
    matched += 1;
  }
  if (matched < prefix.length) return name;
  const rest = name.slice(at).replace(/^_+/, "");
  return rest === "" ? name : rest;
}

function camelCase(name: string): string {
  return name
    .split("_")
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase())
    .join("");
}
