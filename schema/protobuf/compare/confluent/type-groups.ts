/**
 * Types in the Confluent server's view: scalars in groups whose members may replace each other, messages, and maps.
 */
import {
  type Definition,
  type Field,
  isEnumDefinition,
  isMessageDefinition,
  joinName,
  type Message,
  resolveType,
  type ScalarType,
  type TypeDefinition,
  type ValueType,
} from "../../model.ts";
import type { LinkedModel } from "../linked.ts";

/** Types of one group may replace each other. Enums are scalars here. */
export const SCALAR_GROUPS: Record<ScalarType | "enum", string> = {
  int32: "general number",
  int64: "general number",
  uint32: "general number",
  uint64: "general number",
  bool: "general number",
  enum: "general number",
  sint32: "signed number",
  sint64: "signed number",
  string: "string or bytes",
  bytes: "string or bytes",
  fixed32: "32-bit fixed number",
  sfixed32: "32-bit fixed number",
  fixed64: "64-bit fixed number",
  sfixed64: "64-bit fixed number",
  float: "float",
  double: "double",
};

export type ScalarDescription = { kind: "scalar"; scalar: ScalarType | "enum"; text: string };
export type MessageDescription = {
  kind: "message";
  definition: Definition<Message> | null;
  written: string;
  text: string;
};
type TypeDescription = ScalarDescription | MessageDescription | { kind: "map"; text: string };

/** The type of a field, with named types resolved from the scope of their message. */
export function describeType(side: LinkedModel, scope: Definition<Message>, type: Field["type"]): TypeDescription {
  switch (type.kind) {
    case "scalar":
      return { kind: "scalar", scalar: type.name, text: type.name };
    case "map":
      return { kind: "map", text: `map<${type.key}, ${type.value.name}>` };
    case "group": {
      const found = side.model.definitions.get(joinName(scope.fullName, type.message.name));
      const definition = found !== undefined && isMessageDefinition(found) ? found : null;
      return { kind: "message", definition, written: type.message.name, text: `group "${type.message.name}"` };
    }
    case "named":
      return describeNamedType(resolveType(side.model, scope, type.name), type);
  }
}

function describeNamedType(found: TypeDefinition | undefined, { name }: ValueType): TypeDescription {
  if (found === undefined) return { kind: "message", definition: null, written: name, text: `"${name}"` };
  const text = `${found.element.kind} "${found.fullName}"`;
  if (isEnumDefinition(found)) return { kind: "scalar", scalar: "enum", text };
  return { kind: "message", definition: found as Definition<Message>, written: name, text };
}
