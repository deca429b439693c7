/**
 * Prints the canonical text: compact, with the key order of Java's Schema.toString. A named type is printed in full at its
 * first use and by name afterwards; types of referenced texts are always printed by name.
 */
import { compareCodeUnits, type JsonNode, writeJsonString, writeJsonText } from "../../json-text.ts";
import type { AvroField, AvroModel, AvroName, AvroNamedType, AvroProperties, AvroRecord, AvroType } from "../model.ts";
import { splitName, writeNameReference } from "../names.ts";
import { writeJavaNumber } from "./java-number.ts";

export function canonicalText(model: AvroModel): string {
  return new CanonicalPrinter(new Set(model.external.keys()), "written").print(model.root);
}

/**
 * The text under `normalize=true`: the canonical text with sorted aliases and custom properties, `logicalType` first. A
 * schema without either has the same text, and so the same id, with and without normalisation.
 */
export function normalisedText(model: AvroModel): string {
  return new CanonicalPrinter(new Set(model.external.keys()), "sorted").print(model.root);
}

/** The canonical text with referenced types printed in full at their first use. */
export function resolvedText(model: AvroModel): string {
  return new CanonicalPrinter(new Set(), "written").print(model.root);
}

/** Prints a default or the value of a custom property. */
export function writeValue(node: JsonNode, sortKeys = false): string {
  return writeJsonText(node, { number: writeJavaNumber, sortKeys });
}

class CanonicalPrinter {
  #out = "";
  /** Full names that are already defined at this point of the text. */
  readonly #known: Set<string>;
  readonly #order: "written" | "sorted";

  constructor(known: Set<string>, order: "written" | "sorted") {
    this.#known = known;
    this.#order = order;
  }

  print(root: AvroType): string {
    this.#type(root, "");
    return this.#out;
  }

  #type(type: AvroType, namespace: string): void {
    switch (type.kind) {
      case "union": {
        this.#out += "[";
        type.branches.forEach((branch, index) => {
          if (index > 0) this.#out += ",";
          this.#type(branch, namespace);
        });
        this.#out += "]";
        return;
      }
      case "array":
      case "map":
        this.#out += type.kind === "array" ? '{"type":"array","items":' : '{"type":"map","values":';
        this.#type(type.kind === "array" ? type.items : type.values, namespace);
        this.#properties(type.properties);
        this.#out += "}";
        return;
      case "record":
      case "enum":
      case "fixed":
        this.#named(type, namespace);
        return;
      default:
        if (type.properties.size === 0) {
          this.#out += `"${type.kind}"`;
          return;
        }
        this.#out += `{"type":"${type.kind}"`;
        this.#properties(type.properties);
        this.#out += "}";
    }
  }

  #named(type: AvroNamedType, namespace: string): void {
    const { name } = type;
    if (this.#known.has(name.full)) {
      this.#out += writeJsonString(this.#nameReference(name, namespace));
      return;
    }
    this.#known.add(name.full);
    const kind = type.kind === "record" && type.isError ? "error" : type.kind;
    this.#out += `{"type":"${kind}","name":${writeJsonString(name.simple)}`;
    if (name.namespace !== namespace) this.#out += `,"namespace":${writeJsonString(name.namespace)}`;
    if (type.documentation !== null) this.#out += `,"doc":${writeJsonString(type.documentation)}`;
    if (type.kind === "record") this.#fields(type);
    else if (type.kind === "fixed") this.#out += `,"size":${type.size}`;
    else {
      this.#out += `,"symbols":[${type.symbols.map(writeJsonString).join(",")}]`;
      if (type.defaultSymbol !== null) this.#out += `,"default":${writeJsonString(type.defaultSymbol)}`;
    }
    this.#properties(type.properties);
    // An alias is not a reference, so only its dots can show that it belongs to another namespace.
    this.#aliases(type.aliases, (alias) => writeNameReference(splitName(alias, ""), name.namespace, () => true));
    this.#out += "}";
  }

  #fields(record: AvroRecord): void {
    this.#out += ',"fields":[';
    record.fields.forEach((field, index) => {
      if (index > 0) this.#out += ",";
      this.#field(field, record.name.namespace);
    });
    this.#out += "]";
  }

  #field(field: AvroField, namespace: string): void {
    this.#out += `{"name":${writeJsonString(field.name)},"type":`;
    this.#type(field.type, namespace);
    if (field.documentation !== null) this.#out += `,"doc":${writeJsonString(field.documentation)}`;
    if (field.defaultValue !== null) this.#out += `,"default":${writeValue(field.defaultValue)}`;
    if (field.order !== "ascending") this.#out += `,"order":"${field.order}"`;
    this.#aliases(field.aliases, (alias) => alias);
    this.#properties(field.properties);
    this.#out += "}";
  }

  #aliases(aliases: readonly string[], write: (alias: string) => string): void {
    if (aliases.length === 0) return;
    const ordered = this.#order === "sorted" ? aliases.toSorted(compareCodeUnits) : aliases;
    this.#out += `,"aliases":[${ordered.map((alias) => writeJsonString(write(alias))).join(",")}]`;
  }

  #properties(properties: AvroProperties): void {
    const isSorted = this.#order === "sorted";
    for (const [key, value] of isSorted ? sortProperties(properties) : properties) {
      this.#out += `,${writeJsonString(key)}:${writeValue(value, isSorted)}`;
    }
  }

  #nameReference(name: AvroName, namespace: string): string {
    return writeNameReference(name, namespace, (full) => this.#known.has(full));
  }
}

/** By key, except that `logicalType` comes before its attributes. */
function sortProperties(properties: AvroProperties): [string, JsonNode][] {
  const rankOf = (key: string) => (key === "logicalType" ? 0 : 1);
  return [...properties].sort(([a], [b]) => rankOf(a) - rankOf(b) || compareCodeUnits(a, b));
}
