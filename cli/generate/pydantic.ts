/**
 * Pydantic 2 models that keep what a schema constrains: lengths, patterns, bounds, formats and constants. General
 * generators drop most of it.
 */
import { unescapePointerToken } from "../../schema/json-text.ts";
import type { SchemaNode } from "./schema-node.ts";

const KEYWORDS = new Set(
  "False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield".split(
    " ",
  ),
);
/** Members of BaseModel that a field must not hide. */
const TAKEN =
  /^(?:model_.*|schema|schema_json|json|dict|copy|construct|validate|parse_obj|parse_raw|parse_file|from_orm|update_forward_refs|fields)$/;

const FORMATS: Readonly<Record<string, string>> = {
  "date-time": "_datetime.datetime",
  date: "_datetime.date",
  time: "_datetime.time",
  uuid: "_uuid.UUID",
};

const HEADER = `from __future__ import annotations

import datetime as _datetime
import uuid as _uuid
from typing import Any, Dict, List, Literal, Optional, Union

from pydantic import BaseModel, ConfigDict, Field, RootModel
from typing_extensions import Annotated

__all__ = [%NAMES%]
`;

export function generatePydantic(root: SchemaNode, name: string): string {
  return new PydanticWriter(root).write(className(name));
}

class PydanticWriter {
  readonly #root: SchemaNode;
  readonly #definitions: Record<string, SchemaNode>;
  /** Class names by pointer of the definition. */
  readonly #names = new Map<string, string>();
  readonly #taken = new Set(["BaseModel", "ConfigDict", "Field", "RootModel", "Any", "Dict", "List", "Literal"]);
  readonly #classes: { name: string; text: string }[] = [];

  constructor(root: SchemaNode) {
    this.#root = root;
    this.#definitions = { ...root.definitions, ...root.$defs };
  }

  write(name: string): string {
    const { $ref } = this.#root;
    // A root that only refers to a definition is that definition.
    if ($ref === undefined) this.#names.set("#", this.#free(name));
    for (const definition of Object.keys(this.#definitions)) {
      this.#names.set(definition, this.#free(className(this.#definitions[definition]?.title ?? definition)));
    }
    for (const [definition, schema] of Object.entries(this.#definitions)) {
      this.#writeClass(this.#names.get(definition)!, schema);
    }
    if ($ref === undefined) this.#writeClass(this.#names.get("#")!, this.#root);
    const names = this.#classes.map((written) => JSON.stringify(written.name)).join(", ");
    const rebuilds = this.#classes.map((written) => `${written.name}.model_rebuild()`).join("\n");
    return [HEADER.replace("%NAMES%", () => names), ...this.#classes.map(({ text }) => text), `${rebuilds}\n`].join(
      "\n\n",
    );
  }

  #free(name: string): string {
    let free = name;
    for (let n = 2; this.#taken.has(free); n += 1) free = `${name}${n}`;
    this.#taken.add(free);
    return free;
  }

  #writeClass(name: string, schema: SchemaNode): void {
    if (!isRecord(schema)) {
      const text = `class ${name}(RootModel[${this.#typeOf(schema, name)}]):\n${docstring(schema.description) || "    pass\n"}`;
      this.#classes.push({ name, text });
      return;
    }
    const { properties = {}, required = [], additionalProperties } = schema;
    const extra = additionalProperties === false ? "forbid" : "allow";
    const lines = [`class ${name}(BaseModel):`];
    if (schema.description !== undefined) lines.push(docstring(schema.description).trimEnd());
    lines.push(`    model_config = ConfigDict(extra="${extra}", populate_by_name=True)`);
    const used = new Set<string>();
    for (const [property, value] of Object.entries(properties)) {
      const type = value === true ? {} : value === false ? { not: {} } : value;
      lines.push(this.#fieldOf(name, property, type as SchemaNode, required.includes(property), used));
    }
    this.#classes.push({ name, text: `${lines.join("\n")}\n` });
  }

  #fieldOf(owner: string, property: string, schema: SchemaNode, isRequired: boolean, used: Set<string>): string {
    let field = fieldName(property);
    while (used.has(field)) field += "_";
    used.add(field);
    const hasDefault = schema.default !== undefined;
    const type = this.#typeOf(schema, `${owner}${className(property)}`);
    const shown = isRequired || hasDefault || type.startsWith("Optional[") ? type : `Optional[${type}]`;
    const parts = [
      ...(isRequired ? [] : [`default=${hasDefault ? literal(schema.default) : "None"}`]),
      ...(field === property ? [] : [`alias=${JSON.stringify(property)}`]),
      ...(schema.description === undefined ? [] : [`description=${quoted(schema.description)}`]),
    ];
    // A default of another type, such as a date's text, is converted as a value would be.
    if (!isRequired && hasDefault) parts.push("validate_default=True");
    const ignored = !isRequired && hasDefault ? "  # type: ignore[assignment, unused-ignore]" : "";
    return `    ${field}: ${shown}${parts.length === 0 ? "" : ` = Field(${parts.join(", ")})`}${ignored}`;
  }

  #typeOf(schema: SchemaNode | boolean, path: string): string {
    if (typeof schema === "boolean") return "Any";
    const { $ref, anyOf, oneOf, allOf } = schema;
    if ($ref !== undefined) return this.#referred($ref);
    if (schema.const !== undefined) return literalType([schema.const]);
    if (schema.enum !== undefined) return literalType(schema.enum);
    const alternatives = anyOf ?? oneOf;
    if (alternatives !== undefined) return this.#union(alternatives, path);
    if (allOf?.length === 1) return this.#typeOf(allOf[0]!, path);
    if (allOf !== undefined) return this.#typeOf(merged(schema), path);
    const { type } = schema;
    if (Array.isArray(type))
      return this.#union(
        type.map((one) => ({ ...schema, type: one })),
        path,
      );
    return this.#plainType(type ?? (schema.properties === undefined ? undefined : "object"), schema, path);
  }

  #referred(ref: string): string {
    const name = unescapePointerToken(decodeURIComponent(ref.replace(/^#\/(?:\$defs|definitions)\//, "")));
    return this.#names.get(name) ?? "Any";
  }

  #union(alternatives: readonly SchemaNode[], path: string): string {
    const others = alternatives.filter(({ type }) => type !== "null");
    const types = [
      ...new Set(others.map((each, n) => this.#typeOf(each, others.length > 1 ? `${path}${n + 1}` : path))),
    ];
    const whole = types.length === 0 ? "None" : types.length === 1 ? types[0]! : `Union[${types.join(", ")}]`;
    return others.length === alternatives.length || whole === "None" ? whole : `Optional[${whole}]`;
  }

  #plainType(type: string | undefined, schema: SchemaNode, path: string): string {
    switch (type) {
      case "string": {
        const formatted = FORMATS[schema.format ?? ""];
        if (formatted !== undefined) return formatted;
        const { minLength, maxLength, pattern } = schema;
        const portable = pattern !== undefined && isPortablePattern(pattern) ? pattern : undefined;
        return constrained("str", { min_length: minLength, max_length: maxLength, pattern: portable });
      }
      case "integer":
        return constrained("int", boundsOf(schema));
      case "number":
        return constrained("float", boundsOf(schema));
      case "boolean":
        return "bool";
      case "null":
        return "None";
      case "array": {
        const items = schema.items === undefined ? "Any" : this.#typeOf(schema.items, `${path}Item`);
        return constrained(`List[${items}]`, { min_length: schema.minItems, max_length: schema.maxItems });
      }
      case "object": {
        if (isRecord(schema)) {
          const name = this.#free(className(schema.title ?? path));
          this.#writeClass(name, schema);
          return name;
        }
        const { additionalProperties } = schema;
        const values =
          typeof additionalProperties === "object" ? this.#typeOf(additionalProperties, `${path}Value`) : "Any";
        return constrained(`Dict[str, ${values}]`, {
          min_length: schema.minProperties,
          max_length: schema.maxProperties,
        });
      }
      default:
        return "Any";
    }
  }
}

function isRecord({ type, properties, $ref, anyOf, oneOf }: SchemaNode): boolean {
  if ($ref !== undefined || anyOf !== undefined || oneOf !== undefined) return false;
  return properties !== undefined && (type === undefined || type === "object");
}

/** Merges all parts as far as their members show, because an instance satisfies each of them. */
function merged({ allOf = [], ...own }: SchemaNode): SchemaNode {
  const parts = [...allOf, own];
  const properties = Object.assign({}, ...parts.map((part) => part.properties)) as SchemaNode["properties"] & object;
  const required = parts.flatMap((part) => part.required ?? []);
  const whole = Object.assign({}, ...parts) as SchemaNode;
  return { ...whole, required, ...(Object.keys(properties).length === 0 ? {} : { properties }) };
}

function boundsOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: SchemaNode) {
  return { ge: minimum, le: maximum, gt: exclusiveMinimum, lt: exclusiveMaximum, multiple_of: multipleOf };
}

function constrained(type: string, constraints: Readonly<Record<string, number | string | undefined>>): string {
  const given = Object.entries(constraints).filter(([, value]) => value !== undefined && typeof value !== "boolean");
  if (given.length === 0) return type;
  const printed = given.map(([name, value]) => `${name}=${typeof value === "string" ? quoted(value) : String(value)}`);
  return `Annotated[${type}, Field(${printed.join(", ")})]`;
}

/** Pydantic's engine has neither lookaround nor backreferences, and refuses a model that uses them. */
function isPortablePattern(pattern: string): boolean {
  return !/\(\?(?:[=!]|<[=!])|\\[1-9]|\\k</.test(pattern) && !/\\[cupP]/.test(pattern);
}

function literalType(values: readonly unknown[]): string {
  const isLiteral = (value: unknown) =>
    ["string", "boolean"].includes(typeof value) || Number.isInteger(value) || value === null;
  return values.length > 0 && values.every(isLiteral) ? `Literal[${values.map(literal).join(", ")}]` : "Any";
}

function literal(value: unknown): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "object") {
    return `{${Object.entries(value)
      .map(([key, member]) => `${quoted(key)}: ${literal(member)}`)
      .join(", ")}}`;
  }
  return String(value);
}

/** JSON's escapes are Python's too, but for the pairs of UTF-16, which are written as they are. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

function docstring(text: string | undefined): string {
  if (text === undefined) return "";
  const safe = text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll(/\s*\n\s*/g, "\n    ");
  return `    """${safe}"""\n`;
}

function fieldName(property: string): string {
  const plain = property.replaceAll(/[^A-Za-z0-9_]/g, "_").replace(/^_+/, "");
  const named = plain === "" || /^\d/.test(plain) ? `field_${plain}` : plain;
  return KEYWORDS.has(named) || TAKEN.test(named) ? `${named}_` : named;
}

function className(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  const joined = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join("");
  return joined === "" || /^\d/.test(joined) ? `Model${joined}` : joined;
}
