/**
 * The text under `normalize=true` (specs: Confluent contract §4.3): full names, a fixed order of keys, sorted properties
 * and aliases. Two texts that mean the same have the same one.
 */
import { compareCodeUnits, writeJsonString } from "../json-text";
import { writeValue } from "./canonical";
import type { AvroField, AvroModel, AvroNamedType, AvroProperties, AvroType } from "./model";

export function normalisedText(model: AvroModel): string {
  return writeType(model.root, new Set(model.external.keys()));
}

/** `known`: full names that were printed already, or belong to a referenced text. */
function writeType(type: AvroType, known: Set<string>): string {
  switch (type.kind) {
    case "union":
      return `[${type.branches.map((branch) => writeType(branch, known)).join(",")}]`;
    case "array":
      return `{"type":"array","items":${writeType(type.items, known)}${writeProperties(type.properties)}}`;
    case "map":
      return `{"type":"map","values":${writeType(type.values, known)}${writeProperties(type.properties)}}`;
    case "record":
    case "enum":
    case "fixed":
      return writeNamed(type, known);
    default:
      return type.properties.size === 0
        ? `"${type.kind}"`
        : `{"type":"${type.kind}"${writeProperties(type.properties)}}`;
  }
}

function writeNamed(type: AvroNamedType, known: Set<string>): string {
  const name = writeJsonString(type.name.full);
  if (known.has(type.name.full)) return name;
  known.add(type.name.full);
  const kind = type.kind === "record" && type.isError ? "error" : type.kind;
  return [
    `{"name":${name},"type":"${kind}"`,
    writeBody(type, known),
    writeLogicalType(type.properties),
    type.documentation === null ? "" : `,"doc":${writeJsonString(type.documentation)}`,
    writeAliases(type.aliases),
    type.kind === "enum" && type.defaultSymbol !== null ? `,"default":${writeJsonString(type.defaultSymbol)}` : "",
    writeOtherProperties(type.properties),
    "}",
  ].join("");
}

function writeBody(type: AvroNamedType, known: Set<string>): string {
  switch (type.kind) {
    case "record":
      return `,"fields":[${type.fields.map((field) => writeField(field, known)).join(",")}]`;
    case "enum":
      return `,"symbols":[${type.symbols.map(writeJsonString).join(",")}]`;
    case "fixed":
      return `,"size":${type.size}`;
  }
}

function writeField(field: AvroField, known: Set<string>): string {
  return [
    `{"name":${writeJsonString(field.name)},"type":${writeType(field.type, known)},"order":"${field.order}"`,
    field.documentation === null ? "" : `,"doc":${writeJsonString(field.documentation)}`,
    writeAliases(field.aliases),
    field.defaultValue === null ? "" : `,"default":${writeValue(field.defaultValue, true)}`,
    writeProperties(field.properties),
    "}",
  ].join("");
}

function writeAliases(aliases: readonly string[]): string {
  return aliases.length === 0
    ? ""
    : `,"aliases":[${aliases.toSorted(compareCodeUnits).map(writeJsonString).join(",")}]`;
}

function writeProperties(properties: AvroProperties): string {
  return writeLogicalType(properties) + writeOtherProperties(properties);
}

function writeLogicalType(properties: AvroProperties): string {
  const logicalType = properties.get("logicalType");
  return logicalType === undefined ? "" : `,"logicalType":${writeValue(logicalType, true)}`;
}

function writeOtherProperties(properties: AvroProperties): string {
  if (properties.size === 0) return "";
  return [...properties.keys()]
    .filter((key) => key !== "logicalType")
    .sort(compareCodeUnits)
    .map((key) => `,${writeJsonString(key)}:${writeValue(properties.get(key)!, true)}`)
    .join("");
}
