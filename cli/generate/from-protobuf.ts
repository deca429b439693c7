/** A Protobuf file as a JSON Schema of its JSON mapping (https://protobuf.dev/programming-guides/json/). */
import {
  type Definition,
  type Enum,
  type Field,
  type FieldType,
  type Message,
  type ProtobufModel,
  resolveType,
  type ScalarType,
  type Scope,
} from "../../schema/protobuf/model.ts";
import type { SchemaNode } from "./schema-node.ts";

const INT32: SchemaNode = { type: "integer", minimum: -(2 ** 31), maximum: 2 ** 31 - 1 };
const UINT32: SchemaNode = { type: "integer", minimum: 0, maximum: 2 ** 32 - 1 };
/** 64-bit integers are strings in the mapping, since JavaScript would round them. */
const INT64: SchemaNode = { type: "string", pattern: "^-?[0-9]+$" };
const SCALARS: Readonly<Record<ScalarType, SchemaNode>> = {
  double: { type: "number" },
  float: { type: "number" },
  int32: INT32,
  sint32: INT32,
  sfixed32: INT32,
  uint32: UINT32,
  fixed32: UINT32,
  int64: INT64,
  sint64: INT64,
  sfixed64: INT64,
  uint64: INT64,
  fixed64: INT64,
  bool: { type: "boolean" },
  string: { type: "string" },
  bytes: { type: "string" },
};

const WELL_KNOWN: Readonly<Record<string, SchemaNode>> = {
  "google.protobuf.Timestamp": { type: "string", format: "date-time" },
  "google.protobuf.Duration": { type: "string" },
  "google.protobuf.FieldMask": { type: "string" },
  "google.protobuf.Struct": { type: "object" },
  "google.protobuf.Any": { type: "object" },
  "google.protobuf.Empty": { type: "object" },
  "google.protobuf.Value": {},
  "google.protobuf.ListValue": { type: "array" },
  "google.protobuf.StringValue": { type: ["string", "null"] },
  "google.protobuf.BytesValue": { type: ["string", "null"] },
  "google.protobuf.BoolValue": { type: ["boolean", "null"] },
  "google.protobuf.DoubleValue": { type: ["number", "null"] },
  "google.protobuf.FloatValue": { type: ["number", "null"] },
  "google.protobuf.Int32Value": { type: ["integer", "null"] },
  "google.protobuf.UInt32Value": { type: ["integer", "null"] },
  "google.protobuf.Int64Value": { type: ["string", "null"] },
  "google.protobuf.UInt64Value": { type: ["string", "null"] },
};

/** The first message is the root; every message and enum of the file and its imports is a definition. */
export function jsonTypeOfProtobuf(model: ProtobufModel): SchemaNode {
  const $defs: Record<string, SchemaNode> = {};
  for (const [fullName, definition] of model.definitions) {
    const { element, file } = definition;
    if (file.isBuiltin) continue;
    if (element.kind === "enum") $defs[definitionName(file.package, fullName)] = toEnumNode(element);
    if (element.kind === "message" && element.synthetic !== "map_entry") {
      $defs[definitionName(file.package, fullName)] = toMessageNode(model, definition as Definition<Message>);
    }
  }
  const [first] = model.file.messages;
  return first === undefined ? { $defs } : { $ref: `#/$defs/${first.name}`, $defs };
}

/** Nested names are joined, and packages left out. */
function definitionName(packageName: string, fullName: string): string {
  return fullName.slice(packageName === "" ? 0 : packageName.length + 1).replaceAll(".", "");
}

function toEnumNode({ name, documentation, values }: Enum): SchemaNode {
  return {
    title: name,
    ...documented(documentation),
    type: "string",
    enum: values.map((value) => value.name),
  };
}

function toMessageNode(model: ProtobufModel, definition: Definition<Message>): SchemaNode {
  const { element, file, fullName } = definition;
  const scope = { file, fullName };
  const properties = element.fields.map((field) => [jsonNameOf(field), toFieldNode(model, scope, field)] as const);
  return {
    title: definitionName(file.package, fullName),
    ...documented(element.documentation),
    type: "object",
    properties: Object.fromEntries(properties),
    required: element.fields.filter(({ label }) => label === "required").map(jsonNameOf),
    additionalProperties: false,
  };
}

function jsonNameOf({ name, options }: Field): string {
  const given = options.find((option) => option.name.length === 1 && option.name[0]!.name === "json_name")?.value;
  if (given?.kind === "string") return given.value;
  return name.replaceAll(/_+([a-zA-Z0-9])?/g, (_, next: string | undefined) => next?.toUpperCase() ?? "");
}

function toFieldNode(model: ProtobufModel, scope: Scope, { type, label, documentation }: Field): SchemaNode {
  const one = toTypeNode(model, scope, type);
  const whole: SchemaNode = label === "repeated" ? { type: "array", items: one } : one;
  return { ...whole, ...documented(documentation) };
}

function toTypeNode(model: ProtobufModel, scope: Scope, type: FieldType): SchemaNode {
  switch (type.kind) {
    case "scalar":
      return SCALARS[type.name];
    case "map":
      return { type: "object", additionalProperties: toTypeNode(model, scope, type.value) };
    case "group":
      return { $ref: `#/$defs/${definitionName(scope.file.package, `${scope.fullName}.${type.message.name}`)}` };
    case "named": {
      const found = resolveType(model, scope, type.name);
      if (found === undefined) return {};
      return WELL_KNOWN[found.fullName] ?? { $ref: `#/$defs/${definitionName(found.file.package, found.fullName)}` };
    }
  }
}

function documented(documentation: string | null): { description?: string } {
  return documentation === null ? {} : { description: documentation };
}
