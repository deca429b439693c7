/** Measures a projected schema against a provider's budgets. */
import type { JsonNode, JsonObject } from "../json-text.ts";
import { objectNode, stringNode } from "./json-nodes.ts";
import type { Profile } from "./profile.ts";

export type Measure = {
  properties: number;
  optionalProperties: number;
  unions: number;
  depth: number;
  nameAndValueCharacters: number;
  enumValues: number;
};

/** Walks schemas in the locations that a projection writes. Recursion is bounded by MAX_PROJECTED_DEPTH. */
export function measureSchema(root: JsonObject): Measure {
  const measure: Measure = {
    properties: 0,
    optionalProperties: 0,
    unions: 0,
    depth: 0,
    nameAndValueCharacters: 0,
    enumValues: 0,
  };
  visit(root, 0, measure);
  const definitions = root.members.get("$defs");
  if (definitions?.type === "object") {
    for (const [name, node] of definitions.members) {
      measure.nameAndValueCharacters += name.length;
      visit(node, 0, measure);
    }
  }
  return measure;
}

function visit(node: JsonNode, depth: number, measure: Measure): void {
  if (node.type !== "object") return;
  const { members } = node;
  measure.depth = Math.max(measure.depth, depth);
  if (members.get("type")?.type === "array" || members.has("anyOf")) measure.unions += 1;
  countValues(members, measure);
  const properties = members.get("properties");
  const required = members.get("required");
  if (properties?.type === "object") {
    measure.properties += properties.members.size;
    const named = required?.type === "array" ? required.items.length : 0;
    measure.optionalProperties += Math.max(0, properties.members.size - named);
    for (const [name, child] of properties.members) {
      measure.nameAndValueCharacters += name.length;
      visit(child, depth + 1, measure);
    }
  }
  for (const name of ["items", "additionalProperties"]) {
    const child = members.get(name);
    if (child !== undefined) visit(child, depth + 1, measure);
  }
  for (const name of ["anyOf", "oneOf", "prefixItems"]) {
    const list = members.get(name);
    if (list?.type === "array")
      for (const child of list.items) visit(child, name === "prefixItems" ? depth + 1 : depth, measure);
  }
}

function countValues(members: ReadonlyMap<string, JsonNode>, measure: Measure): void {
  const values = members.get("enum");
  const single = members.get("const");
  if (values?.type === "array") {
    measure.enumValues += values.items.length;
    for (const value of values.items) if (value.type === "string") measure.nameAndValueCharacters += value.value.length;
  }
  if (single?.type === "string") measure.nameAndValueCharacters += single.value.length;
}

type OverBudget = { readonly message: string };

/** The exceeded budgets of one schema. A request's budgets are checked when the request is assembled. */
export function overBudget({ budgets, provider }: Profile, measure: Measure): OverBudget[] {
  const found: OverBudget[] = [];
  const check = (limit: { value: number } | undefined, taken: number, what: string) => {
    if (limit !== undefined && taken > limit.value) {
      found.push({ message: `The projected schema has ${taken} ${what}; ${provider} allows ${limit.value}.` });
    }
  };
  check(budgets.maxProperties, measure.properties, "properties");
  check(budgets.maxDepth, measure.depth, "levels of nesting");
  check(budgets.maxNameAndValueCharacters, measure.nameAndValueCharacters, "characters of names and listed values");
  check(budgets.maxEnumValues, measure.enumValues, "listed values");
  return found;
}

/**
 * Depth is counted per definition, so a part that is too deep is moved into one. Returns whether anything was moved.
 */
export function hoistDeepSchemas(root: JsonObject, maxDepth: number): boolean {
  const definitions = root.members.get("$defs");
  const hoisted = definitions?.type === "object" ? definitions : objectNode();
  const pending: JsonObject[] = [root, ...objectsIn(hoisted)];
  let count = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const { parent, key, child } of tooDeep(next, maxDepth)) {
      count += 1;
      let name = `part_${count}`;
      while (hoisted.members.has(name)) name += "_";
      hoisted.members.set(name, child);
      replace(parent, key, objectNode([["$ref", stringNode(`#/$defs/${name}`)]]));
      pending.push(child);
    }
  }
  if (count > 0) root.members.set("$defs", hoisted);
  return count > 0;
}

type DeepChild = { parent: JsonNode; key: string | number; child: JsonObject };

/** The schemas at the last allowed level that still have subschemas. */
function tooDeep(root: JsonObject, maxDepth: number): DeepChild[] {
  const found: DeepChild[] = [];
  const walk = (node: JsonObject, depth: number) => {
    for (const { parent, key, child, isDeeper } of childSchemas(node)) {
      const at = isDeeper ? depth + 1 : depth;
      if (at >= maxDepth && isDeeper && childSchemas(child).length > 0) found.push({ parent, key, child });
      else walk(child, at);
    }
  };
  walk(root, 0);
  return found;
}

function childSchemas({ members }: JsonObject): (DeepChild & { isDeeper: boolean })[] {
  const found: (DeepChild & { isDeeper: boolean })[] = [];
  const add = (parent: JsonNode, key: string | number, child: JsonNode | undefined, isDeeper: boolean) => {
    if (child?.type === "object") found.push({ parent, key, child, isDeeper });
  };
  const properties = members.get("properties");
  if (properties?.type === "object") for (const [name, child] of properties.members) add(properties, name, child, true);
  for (const name of ["items", "additionalProperties"]) {
    const holder: JsonObject = { type: "object", start: 0, members: members as Map<string, JsonNode> };
    add(holder, name, members.get(name), true);
  }
  for (const name of ["anyOf", "oneOf", "prefixItems"]) {
    const list = members.get(name);
    if (list?.type === "array")
      for (const [index, child] of list.items.entries()) add(list, index, child, name === "prefixItems");
  }
  return found;
}

function objectsIn({ members }: JsonObject): JsonObject[] {
  return [...members.values()].filter((node): node is JsonObject => node.type === "object");
}

function replace(parent: JsonNode, key: string | number, node: JsonNode): void {
  if (parent.type === "object") parent.members.set(String(key), node);
  else if (parent.type === "array") parent.items[Number(key)] = node;
}
