/** How deep a schema nests once referenced types are written out: the bound that lets other walks recurse. */
import { MAX_JSON_DEPTH } from "../../json-text.ts";
import { type AvroType, isNamed } from "../model.ts";

/** A resolved text must be one that the registry can read back. */
export const MAX_RESOLVED_DEPTH = MAX_JSON_DEPTH;

/** The full name of a type that would lie deeper than the bound, or null. */
export function findTooDeepType(root: AvroType): string | null {
  const met = new Set<AvroType>();
  type Place = { type: AvroType; depth: number };
  const waiting: Place[] = [{ type: root, depth: 0 }];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    const { type, depth } = place;
    if (isNamed(type)) {
      if (met.has(type)) continue;
      met.add(type);
      if (depth > MAX_RESOLVED_DEPTH) return type.name.full;
    }
    // In reverse, so that a named type is met where the text prints it: at its first use.
    for (const { type: part, levels } of partsOf(type).reverse()) waiting.push({ type: part, depth: depth + levels });
  }
  return null;
}

/** The types directly inside a type, and how many JSON levels lie between. */
function partsOf(type: AvroType): { type: AvroType; levels: number }[] {
  switch (type.kind) {
    case "record":
      // The record's object, the array of fields, the field's object.
      return type.fields.map((field) => ({ type: field.type, levels: 3 }));
    case "union":
      return type.branches.map((branch) => ({ type: branch, levels: 1 }));
    case "array":
      return [{ type: type.items, levels: 1 }];
    case "map":
      return [{ type: type.values, levels: 1 }];
    default:
      return [];
  }
}
