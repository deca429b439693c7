/** Constants in two schemas and their neighbours, which often exhibit a difference. */
import type { JsonNode } from "../../json-text.ts";
import { type JsonSchemaModel, type SchemaLocation, subschemas } from "../model.ts";
import type { Pool } from "./sample.ts";

/** Schemas examined on each side. */
const MAX_MINED_SCHEMAS = 2_000;
/** Constants kept of each kind. */
const MAX_CONSTANTS = 200;

export function collectPool(...models: readonly JsonSchemaModel[]): Pool {
  const numbers = new Set<number>();
  const strings = new Set<string>();
  const names = new Set<string>(["extra", "x-other"]);
  for (const model of models) {
    const stack: SchemaLocation[] = [model.root];
    for (const resource of model.resources.values()) {
      if (resource.root !== model.root.node && resource.document.name !== null)
        stack.push({ node: resource.root, resource, pointer: resource.pointer });
    }
    for (let count = 0; count < MAX_MINED_SCHEMAS; count += 1) {
      const location = stack.pop();
      if (location === undefined) break;
      if (location.node.type === "object")
        for (const [name, value] of location.node.members) mine(name, value, numbers, strings, names);
      for (const child of subschemas(model, location)) stack.push(child.location);
    }
  }
  return {
    numbers: [...numbers].slice(0, MAX_CONSTANTS),
    strings: [...strings].slice(0, MAX_CONSTANTS),
    names: [...names].slice(0, MAX_CONSTANTS),
    nearby: new WeakMap(),
  };
}

function mine(name: string, value: JsonNode, numbers: Set<number>, strings: Set<string>, names: Set<string>): void {
  if (value.type === "number") {
    for (const near of [value.value, value.value - 1, value.value + 1]) if (Number.isFinite(near)) numbers.add(near);
  } else if (name === "const" || name === "default") mineValue(value, numbers, strings);
  else if (name === "enum" || name === "examples") {
    if (value.type === "array") for (const item of value.items) mineValue(item, numbers, strings);
  } else if (name === "properties" && value.type === "object") for (const key of value.members.keys()) names.add(key);
}

function mineValue(value: JsonNode, numbers: Set<number>, strings: Set<string>): void {
  if (value.type === "number" && Number.isFinite(value.value)) numbers.add(value.value);
  if (value.type === "string") strings.add(value.value);
}
