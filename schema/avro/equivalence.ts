/** Whether two schemas mean the same (specs: Confluent contract §4.5), however their texts are cut and ordered. */
import { compareCodeUnits, writeJsonString } from "../json-text";
import { writeValue } from "./canonical";
import type { AvroField, AvroModel, AvroNamedType, AvroProperties, AvroType } from "./model";
import { isNamed } from "./model";

export function equivalentModels(a: AvroModel, b: AvroModel): boolean {
  return a.root === b.root || equivalentTypes(a.root, b.root);
}

/** Equal but for the order of properties and aliases: names, docs, defaults, order, logical types and properties count. */
export function equivalentTypes(a: AvroType, b: AvroType): boolean {
  return meaningOf(a) === meaningOf(b);
}

/**
 * A text that equivalent types share. Named types are written flat, one after the other as they are met, and used by full
 * name: a chain of names may be far deeper than any text nests.
 */
function meaningOf(root: AvroType): string {
  const met = new Set<string>();
  const waiting: AvroNamedType[] = [];

  const write = (type: AvroType): string => {
    if (isNamed(type)) {
      if (!met.has(type.name.full)) {
        met.add(type.name.full);
        waiting.push(type);
      }
      return writeJsonString(type.name.full);
    }
    switch (type.kind) {
      case "union":
        return `[${type.branches.map(write).join()}]`;
      case "array":
        return `{"items":${write(type.items)}${writeProperties(type.properties)}}`;
      case "map":
        return `{"values":${write(type.values)}${writeProperties(type.properties)}}`;
      default:
        return `{"${type.kind}":0${writeProperties(type.properties)}}`;
    }
  };
  const writeField = (field: AvroField): string =>
    `{"name":${writeJsonString(field.name)},"type":${write(field.type)},"order":"${field.order}"${writeCommon(field)}` +
    `${field.defaultValue === null ? "" : `,"default":${writeValue(field.defaultValue, true)}`}}`;
  const writeDefinition = (type: AvroNamedType): string => {
    switch (type.kind) {
      case "record":
        return `"fields":[${type.fields.map(writeField).join()}]`;
      case "enum":
        return `"symbols":[${type.symbols.map(writeJsonString).join()}],"default":${type.defaultSymbol === null ? "null" : writeJsonString(type.defaultSymbol)}`;
      case "fixed":
        return `"size":${type.size}`;
    }
  };

  const parts = [write(root)];
  for (let next = 0; next < waiting.length; next += 1) {
    const type = waiting[next]!;
    parts.push(`{"name":${writeJsonString(type.name.full)},${writeDefinition(type)}${writeCommon(type)}}`);
  }
  return parts.join("\n");
}

type Documented = { documentation: string | null; aliases: readonly string[]; properties: AvroProperties };

function writeCommon({ documentation, aliases, properties }: Documented): string {
  const doc = documentation === null ? "" : `,"doc":${writeJsonString(documentation)}`;
  const names =
    aliases.length === 0 ? "" : `,"aliases":[${aliases.toSorted(compareCodeUnits).map(writeJsonString).join()}]`;
  return doc + names + writeProperties(properties);
}

/** Properties lie in an object of their own, so that none can be taken for an attribute. */
function writeProperties(properties: AvroProperties): string {
  if (properties.size === 0) return "";
  const entries = [...properties.keys()]
    .sort(compareCodeUnits)
    .map((key) => `${writeJsonString(key)}:${writeValue(properties.get(key)!, true)}`);
  return `,"properties":{${entries.join()}}`;
}
