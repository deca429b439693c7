/** The keywords about the items of an array. */
import type { JsonNode } from "../../json-text.ts";
import { keyword } from "../model.ts";
import type { Applying, KeywordCheck } from "./applying.ts";
import type { Path } from "./evaluation.ts";

/** A tuple of schemas for the first items, and one schema for the rest. */
export function itemsCheck(
  on: Applying,
  tupleName: "prefixItems" | "items",
  value: JsonNode | undefined,
  restName: "items" | "additionalItems",
): KeywordCheck {
  const isTuple = value?.type === "array";
  const tuple = isTuple ? value.items.map((item, index) => on.child(item, tupleName, index)) : [];
  const restKeyword = isTuple || tupleName === "prefixItems" ? restName : "items";
  const restNode = keyword(on.location, restKeyword);
  const rest = restNode === undefined ? undefined : on.child(restNode, restKeyword);
  return (evaluation, items, path, evaluated) => {
    if (!Array.isArray(items)) return true;
    let valid = true;
    const count = rest === undefined ? Math.min(tuple.length, items.length) : items.length;
    for (let index = 0; index < count; index += 1) {
      const schema = tuple[index] ?? rest!;
      const name = index < tuple.length ? tupleName : restKeyword;
      const place: Path = { parent: path, token: index };
      if (!on.apply(evaluation, name, schema, items[index], place, undefined)) valid = false;
    }
    if (evaluated !== undefined) {
      if (rest !== undefined) evaluated.allItems = true;
      else evaluated.itemCount = Math.max(evaluated.itemCount, count);
    }
    return valid;
  };
}

export function containsCheck(on: Applying, node: JsonNode): KeywordCheck {
  const schema = on.child(node, "contains");
  const [least, most] = (["minContains", "maxContains"] as const).map((name) => {
    const bound = on.since2019 ? keyword(on.location, name) : undefined;
    return bound?.type === "number" ? bound.value : undefined;
  });
  const atLeast = least ?? 1;
  return (evaluation, items, path, evaluated) => {
    if (!Array.isArray(items)) return true;
    let count = 0;
    for (const [index, item] of items.entries()) {
      const place: Path = { parent: path, token: index };
      if (on.attempt(evaluation, schema, item, place, undefined) !== undefined) continue;
      count += 1;
      if (on.since2020) evaluated?.items.add(index);
    }
    if (count < atLeast) {
      const name = least === undefined ? "contains" : "minContains";
      return evaluation.fail(on.location, name, path, items, `at least ${atLeast} items that contains accepts`);
    }
    if (most === undefined || count <= most) return true;
    return evaluation.fail(on.location, "maxContains", path, items, `at most ${most} items that contains accepts`);
  };
}

export function unevaluatedItemsCheck(on: Applying, node: JsonNode): KeywordCheck {
  const schema = on.child(node, "unevaluatedItems");
  return (evaluation, items, path, evaluated) => {
    if (!Array.isArray(items) || evaluated === undefined || evaluated.allItems) return true;
    let valid = true;
    for (let index = evaluated.itemCount; index < items.length; index += 1) {
      if (evaluated.items.has(index)) continue;
      const place: Path = { parent: path, token: index };
      if (!on.apply(evaluation, "unevaluatedItems", schema, items[index], place, undefined)) valid = false;
    }
    evaluated.allItems = true;
    return valid;
  };
}
