/** Checks one field: its type, its default, and the options and features that depend on both. */

import {
  type Definition,
  type Enum,
  type Field,
  isEnumDefinition,
  type Option,
  type ScalarType,
  type TypeDefinition,
} from "../model.ts";
import {
  type FeatureName,
  fieldPresence,
  isClosedEnum,
  isDelimited,
  setFeatures,
  usesEditions,
} from "../options/editions.ts";
import { booleanOption, plainOption } from "../options/plain.ts";
import { floatValue, integerRange } from "../options/values.ts";
import { shown } from "../parse/tokens.ts";
import type { CheckContext } from "./context.ts";

const JSTYPE_TYPES: ReadonlySet<string> = new Set(["int64", "uint64", "sint64", "fixed64", "sfixed64"]);

/** The resolved type of a field. */
type Kind =
  | { kind: "scalar"; name: ScalarType }
  | { kind: "enum"; typeName: string; definition: Definition<Enum> }
  | { kind: "message"; typeName?: string }
  | { kind: "unknown" };

/** Checks a field and returns the name of its type, absolute or a scalar's, if it resolves. */
export function checkField(context: CheckContext, definition: Definition<Field>): string | undefined {
  const kind = kindOf(context, definition);
  if (kind.kind === "unknown") return undefined;
  checkEnumUse(context, definition, kind);
  checkDefault(context, definition, kind);
  checkTypeOptions(context, definition, kind);
  checkJsonName(context, definition);
  if (usesEditions(definition.file)) checkFeatures(context, definition, kind);
  return kind.kind === "scalar" ? kind.name : kind.typeName;
}

function kindOf(context: CheckContext, definition: Definition<Field>): Kind {
  const { type, start } = definition.element;
  // Names are looked up from the scope around the field.
  const scope = definition.parent ?? { file: definition.file, fullName: definition.file.package };
  switch (type.kind) {
    case "scalar":
      return type;
    case "group":
      return { kind: "message" };
    case "map":
      if (type.value.kind === "named") {
        const value = context.type(scope, type.value.name, start);
        refuseMapEntry(context, value, start);
        if (value !== undefined && isEnumDefinition(value)) checkMapEnum(context, definition, value);
      }
      return { kind: "message" };
    case "named": {
      const found: TypeDefinition | undefined = context.type(scope, type.name, start);
      if (found === undefined) return { kind: "unknown" };
      refuseMapEntry(context, found, start);
      const typeName = `.${found.fullName}`;
      return isEnumDefinition(found) ? { kind: "enum", typeName, definition: found } : { kind: "message", typeName };
    }
  }
}

/** The entry message of a map field belongs to that field alone. */
function refuseMapEntry(context: CheckContext, type: TypeDefinition | undefined, offset: number): void {
  if (type?.element.kind !== "message" || type.element.synthetic !== "map_entry") return;
  const message = `"${shown(type.fullName)}" is the entry of a map field and cannot be named; use map<key, value>.`;
  context.error("map_entry", message, offset);
}

/** An absent map value reads as the first value of its enum, which must therefore be zero. */
function checkMapEnum(context: CheckContext, { element, file }: Definition<Field>, value: Definition<Enum>): void {
  if (value.element.values[0] !== undefined && value.element.values[0].number !== 0) {
    context.error("map_enum", `Enum "${shown(value.fullName)}" as a map value must start at 0.`, element.start);
  }
  if (file.edition === "proto3" && isClosedEnum(value)) {
    const message = `Enum "${shown(value.fullName)}" is closed and cannot be used in a proto3 message.`;
    context.error("closed_enum", message, element.start);
  }
}

function checkEnumUse(context: CheckContext, definition: Definition<Field>, kind: Kind): void {
  if (kind.kind !== "enum" || !isClosedEnum(kind.definition)) return;
  const { element, file } = definition;
  const isImplicit = element.label !== "repeated" && fieldPresence(definition) === "implicit";
  if (isImplicit || file.edition === "proto3") {
    const message = `Enum "${shown(kind.definition.fullName)}" is closed and cannot be used in ${file.edition === "proto3" ? "proto3" : "a field without presence"}.`;
    context.error("closed_enum", message, element.start);
  }
}

function checkDefault(context: CheckContext, definition: Definition<Field>, kind: Kind): void {
  const { element, file } = definition;
  const option = plainOption(element.options, "default");
  if (option === undefined) return;
  const refuse = (message: string) => context.error("default_value", message, option.start);
  if (file.edition === "proto3") refuse("proto3 fields have no defaults of their own.");
  else if (element.label === "repeated" || element.type.kind === "map") refuse("A repeated field has no default.");
  else if (kind.kind === "message") refuse("A message field has no default.");
  else if (fieldPresence(definition) === "implicit") refuse("A field without presence has no default of its own.");
  else if (!isDefault(context, option, kind)) {
    const type =
      kind.kind === "enum" ? `enum ${shown(kind.definition.fullName)}` : kind.kind === "scalar" ? kind.name : "";
    refuse(`The default of "${shown(element.name)}" is not a value of type ${type}.`);
  }
}

function isDefault(context: CheckContext, { value }: Option, kind: Kind): boolean {
  if (kind.kind === "enum") {
    return value.kind === "identifier" && hasValue(context, kind.definition, value.name);
  }
  if (kind.kind !== "scalar") return false;
  const range = integerRange(kind.name);
  if (range !== undefined) {
    // An unsigned type takes no sign, not even before a zero.
    if (value.kind !== "integer" || (range[0] === 0n && value.text.startsWith("-"))) return false;
    return value.value >= range[0] && value.value <= range[1];
  }
  switch (kind.name) {
    case "bool":
      return value.kind === "identifier" && (value.name === "true" || value.name === "false");
    case "string":
      return value.kind === "string" && value.bytes === undefined;
    case "bytes":
      return value.kind === "string";
    default:
      return floatValue(value, true) !== undefined;
  }
}

/**
 * Values are defined next to their enum; they are searched individually only if another definition has taken the name.
 */
function hasValue({ model }: CheckContext, { element, fullName }: Definition<Enum>, name: string): boolean {
  const found = model.definitions.get(fullName.slice(0, fullName.lastIndexOf(".") + 1) + name);
  if (found === undefined || found.parent?.element === element) return found !== undefined;
  return element.values.some((value) => value.name === name);
}

function checkTypeOptions(context: CheckContext, definition: Definition<Field>, kind: Kind): void {
  const { element, file } = definition;
  const packed = plainOption(element.options, "packed");
  if (packed !== undefined) {
    if (usesEditions(file)) {
      context.error("packed", 'Editions have no "packed"; use features.repeated_field_encoding.', packed.start);
    } else if (booleanOption(element.options, "packed") && !isPackable(element, kind)) {
      context.error("packed", 'Only repeated numbers, bools and enums can be "packed".', packed.start);
    }
  }
  for (const name of ["lazy", "unverified_lazy"]) {
    const lazy = plainOption(element.options, name);
    if (lazy === undefined || !booleanOption(element.options, name)) continue;
    // A group has no length prefix, so it cannot be skipped and parsed later.
    if (kind.kind !== "message" || (element.type.kind !== "map" && isDelimited(definition))) {
      context.error("lazy", `Only message fields that are written with their length can be "${name}".`, lazy.start);
    }
  }
  const jstype = plainOption(element.options, "jstype");
  const isNormal = jstype?.value.kind === "identifier" && jstype.value.name === "JS_NORMAL";
  if (jstype !== undefined && !isNormal && !(kind.kind === "scalar" && JSTYPE_TYPES.has(kind.name))) {
    context.error("jstype", '"jstype" is for 64-bit integers only.', jstype.start);
  }
}

function isPackable({ label }: Field, kind: Kind): boolean {
  if (label !== "repeated") return false;
  return kind.kind === "enum" || (kind.kind === "scalar" && kind.name !== "string" && kind.name !== "bytes");
}

function checkJsonName(context: CheckContext, { element, extend }: Definition<Field>): void {
  const option = plainOption(element.options, "json_name");
  if (option === undefined) return;
  const refuse = (message: string) => context.error("json_name", message, option.start);
  if (option.value.kind !== "string") refuse('"json_name" needs a string.');
  else if (extend !== null) refuse("An extension has no JSON name of its own.");
  else if (/^\[.*\]$/s.test(option.value.value)) refuse("A JSON name in brackets is reserved for extensions.");
  else if (option.value.value.includes("\0")) refuse("A JSON name holds no NUL.");
}

function checkFeatures(context: CheckContext, definition: Definition<Field>, kind: Kind): void {
  const { element, extend } = definition;
  const set = setFeatures(element.options);
  const refuse = (feature: FeatureName, message: string) =>
    context.error("feature", `features.${feature}: ${message}`, element.start);
  const isRepeated = element.label === "repeated" || element.type.kind === "map";
  if (set.field_presence !== undefined) {
    if (element.oneof !== null) refuse("field_presence", "a oneof field always has presence.");
    else if (isRepeated) refuse("field_presence", "a repeated field has no presence.");
    else if (extend !== null) refuse("field_presence", "an extension is always explicit.");
    else if (kind.kind === "message" && set.field_presence === "IMPLICIT") {
      refuse("field_presence", "a message field always has presence.");
    }
  }
  if (set.repeated_field_encoding !== undefined) {
    if (!isRepeated) refuse("repeated_field_encoding", "is for repeated fields only.");
    else if (set.repeated_field_encoding === "PACKED" && !isPackable(element, kind)) {
      refuse("repeated_field_encoding", "only numbers, bools and enums can be packed.");
    }
  }
  if (set.utf8_validation !== undefined && !holdsStrings(element)) {
    refuse("utf8_validation", "is for string fields only.");
  }
  if (set.message_encoding !== undefined && (kind.kind !== "message" || element.type.kind === "map")) {
    refuse("message_encoding", "is for message fields only.");
  }
}

function holdsStrings({ type }: Field): boolean {
  if (type.kind === "map")
    return type.key === "string" || (type.value.kind === "scalar" && type.value.name === "string");
  return type.kind === "scalar" && type.name === "string";
}
