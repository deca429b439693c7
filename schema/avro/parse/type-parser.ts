/**
 * Builds the type graph from a schema's JSON tree. Continues after a problem so that one run reports all of them; types
 * that cannot be read become `null` placeholders, and such a graph is never returned.
 */
import type { Strictness } from "../../format.ts";
import type { JsonNode, JsonObject } from "../../json-text.ts";
import { readLogicalType } from "../logical-type.ts";
import {
  type AvroEnum,
  type AvroField,
  type AvroFixed,
  type AvroName,
  type AvroNamedType,
  type AvroPrimitive,
  type AvroPrimitiveKind,
  type AvroRecord,
  type AvroType,
  type AvroUnion,
  NO_PROPERTIES,
  PRIMITIVE_KINDS,
  typeName,
} from "../model.ts";
import { isValidSimpleName, shorten, splitName } from "../names.ts";
import {
  AttributeReader,
  ENUM_RESERVED,
  FIELD_RESERVED,
  NAME_RULE,
  PRIMITIVE_NAMES,
  readProperties,
  SCHEMA_RESERVED,
} from "./attributes.ts";
import { asDefault, checkDefaults, type PendingDefault } from "./defaults.ts";
import { type ProblemLog, quote } from "./problems.ts";
import { TypeScope } from "./type-scope.ts";

/** Java stores a fixed's size as a 32-bit integer. */
const MAX_FIXED_SIZE = 2 ** 31 - 1;

const PLAIN_PRIMITIVES = new Map<string, AvroPrimitive>(
  PRIMITIVE_KINDS.map((kind) => [kind, { kind, properties: NO_PROPERTIES, logicalType: null }]),
);
const UNREADABLE = PLAIN_PRIMITIVES.get("null")!;

/** Parses one text. `types` holds the types usable by name, and receives those that the text defines. */
export class TypeParser {
  readonly #log: ProblemLog;
  readonly #attributes: AttributeReader;
  readonly #scope: TypeScope;
  readonly #isNew: boolean;
  /** Checked last: a default may need a record whose fields are parsed later. */
  readonly #defaults: PendingDefault[] = [];

  constructor(log: ProblemLog, types: Map<string, AvroNamedType>, strictness: Strictness) {
    this.#log = log;
    this.#isNew = strictness !== "stored";
    this.#scope = new TypeScope(types, log, this.#isNew);
    this.#attributes = new AttributeReader(log, this.#isNew);
  }

  schema(root: JsonNode): AvroType {
    const type = this.#type(root, "", "");
    if (this.#isNew) checkDefaults(this.#defaults, this.#log);
    return type;
  }

  #type(node: JsonNode, pointer: string, namespace: string): AvroType {
    switch (node.type) {
      case "string":
        return this.#reference(node.value, node, pointer, namespace);
      case "array":
        return this.#union(node.items, pointer, namespace);
      case "object":
        return this.#object(node, pointer, namespace);
      default:
        this.#log.problem(
          "invalid_type",
          "A schema is a string that names a type, an object that defines one, or an array, which is a union.",
          node,
          pointer,
        );
        return UNREADABLE;
    }
  }

  #reference(name: string, node: JsonNode, pointer: string, namespace: string): AvroType {
    const type = PLAIN_PRIMITIVES.get(name) ?? this.#scope.lookUp(name, namespace);
    if (type) return type;
    const { full } = splitName(name, namespace);
    this.#log.problem(
      "undefined_name",
      `Type ${quote(full)} is not defined. A name must be a primitive type, or be defined earlier in the text or by a reference.`,
      node,
      pointer,
    );
    return UNREADABLE;
  }

  #union(items: readonly JsonNode[], pointer: string, namespace: string): AvroUnion {
    const branches: AvroType[] = [];
    const seen = new Set<string>();
    items.forEach((item, index) => {
      const at = `${pointer}/${index}`;
      const before = this.#log.problems.length;
      const branch = this.#type(item, at, namespace);
      branches.push(branch);
      if (branch.kind === "union") {
        this.#log.problem(
          "nested_union",
          "A union may not contain another union directly; list its branches here.",
          item,
          at,
        );
      } else if (seen.has(typeName(branch)) && this.#log.problems.length === before) {
        this.#log.problem(
          "duplicate_union_branch",
          `The union has type ${quote(typeName(branch))} more than once.`,
          item,
          at,
        );
      }
      seen.add(typeName(branch));
    });
    return { kind: "union", branches };
  }

  #object(node: JsonObject, pointer: string, namespace: string): AvroType {
    const typeNode = node.members.get("type");
    if (typeNode?.type !== "string") {
      this.#log.problem(
        typeNode === undefined ? "missing_type" : "invalid_type",
        `A schema that is an object needs a "type" that is a string${typeNode === undefined ? "" : "; write a nested schema or union without a wrapping object"}.`,
        typeNode ?? node,
        typeNode === undefined ? pointer : `${pointer}/type`,
      );
      return UNREADABLE;
    }
    const kind = typeNode.value;
    switch (kind) {
      case "record":
      case "error":
        return this.#record(node, pointer, namespace, kind === "error");
      case "enum":
        return this.#enum(node, pointer, namespace);
      case "fixed":
        return this.#fixed(node, pointer, namespace);
      case "array":
        return {
          kind,
          items: this.#nested(node, "items", pointer, namespace),
          properties: readProperties(node, SCHEMA_RESERVED),
        };
      case "map":
        return {
          kind,
          values: this.#nested(node, "values", pointer, namespace),
          properties: readProperties(node, SCHEMA_RESERVED),
        };
      default:
        return PRIMITIVE_NAMES.has(kind)
          ? this.#primitive(kind as AvroPrimitiveKind, node, pointer)
          : // An object whose "type" names a defined type means that type; its other attributes are dropped.
            this.#reference(kind, typeNode, `${pointer}/type`, namespace);
    }
  }

  #nested(node: JsonObject, key: "items" | "values", pointer: string, namespace: string): AvroType {
    const nested = node.members.get(key);
    if (nested !== undefined) return this.#type(nested, `${pointer}/${key}`, namespace);
    const what = key === "items" ? "An array" : "A map";
    this.#log.problem(`missing_${key}`, `${what} needs "${key}", the type of its ${key}.`, node, pointer);
    return UNREADABLE;
  }

  #primitive(kind: AvroPrimitiveKind, node: JsonObject, pointer: string): AvroPrimitive {
    if (node.members.size === 1) return PLAIN_PRIMITIVES.get(kind)!;
    const own = readProperties(node, SCHEMA_RESERVED);
    if (own.size === 0) return PLAIN_PRIMITIVES.get(kind)!;
    const { logicalType, ignoredBecause } = readLogicalType(kind, own, 0);
    if (ignoredBecause)
      this.#log.warning("logical_type_ignored", ignoredBecause, own.get("logicalType") ?? node, pointer);
    return { kind, properties: own, logicalType };
  }

  #record(node: JsonObject, pointer: string, namespace: string, isError: boolean): AvroType {
    const name = this.#attributes.name(node, pointer, namespace);
    const fieldsNode = node.members.get("fields");
    const fields: AvroField[] = [];
    const record: AvroRecord = {
      kind: "record",
      isError,
      ...this.#named(node, name, pointer, SCHEMA_RESERVED),
      fields,
    };
    const existing = this.#scope.define(record, node, pointer);
    if (fieldsNode?.type !== "array") {
      this.#log.problem(
        "invalid_fields",
        `Record ${quote(name.full)} needs "fields", an array of fields.`,
        fieldsNode ?? node,
        fieldsNode === undefined ? pointer : `${pointer}/fields`,
      );
      return record;
    }
    const seen = new Set<string>();
    fieldsNode.items.forEach((item, index) => {
      const at = `${pointer}/fields/${index}`;
      const field = this.#field(item, at, record);
      if (field === null) return;
      if (seen.has(field.name)) {
        this.#log.problem(
          "duplicate_field",
          `Record ${quote(name.full)} has field ${quote(field.name)} more than once.`,
          item,
          at,
        );
        return;
      }
      seen.add(field.name);
      fields.push(field);
    });
    return this.#scope.settle(existing, record, node, pointer);
  }

  #field(node: JsonNode, pointer: string, record: AvroRecord): AvroField | null {
    const nameNode = node.type === "object" ? node.members.get("name") : undefined;
    if (node.type !== "object" || nameNode?.type !== "string") {
      this.#log.problem(
        "invalid_field",
        'A field is an object with a "name" that is a string, and a "type".',
        nameNode ?? node,
        pointer,
      );
      return null;
    }
    const name = nameNode.value;
    if (this.#isNew && !isValidSimpleName(name)) {
      this.#log.problem(
        "invalid_name",
        `Field name ${quote(name)} is invalid: ${NAME_RULE}`,
        nameNode,
        `${pointer}/name`,
      );
    }
    const typeNode = node.members.get("type");
    if (typeNode === undefined) {
      this.#log.problem(
        "missing_type",
        `Field ${quote(name)} of ${shorten(record.name.full)} needs a "type".`,
        node,
        pointer,
      );
      return null;
    }
    const type = this.#type(typeNode, `${pointer}/type`, record.name.namespace);
    const defaultNode = node.members.get("default");
    const defaultValue = defaultNode === undefined ? null : asDefault(type, defaultNode);
    const field: AvroField = {
      name,
      type,
      documentation: this.#attributes.documentation(node, pointer),
      defaultValue,
      order: this.#attributes.order(node, pointer),
      aliases: this.#attributes.aliases(node, pointer, null),
      properties: readProperties(node, FIELD_RESERVED),
    };
    if (defaultValue !== null) this.#defaults.push({ field, node: defaultValue, pointer: `${pointer}/default` });
    return field;
  }

  #enum(node: JsonObject, pointer: string, namespace: string): AvroType {
    const name = this.#attributes.name(node, pointer, namespace);
    const symbolsNode = node.members.get("symbols");
    const symbols = new Set<string>();
    if (symbolsNode?.type !== "array") {
      this.#log.problem(
        "invalid_symbols",
        `Enum ${quote(name.full)} needs "symbols", an array of strings.`,
        symbolsNode ?? node,
        symbolsNode === undefined ? pointer : `${pointer}/symbols`,
      );
    } else {
      symbolsNode.items.forEach((item, index) => {
        const at = `${pointer}/symbols/${index}`;
        if (item.type !== "string") this.#log.problem("invalid_symbols", "An enum symbol must be a string.", item, at);
        else if (symbols.has(item.value)) {
          this.#log.problem(
            "duplicate_symbol",
            `Enum ${quote(name.full)} has symbol ${quote(item.value)} more than once.`,
            item,
            at,
          );
        } else {
          symbols.add(item.value);
          if (this.#isNew && !isValidSimpleName(item.value)) {
            this.#log.problem("invalid_symbol", `Enum symbol ${quote(item.value)} is invalid: ${NAME_RULE}`, item, at);
          }
        }
      });
    }
    const type: AvroEnum = {
      kind: "enum",
      ...this.#named(node, name, pointer, ENUM_RESERVED),
      symbols: [...symbols],
      ordinals: new Map([...symbols].map((symbol, ordinal) => [symbol, ordinal])),
      defaultSymbol: this.#defaultSymbol(node, pointer, symbols, name),
    };
    return this.#scope.settle(this.#scope.define(type, node, pointer), type, node, pointer);
  }

  #defaultSymbol(node: JsonObject, pointer: string, symbols: ReadonlySet<string>, name: AvroName): string | null {
    const defaultNode = node.members.get("default");
    if (defaultNode === undefined) return null;
    if (defaultNode.type !== "string") {
      this.#log.warning(
        "ignored_attribute",
        `The "default" of enum ${quote(name.full)} is ignored: it must be a string, one of the symbols.`,
        defaultNode,
        `${pointer}/default`,
      );
      return null;
    }
    if (!symbols.has(defaultNode.value)) {
      this.#log.problem(
        "invalid_default",
        `The default ${quote(defaultNode.value)} of enum ${quote(name.full)} is not one of its symbols.`,
        defaultNode,
        `${pointer}/default`,
      );
    }
    return defaultNode.value;
  }

  #fixed(node: JsonObject, pointer: string, namespace: string): AvroType {
    const name = this.#attributes.name(node, pointer, namespace);
    const sizeNode = node.members.get("size");
    let size = 0;
    if (sizeNode?.type === "number" && /^\d+$/.test(sizeNode.text) && sizeNode.value <= MAX_FIXED_SIZE) {
      size = sizeNode.value;
    } else {
      this.#log.problem(
        "invalid_size",
        `Fixed ${quote(name.full)} needs a "size" that is an integer between 0 and ${MAX_FIXED_SIZE}.`,
        sizeNode ?? node,
        sizeNode === undefined ? pointer : `${pointer}/size`,
      );
    }
    const named = this.#named(node, name, pointer, SCHEMA_RESERVED);
    const { logicalType, ignoredBecause } = readLogicalType("fixed", named.properties, size);
    if (ignoredBecause) {
      this.#log.warning("logical_type_ignored", ignoredBecause, named.properties.get("logicalType") ?? node, pointer);
    }
    const type: AvroFixed = { kind: "fixed", ...named, size, logicalType };
    return this.#scope.settle(this.#scope.define(type, node, pointer), type, node, pointer);
  }

  #named(node: JsonObject, name: AvroName, pointer: string, reserved: ReadonlySet<string>) {
    return {
      name,
      documentation: this.#attributes.documentation(node, pointer),
      aliases: this.#attributes.aliases(node, pointer, name),
      properties: readProperties(node, reserved),
    };
  }
}
