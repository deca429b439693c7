/** Bounds how deep a schema nests with its references written out, so that other walks can recurse safely. */
import { MAX_JSON_DEPTH } from "../../json-text.ts";
import { type AvroType, isNamed } from "../model.ts";

/** The registry must be able to parse a resolved text again. */
export const MAX_RESOLVED_DEPTH = MAX_JSON_DEPTH;

/** The full name of a type nested deeper than the bound, or null. */
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
    // In reverse, so that a named type is visited where the text defines it: at its first use.
    for (const { type: part, levels } of partsOf(type).reverse()) waiting.push({ type: part, depth: depth + levels });
  }
  return null;
}

/** The types directly inside a type, with the number of JSON levels in between. */
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
