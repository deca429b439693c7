/**
 * Arrays under the Confluent server's rules: lists by their single schema, tuples item by item, their tails like object
 * properties.
 */

import { type Findings, step } from "./findings.ts";
import { compareUnevaluated } from "./objects.ts";
import type { PairComparison } from "./pair-comparison.ts";
import type { ArraySchema, LazySchema } from "./typed-schema.ts";
import { compareLimit } from "./values.ts";

export function compareArrays(
  comparison: PairComparison,
  findings: Findings,
  original: ArraySchema,
  update: ArraySchema,
): void {
  comparison.meter.spend(original.items.length + update.items.length, "");
  comparison.compareInto(findings, "/items", original.allItems?.(), update.allItems?.());
  compareTuples(comparison, findings, original, update);
  compareAdditional(comparison, findings, original, update);
  compareUnevaluated(comparison, findings, "unevaluatedItems", original, update);
  compareLimit(findings, "/maxItems", "maxItems", original.maxItems, update.maxItems);
  compareLimit(findings, "/minItems", "minItems", original.minItems, update.minItems);
  compareLimit(findings, "/maxContains", "maxContains", original.maxContains, update.maxContains);
  compareLimit(findings, "/minContains", "minContains", original.minContains, update.minContains);
  if (original.uniqueItems !== update.uniqueItems) {
    findings.add("/uniqueItems", update.uniqueItems ? "UNIQUE_ITEMS_ADDED" : "UNIQUE_ITEMS_REMOVED");
  }
}

function compareTuples(
  comparison: PairComparison,
  findings: Findings,
  original: ArraySchema,
  update: ArraySchema,
): void {
  const length = Math.max(original.items.length, update.items.length);
  for (let index = 0; index < length; index += 1) {
    const before = original.items[index];
    const after = update.items[index];
    if (before && after) comparison.compareInto(findings, step("items", index), before(), after());
    else if (before) compareRemoved(comparison, findings, step("items", index), before, update);
    else if (after) compareAdded(comparison, findings, step("items", index), after, original);
  }
}

function compareRemoved(
  comparison: PairComparison,
  findings: Findings,
  path: string,
  before: LazySchema,
  update: ArraySchema,
): void {
  if (isOpen(update)) {
    findings.add(path, "ITEM_REMOVED_FROM_OPEN_CONTENT_MODEL");
    return;
  }
  const covering = coveringSchema(update);
  if (covering) {
    const inner = comparison.compare(before(), covering(), path);
    findings.include(path, inner);
    findings.add(
      path,
      inner.isCompatible
        ? "ITEM_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
        : "ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL",
    );
    return;
  }
  findings.add(
    path,
    before().class === "false"
      ? "ITEM_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL"
      : "ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL",
  );
}

function compareAdded(
  comparison: PairComparison,
  findings: Findings,
  path: string,
  after: LazySchema,
  original: ArraySchema,
): void {
  if (isOpen(original)) {
    findings.add(
      path,
      after().class === "empty"
        ? "ITEM_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL"
        : "ITEM_ADDED_TO_OPEN_CONTENT_MODEL",
    );
    return;
  }
  const covering = coveringSchema(original);
  if (!covering) {
    findings.add(path, "ITEM_ADDED_TO_CLOSED_CONTENT_MODEL");
    return;
  }
  const inner = comparison.compare(covering(), after(), path);
  findings.include(path, inner);
  findings.add(
    path,
    inner.isCompatible
      ? "ITEM_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
      : "ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL",
  );
}

function compareAdditional(
  comparison: PairComparison,
  findings: Findings,
  original: ArraySchema,
  update: ArraySchema,
): void {
  const path = "/additionalItems";
  if (original.permitsAdditional !== update.permitsAdditional) {
    findings.add(path, update.permitsAdditional ? "ADDITIONAL_ITEMS_ADDED" : "ADDITIONAL_ITEMS_REMOVED");
  } else if (!original.additional && update.additional) findings.add(path, "ADDITIONAL_ITEMS_NARROWED");
  else if (original.additional && !update.additional) findings.add(path, "ADDITIONAL_ITEMS_EXTENDED");
  else comparison.compareInto(findings, path, original.additional?.(), update.additional?.());
}

function isOpen(schema: ArraySchema): boolean {
  const unevaluated = schema.unevaluated?.();
  return (
    schema.permitsAdditional &&
    schema.additional === undefined &&
    (unevaluated === undefined || (unevaluated.node.type === "boolean" && unevaluated.class === "empty"))
  );
}

function coveringSchema(schema: ArraySchema): LazySchema | undefined {
  if (schema.additional) return schema.additional;
  if (!schema.permitsAdditional) return undefined;
  return schema.unevaluated?.().class === "false" ? undefined : schema.unevaluated;
}
