/** Whether a lookup treats two schemas as the same, ignoring their references and the order of their attributes. */
import { compareCodeUnits, writeJsonString } from "../../json-text.ts";
import type { AvroField, AvroModel, AvroNamedType, AvroProperties, AvroType } from "../model.ts";
import { isNamed } from "../model.ts";
import { writeValue } from "./canonical.ts";

export function equivalentModels(a: AvroModel, b: AvroModel): boolean {
  return a.root === b.root || equivalentTypes(a.root, b.root);
}

/** Equal except for the order of properties and aliases. Names, docs, defaults, sort order and properties all count. */
function equivalentTypes(a: AvroType, b: AvroType): boolean {
  return meaningOf(a) === meaningOf(b);
}

/** Whether two definitions are identical, comparing the named types they use by name only. */
export function sameDefinition(a: AvroNamedType, b: AvroNamedType): boolean {
  const byName = (type: AvroNamedType) => writeJsonString(type.name.full);
  return writeDefinition(a, byName) === writeDefinition(b, byName);
}

/**
 * A text that equivalent types share. Named types are listed flat in order of first use and referred to by full name,
 * because a chain of names can be far deeper than any text nests.
 */
function meaningOf(root: AvroType): string {
  const met = new Set<AvroNamedType>();
  const use = (type: AvroNamedType): string => {
    met.add(type);
    return writeJsonString(type.name.full);
  };
  const parts = [write(root, use)];
  // Iterating a set also visits elements added meanwhile.
  for (const type of met) parts.push(writeDefinition(type, use));
  return parts.join("\n");
}

type Use = (type: AvroNamedType) => string;

function write(type: AvroType, use: Use): string {
  if (isNamed(type)) return use(type);
  switch (type.kind) {
    case "union":
      return `[${type.branches.map((branch) => write(branch, use)).join()}]`;
    case "array":
      return `{"items":${write(type.items, use)}${writeProperties(type.properties)}}`;
    case "map":
      return `{"values":${write(type.values, use)}${writeProperties(type.properties)}}`;
    default:
      return `{"${type.kind}":0${writeProperties(type.properties)}}`;
  }
}

function writeDefinition(type: AvroNamedType, use: Use): string {
  return `{"name":${writeJsonString(type.name.full)},${writeBody(type, use)}${writeCommon(type)}}`;
}

function writeBody(type: AvroNamedType, use: Use): string {
  switch (type.kind) {
    case "record":
      return `"fields":[${type.fields.map((field) => writeField(field, use)).join()}]`;
    case "enum":
      return `"symbols":[${type.symbols.map(writeJsonString).join()}],"default":${type.defaultSymbol === null ? "null" : writeJsonString(type.defaultSymbol)}`;
    case "fixed":
      return `"size":${type.size}`;
  }
}

function writeField(field: AvroField, use: Use): string {
  const defaultValue = field.defaultValue === null ? "" : `,"default":${writeValue(field.defaultValue, true)}`;
  return `{"name":${writeJsonString(field.name)},"type":${write(field.type, use)},"order":"${field.order}"${writeCommon(field)}${defaultValue}}`;
}

type Documented = { documentation: string | null; aliases: readonly string[]; properties: AvroProperties };

function writeCommon({ documentation, aliases, properties }: Documented): string {
  const doc = documentation === null ? "" : `,"doc":${writeJsonString(documentation)}`;
  const names =
    aliases.length === 0 ? "" : `,"aliases":[${aliases.toSorted(compareCodeUnits).map(writeJsonString).join()}]`;
  return doc + names + writeProperties(properties);
}

/** Properties get an object of their own, so that they cannot be confused with attributes. */
function writeProperties(properties: AvroProperties): string {
  if (properties.size === 0) return "";
  const entries = [...properties.keys()]
    .sort(compareCodeUnits)
    .map((key) => `${writeJsonString(key)}:${writeValue(properties.get(key)!, true)}`);
  return `,"properties":{${entries.join()}}`;
}
