/** An Avro schema as a JSON Schema of its values: named types become definitions, unions with null become optional. */
import type { SchemaNode } from "./schema-node.ts";

type AvroType = string | AvroType[] | AvroObject;
type AvroObject = {
  type: AvroType;
  name?: string;
  namespace?: string;
  doc?: string;
  logicalType?: string;
  fields?: { name: string; type: AvroType; doc?: string; default?: unknown }[];
  symbols?: string[];
  items?: AvroType;
  values?: AvroType;
};

const INT = { minimum: -(2 ** 31), maximum: 2 ** 31 - 1 };
const PRIMITIVES: Readonly<Record<string, SchemaNode>> = {
  null: { type: "null" },
  boolean: { type: "boolean" },
  int: { type: "integer", ...INT },
  long: { type: "integer" },
  float: { type: "number" },
  double: { type: "number" },
  bytes: { type: "string" },
  string: { type: "string" },
};
/** Logical types of strings only: those of numbers count days or microseconds, and stay numbers. */
const LOGICAL: Readonly<Record<string, SchemaNode>> = { uuid: { type: "string", format: "uuid" } };

/** `texts`: the schema's own, after those of its references, which define the names that it uses. */
export function jsonTypeOfAvro(texts: readonly string[]): SchemaNode {
  const $defs: Record<string, SchemaNode> = {};
  const roots = texts.map((text) => toNode(JSON.parse(text) as AvroType, "", $defs));
  return { ...roots.at(-1)!, $defs };
}

function toNode(type: AvroType, namespace: string, $defs: Record<string, SchemaNode>): SchemaNode {
  if (typeof type === "string") return PRIMITIVES[type] ?? { $ref: `#/$defs/${localName(type)}` };
  if (Array.isArray(type)) {
    const [only, ...others] = type;
    if (only !== undefined && others.length === 0) return toNode(only, namespace, $defs);
    return { anyOf: type.map((branch) => toNode(branch, namespace, $defs)) };
  }
  const own = type.namespace ?? namespace;
  switch (type.type) {
    case "record":
    case "error": {
      const name = localName(type.name ?? "Record");
      // Added before its fields, which may refer to it.
      $defs[name] = {};
      $defs[name] = toRecordNode(type, own, $defs);
      return { $ref: `#/$defs/${name}` };
    }
    case "enum": {
      const name = localName(type.name ?? "Enum");
      $defs[name] = { title: name, ...documented(type.doc), type: "string", enum: type.symbols ?? [] };
      return { $ref: `#/$defs/${name}` };
    }
    case "fixed":
      $defs[localName(type.name ?? "Fixed")] = { type: "string" };
      return { type: "string" };
    case "array":
      return { type: "array", items: toNode(type.items ?? "null", own, $defs) };
    case "map":
      return { type: "object", additionalProperties: toNode(type.values ?? "null", own, $defs) };
    default: {
      const logical = typeof type.type === "string" ? LOGICAL[type.logicalType ?? ""] : undefined;
      return logical ?? toNode(type.type, own, $defs);
    }
  }
}

function toRecordNode(
  { name, doc, fields = [] }: AvroObject,
  namespace: string,
  $defs: Record<string, SchemaNode>,
): SchemaNode {
  const properties = fields.map((field) => {
    const type = { ...toNode(field.type, namespace, $defs), ...documented(field.doc) };
    return [field.name, field.default === undefined ? type : { ...type, default: field.default }] as const;
  });
  return {
    title: localName(name ?? "Record"),
    ...documented(doc),
    type: "object",
    properties: Object.fromEntries(properties),
    required: fields.filter((field) => field.default === undefined).map((field) => field.name),
    additionalProperties: false,
  };
}

function documented(doc: string | undefined): { description?: string } {
  return doc === undefined ? {} : { description: doc };
}

function localName(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}
