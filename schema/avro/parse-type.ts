/**
 * From the JSON tree of a schema to its graph of types. Goes on after a problem, so that one reading names them all;
 * what could not be read stands in the graph as `null` and never leaves this folder.
 */
import type { SchemaProblem } from "../format";
import { type JsonNode, type JsonObject, positionAt } from "../json-text";
import { findDefaultProblem, parseQuotedDouble } from "./default-value";
import { equivalentTypes } from "./equivalence";
import { writeJavaDouble } from "./java-number";
import { readLogicalType } from "./logical-type";
import {
  type AvroEnum,
  type AvroField,
  type AvroFixed,
  type AvroName,
  type AvroNamedType,
  type AvroPrimitive,
  type AvroPrimitiveKind,
  type AvroProperties,
  type AvroRecord,
  type AvroType,
  type AvroUnion,
  NO_PROPERTIES,
  PRIMITIVE_KINDS,
  typeName,
} from "./model";
import { isValidNamespace, isValidSimpleName, lookUpName, shorten, splitName } from "./names";

/** More named types than any known schema has with all it references, and few enough to walk in milliseconds. */
export const MAX_NAMED_TYPES = 20_000;
/** Enough to mend a text by; a hostile text has one for every byte. */
export const MAX_PROBLEMS = 100;
/** Java keeps a fixed's size in 32 bits. */
const MAX_FIXED_SIZE = 2 ** 31 - 1;

const PRIMITIVE_NAMES: ReadonlySet<string> = new Set(PRIMITIVE_KINDS);
const PLAIN_PRIMITIVES = new Map<string, AvroPrimitive>(
  PRIMITIVE_KINDS.map((kind) => [kind, { kind, properties: NO_PROPERTIES, logicalType: null }]),
);
const UNREADABLE = PLAIN_PRIMITIVES.get("null")!;

/** Attributes that mean something or are dropped; every other one is kept as a property. */
const SCHEMA_RESERVED: ReadonlySet<string> = new Set([
  ...["doc", "fields", "items", "name", "namespace", "size", "symbols", "values", "type", "aliases"],
]);
const ENUM_RESERVED: ReadonlySet<string> = new Set([...SCHEMA_RESERVED, "default"]);
const FIELD_RESERVED: ReadonlySet<string> = new Set(["default", "doc", "name", "order", "type", "aliases"]);
const ORDERS = ["ascending", "descending", "ignore"] as const;

/** Ends a parse that exceeded a bound. */
export class TooComplexError extends Error {
  constructor(readonly problem: SchemaProblem) {
    super(problem.message);
  }
}

type PendingDefault = { field: AvroField; node: JsonNode; pointer: string };

/** Reads one schema text's tree. `types` holds what may be used by name, and receives what the text defines. */
export class TypeParser {
  readonly problems: SchemaProblem[] = [];
  readonly warnings: SchemaProblem[] = [];
  readonly #text: string;
  readonly #types: Map<string, AvroNamedType>;
  readonly #isNew: boolean;
  /** Defaults wait for the end: they may belong to a record whose fields come later. */
  readonly #defaults: PendingDefault[] = [];

  constructor(text: string, types: Map<string, AvroNamedType>, strictness: "new" | "stored") {
    this.#text = text;
    this.#types = types;
    this.#isNew = strictness === "new";
  }

  schema(root: JsonNode): AvroType {
    const type = this.#type(root, "", "");
    if (this.#isNew) this.#checkDefaults();
    return type;
  }

  #checkDefaults(): void {
    const containing = new Map<AvroField, AvroField[]>();
    for (const { field, node, pointer } of this.#defaults) {
      const contained: AvroField[] = [];
      const problem = findDefaultProblem(field.type, node, pointer, (inner) => contained.push(inner));
      if (problem) {
        const message = `Field ${quote(field.name)} has an invalid default. ${problem.message}`;
        this.#problem("invalid_default", message, problem.node, problem.pointer);
      } else if (contained.length > 0) containing.set(field, contained);
    }
    const endless = fieldsOnCycles(containing);
    for (const { field, node, pointer } of this.#defaults) {
      if (!endless.has(field)) continue;
      const message = `The default of field ${quote(field.name)} contains itself, through the defaults of fields that it leaves out.`;
      this.#problem("invalid_default", message, node, pointer);
    }
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
        this.#problem(
          "invalid_type",
          "A schema is a string that names a type, an object that defines one, or an array, which is a union.",
          node,
          pointer,
        );
        return UNREADABLE;
    }
  }

  #reference(name: string, node: JsonNode, pointer: string, namespace: string): AvroType {
    const type = PLAIN_PRIMITIVES.get(name) ?? lookUpName(this.#types, name, namespace);
    if (type) return type;
    const { full } = splitName(name, namespace);
    this.#problem(
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
      const before = this.problems.length;
      const branch = this.#type(item, at, namespace);
      branches.push(branch);
      if (branch.kind === "union") {
        this.#problem(
          "nested_union",
          "A union may not contain another union directly; list its branches here.",
          item,
          at,
        );
      } else if (seen.has(typeName(branch)) && this.problems.length === before) {
        this.#problem(
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
      this.#problem(
        typeNode === undefined ? "missing_type" : "invalid_type",
        `A schema that is an object needs a "type" that is a string${typeNode === undefined ? "" : "; nested schemas and unions stand without it"}.`,
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
          properties: properties(node, SCHEMA_RESERVED),
        };
      case "map":
        return {
          kind,
          values: this.#nested(node, "values", pointer, namespace),
          properties: properties(node, SCHEMA_RESERVED),
        };
      default:
        return PRIMITIVE_NAMES.has(kind)
          ? this.#primitive(kind as AvroPrimitiveKind, node, pointer)
          : // An object around the name of a defined type means that type: its other attributes have no place to stay.
            this.#reference(kind, typeNode, `${pointer}/type`, namespace);
    }
  }

  #nested(node: JsonObject, key: "items" | "values", pointer: string, namespace: string): AvroType {
    const nested = node.members.get(key);
    if (nested !== undefined) return this.#type(nested, `${pointer}/${key}`, namespace);
    const what = key === "items" ? "An array" : "A map";
    this.#problem(`missing_${key}`, `${what} needs "${key}", the type of its ${key}.`, node, pointer);
    return UNREADABLE;
  }

  #primitive(kind: AvroPrimitiveKind, node: JsonObject, pointer: string): AvroPrimitive {
    if (node.members.size === 1) return PLAIN_PRIMITIVES.get(kind)!;
    const own = properties(node, SCHEMA_RESERVED);
    if (own.size === 0) return PLAIN_PRIMITIVES.get(kind)!;
    const { logicalType, ignoredBecause } = readLogicalType(kind, own, 0);
    if (ignoredBecause) this.#warning("logical_type_ignored", ignoredBecause, own.get("logicalType") ?? node, pointer);
    return { kind, properties: own, logicalType };
  }

  #record(node: JsonObject, pointer: string, namespace: string, isError: boolean): AvroType {
    const name = this.#name(node, pointer, namespace);
    const fieldsNode = node.members.get("fields");
    const fields: AvroField[] = [];
    const record: AvroRecord = {
      kind: "record",
      isError,
      ...this.#named(node, name, pointer, SCHEMA_RESERVED),
      fields,
    };
    const existing = this.#define(record, node, pointer);
    if (fieldsNode?.type !== "array") {
      this.#problem(
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
        this.#problem(
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
    return this.#settle(existing, record, node, pointer);
  }

  #field(node: JsonNode, pointer: string, record: AvroRecord): AvroField | null {
    const nameNode = node.type === "object" ? node.members.get("name") : undefined;
    if (node.type !== "object" || nameNode?.type !== "string") {
      this.#problem(
        "invalid_field",
        'A field is an object with a "name" that is a string, and a "type".',
        nameNode ?? node,
        pointer,
      );
      return null;
    }
    const name = nameNode.value;
    if (this.#isNew && !isValidSimpleName(name)) {
      this.#problem("invalid_name", `Field name ${quote(name)} is invalid: ${NAME_RULE}`, nameNode, `${pointer}/name`);
    }
    const typeNode = node.members.get("type");
    if (typeNode === undefined) {
      this.#problem(
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
      documentation: this.#documentation(node, pointer),
      defaultValue,
      order: this.#order(node, pointer),
      aliases: this.#aliases(node, pointer, null),
      properties: properties(node, FIELD_RESERVED),
    };
    if (defaultValue !== null) this.#defaults.push({ field, node: defaultValue, pointer: `${pointer}/default` });
    return field;
  }

  #order(node: JsonObject, pointer: string): AvroField["order"] {
    const orderNode = node.members.get("order");
    if (orderNode === undefined) return "ascending";
    const order = ORDERS.find((known) => orderNode.type === "string" && known === orderNode.value.toLowerCase());
    if (order !== undefined) return order;
    this.#problem("invalid_order", `"order" must be one of ${ORDERS.join(", ")}.`, orderNode, `${pointer}/order`);
    return "ascending";
  }

  #enum(node: JsonObject, pointer: string, namespace: string): AvroType {
    const name = this.#name(node, pointer, namespace);
    const symbolsNode = node.members.get("symbols");
    const symbols = new Set<string>();
    if (symbolsNode?.type !== "array") {
      this.#problem(
        "invalid_symbols",
        `Enum ${quote(name.full)} needs "symbols", an array of strings.`,
        symbolsNode ?? node,
        symbolsNode === undefined ? pointer : `${pointer}/symbols`,
      );
    } else {
      symbolsNode.items.forEach((item, index) => {
        const at = `${pointer}/symbols/${index}`;
        if (item.type !== "string") this.#problem("invalid_symbols", "An enum symbol must be a string.", item, at);
        else if (symbols.has(item.value)) {
          this.#problem(
            "duplicate_symbol",
            `Enum ${quote(name.full)} has symbol ${quote(item.value)} more than once.`,
            item,
            at,
          );
        } else {
          symbols.add(item.value);
          if (this.#isNew && !isValidSimpleName(item.value)) {
            this.#problem("invalid_symbol", `Enum symbol ${quote(item.value)} is invalid: ${NAME_RULE}`, item, at);
          }
        }
      });
    }
    const type: AvroEnum = {
      kind: "enum",
      ...this.#named(node, name, pointer, ENUM_RESERVED),
      symbols: [...symbols],
      defaultSymbol: this.#defaultSymbol(node, pointer, symbols, name),
    };
    return this.#settle(this.#define(type, node, pointer), type, node, pointer);
  }

  #defaultSymbol(node: JsonObject, pointer: string, symbols: ReadonlySet<string>, name: AvroName): string | null {
    const defaultNode = node.members.get("default");
    if (defaultNode === undefined) return null;
    if (defaultNode.type !== "string") {
      this.#warning(
        "ignored_attribute",
        `The "default" of enum ${quote(name.full)} is ignored: it must be a string, one of the symbols.`,
        defaultNode,
        `${pointer}/default`,
      );
      return null;
    }
    if (!symbols.has(defaultNode.value)) {
      this.#problem(
        "invalid_default",
        `The default ${quote(defaultNode.value)} of enum ${quote(name.full)} is not one of its symbols.`,
        defaultNode,
        `${pointer}/default`,
      );
    }
    return defaultNode.value;
  }

  #fixed(node: JsonObject, pointer: string, namespace: string): AvroType {
    const name = this.#name(node, pointer, namespace);
    const sizeNode = node.members.get("size");
    let size = 0;
    if (sizeNode?.type === "number" && /^\d+$/.test(sizeNode.text) && sizeNode.value <= MAX_FIXED_SIZE) {
      size = sizeNode.value;
    } else {
      this.#problem(
        "invalid_size",
        `Fixed ${quote(name.full)} needs a "size" that is an integer between 0 and ${MAX_FIXED_SIZE}.`,
        sizeNode ?? node,
        sizeNode === undefined ? pointer : `${pointer}/size`,
      );
    }
    const named = this.#named(node, name, pointer, SCHEMA_RESERVED);
    const { logicalType, ignoredBecause } = readLogicalType("fixed", named.properties, size);
    if (ignoredBecause) {
      this.#warning("logical_type_ignored", ignoredBecause, named.properties.get("logicalType") ?? node, pointer);
    }
    const type: AvroFixed = { kind: "fixed", ...named, size, logicalType };
    return this.#settle(this.#define(type, node, pointer), type, node, pointer);
  }

  #named(node: JsonObject, name: AvroName, pointer: string, reserved: ReadonlySet<string>) {
    return {
      name,
      documentation: this.#documentation(node, pointer),
      aliases: this.#aliases(node, pointer, name),
      properties: properties(node, reserved),
    };
  }

  #name(node: JsonObject, pointer: string, enclosing: string): AvroName {
    const nameNode = node.members.get("name");
    if (nameNode?.type !== "string") {
      this.#problem(
        "missing_name",
        'A record, enum or fixed needs a "name" that is a string.',
        nameNode ?? node,
        nameNode === undefined ? pointer : `${pointer}/name`,
      );
      return splitName("", enclosing);
    }
    const namespaceNode = node.members.get("namespace");
    if (namespaceNode !== undefined && namespaceNode.type !== "string" && namespaceNode.type !== "null") {
      this.#warning(
        "ignored_attribute",
        '"namespace" is ignored: it must be a string.',
        namespaceNode,
        `${pointer}/namespace`,
      );
    }
    const name = splitName(nameNode.value, namespaceNode?.type === "string" ? namespaceNode.value : enclosing);
    if (PRIMITIVE_NAMES.has(name.full)) {
      this.#problem(
        "invalid_name",
        `A type may not be named after the primitive type ${name.full}.`,
        nameNode,
        `${pointer}/name`,
      );
    } else if (this.#isNew && !isValidSimpleName(name.simple)) {
      this.#problem("invalid_name", `Name ${quote(name.simple)} is invalid: ${NAME_RULE}`, nameNode, `${pointer}/name`);
    } else if (this.#isNew && !isValidNamespace(name.namespace)) {
      const inName = nameNode.value.includes(".");
      this.#problem(
        "invalid_namespace",
        `Namespace ${quote(name.namespace)} is invalid: each part between dots ${NAME_RULE.replace("it ", "")}`,
        inName ? nameNode : (namespaceNode ?? nameNode),
        inName || namespaceNode === undefined ? `${pointer}/name` : `${pointer}/namespace`,
      );
    }
    return name;
  }

  #documentation(node: JsonObject, pointer: string): string | null {
    const documentation = node.members.get("doc");
    if (documentation === undefined || documentation.type === "null") return null;
    if (documentation.type === "string") return documentation.value;
    this.#warning("ignored_attribute", '"doc" is ignored: it must be a string.', documentation, `${pointer}/doc`);
    return null;
  }

  /** The aliases of the named type `owner`, or of a field. */
  #aliases(node: JsonObject, pointer: string, owner: AvroName | null): string[] {
    const aliasesNode = node.members.get("aliases");
    if (aliasesNode === undefined) return [];
    const at = `${pointer}/aliases`;
    if (aliasesNode.type !== "array") {
      this.#problem("invalid_aliases", '"aliases" must be an array of strings.', aliasesNode, at);
      return [];
    }
    const aliases = new Set<string>();
    aliasesNode.items.forEach((item, index) => {
      if (item.type !== "string") {
        this.#problem("invalid_aliases", "An alias must be a string.", item, `${at}/${index}`);
        return;
      }
      this.#checkAlias(item.value, owner === null, item, `${at}/${index}`);
      aliases.add(owner === null ? item.value : splitName(item.value, owner.namespace).full);
    });
    return [...aliases];
  }

  /** Field aliases are often the names a source had before it became Avro, and harm nobody: those only warn. */
  #checkAlias(alias: string, isField: boolean, node: JsonNode, pointer: string): void {
    if (!this.#isNew) return;
    const { simple, namespace } = splitName(alias, "");
    if (isField ? isValidSimpleName(alias) : isValidSimpleName(simple) && isValidNamespace(namespace)) return;
    const message = `Alias ${quote(alias)} is no valid name: ${NAME_RULE}`;
    if (isField) this.#warning("invalid_alias", message, node, pointer);
    else this.#problem("invalid_alias", message, node, pointer);
  }

  /** Makes the type known by its name, before its parts are read; gives the earlier type of that name, if any. */
  #define(type: AvroNamedType, node: JsonNode, pointer: string): AvroNamedType | undefined {
    const { full, simple } = type.name;
    // A missing name is a problem already; two of them are not the same name twice.
    if (simple === "" && this.#isNew) return undefined;
    const existing = this.#types.get(full);
    if (existing === undefined || this.#isNew) {
      if (existing !== undefined) {
        this.#problem("redefined_name", `Type ${quote(full)} is already defined; use it by its name.`, node, pointer);
      }
      this.#types.set(full, type);
    }
    if (this.#types.size > MAX_NAMED_TYPES) {
      throw new TooComplexError({
        rule: "too_many_types",
        message: `The schema and what it references define more than ${MAX_NAMED_TYPES} named types.`,
        pointer,
      });
    }
    return existing;
  }

  /** In stored texts a repeated definition is accepted where it says the same again, as newer Avro versions do. */
  #settle(existing: AvroNamedType | undefined, type: AvroNamedType, node: JsonNode, pointer: string): AvroNamedType {
    if (existing === undefined || this.#isNew) return type;
    if (equivalentTypes(existing, type)) return existing;
    this.#problem(
      "redefined_name",
      `Type ${quote(type.name.full)} is already defined, and differently.`,
      node,
      pointer,
    );
    return type;
  }

  #problem(rule: string, message: string, node: JsonNode, pointer: string): void {
    if (this.problems.length >= MAX_PROBLEMS) return;
    this.problems.push({ rule, message, pointer, ...positionAt(this.#text, node.start) });
  }

  #warning(rule: string, message: string, node: JsonNode, pointer: string): void {
    if (this.warnings.length >= MAX_PROBLEMS) return;
    this.warnings.push({ rule, message, pointer, ...positionAt(this.#text, node.start) });
  }
}

/** The fields that reach themselves, or a field that does, from what they contain. */
function fieldsOnCycles(containing: ReadonlyMap<AvroField, readonly AvroField[]>): Set<AvroField> {
  const left = new Map<AvroField, number>();
  const usedBy = new Map<AvroField, AvroField[]>();
  for (const [field, contained] of containing) {
    const open = contained.filter((inner) => containing.has(inner));
    left.set(field, open.length);
    for (const inner of open) usedBy.set(inner, [...(usedBy.get(inner) ?? []), field]);
  }
  const settled = [...left.keys()].filter((field) => left.get(field) === 0);
  for (let field = settled.pop(); field !== undefined; field = settled.pop()) {
    left.delete(field);
    for (const user of usedBy.get(field) ?? []) {
      const open = left.get(user)! - 1;
      left.set(user, open);
      if (open === 0) settled.push(user);
    }
  }
  return new Set(left.keys());
}

/** The attributes that are not in `reserved`. */
function properties(node: JsonObject, reserved: ReadonlySet<string>): AvroProperties {
  let own: Map<string, JsonNode> | undefined;
  for (const [key, member] of node.members) {
    if (reserved.has(key)) continue;
    own ??= new Map();
    own.set(key, member);
  }
  return own ?? NO_PROPERTIES;
}

/** A default as it counts: a quoted number for a floating-point field is that number, as in Java. */
function asDefault(type: AvroType, node: JsonNode): JsonNode {
  if (node.type !== "string" || (type.kind !== "float" && type.kind !== "double")) return node;
  const value = parseQuotedDouble(node.value);
  return value === null ? node : { type: "number", start: node.start, text: writeJavaDouble(value), value };
}

const NAME_RULE = "it starts with a letter or _ and goes on with letters, digits and _ (A-Z, a-z, 0-9).";

function quote(name: string): string {
  return JSON.stringify(shorten(name));
}
