/**
 * The text under `normalize=true` (specs: Confluent contract §4.3): full names, a fixed order of keys, sorted properties
 * and aliases. Two texts that mean the same have the same one.
 */
import { compareCodeUnits, writeJsonString } from "../../json-text.ts";
import type { AvroField, AvroModel, AvroNamedType, AvroProperties, AvroType } from "../model.ts";
import { writeValue } from "./canonical.ts";

export function normalisedText(model: AvroModel): string {
  return writeType(model.root, "", new Set(model.external.keys()));
}

/** `known`: full names that were printed already, or belong to a referenced text. */
function writeType(type: AvroType, namespace: string, known: Set<string>): string {
  switch (type.kind) {
    case "union":
      return `[${type.branches.map((branch) => writeType(branch, namespace, known)).join(",")}]`;
    case "array":
      return `{"type":"array","items":${writeType(type.items, namespace, known)}${writeProperties(type.properties)}}`;
    case "map":
      return `{"type":"map","values":${writeType(type.values, namespace, known)}${writeProperties(type.properties)}}`;
    case "record":
    case "enum":
    case "fixed":
      return writeNamed(type, namespace, known);
    default:
      return type.properties.size === 0
        ? `"${type.kind}"`
        : `{"type":"${type.kind}"${writeProperties(type.properties)}}`;
  }
}

function writeNamed(type: AvroNamedType, namespace: string, known: Set<string>): string {
  const { full } = type.name;
  // Inside a namespace a bare name would be read as one of that namespace; a dot in front keeps it out.
  const isBare = type.name.namespace === "" && namespace !== "";
  if (known.has(full)) return writeJsonString(isBare && known.has(`${namespace}.${full}`) ? `.${full}` : full);
  known.add(full);
  const name = writeJsonString(isBare ? `.${full}` : full);
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
      return `,"fields":[${type.fields.map((field) => writeField(field, type.name.namespace, known)).join(",")}]`;
    case "enum":
      return `,"symbols":[${type.symbols.map(writeJsonString).join(",")}]`;
    case "fixed":
      return `,"size":${type.size}`;
  }
}

function writeField(field: AvroField, namespace: string, known: Set<string>): string {
  return [
    `{"name":${writeJsonString(field.name)},"type":${writeType(field.type, namespace, known)},"order":"${field.order}"`,
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
