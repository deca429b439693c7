/**
 * Objects under the Confluent server's rules: the effect of an added or removed property depends on the other side's
 * content model.
 */

import { type Findings, step } from "./findings.ts";
import type { PairComparison } from "./pair-comparison.ts";
import type { LazySchema, ObjectSchema, TypedSchema } from "./typed-schema.ts";
import { compareLimit, isSubset } from "./values.ts";

export function compareObjects(
  comparison: PairComparison,
  findings: Findings,
  original: ObjectSchema,
  update: ObjectSchema,
): void {
  comparison.meter.spend((original.properties.size + update.properties.size) / 4, "");
  compareRequired(findings, original, update);
  if (comparison.isSettled(findings)) return;
  compareProperties(comparison, findings, original, update);
  if (comparison.isSettled(findings)) return;
  compareDependencies(comparison, findings, original, update);
  compareAdditional(comparison, findings, original, update);
  compareUnevaluated(comparison, findings, "unevaluatedProperties", original, update);
  compareLimit(findings, "/maxProperties", "maxProperties", original.maxProperties, update.maxProperties);
  compareLimit(findings, "/minProperties", "minProperties", original.minProperties, update.minProperties);
}

/** Only properties declared on both sides; others are judged as added or removed. */
function compareRequired(findings: Findings, original: ObjectSchema, update: ObjectSchema): void {
  for (const name of original.properties.keys()) {
    const schema = update.properties.get(name);
    if (schema === undefined || original.required.has(name) === update.required.has(name)) continue;
    const path = step("required", name);
    if (original.required.has(name)) findings.add(path, "REQUIRED_ATTRIBUTE_REMOVED");
    else findings.add(path, hasDefault(schema) ? "REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED" : "REQUIRED_ATTRIBUTE_ADDED");
  }
}

function compareProperties(
  comparison: PairComparison,
  findings: Findings,
  original: ObjectSchema,
  update: ObjectSchema,
): void {
  const later: [string, LazySchema, LazySchema][] = [];
  for (const [name, before] of original.properties) {
    const after = update.properties.get(name);
    if (after === undefined) compareRemoved(comparison, findings, name, before, update);
    // In an attempt, constants that distinguish alternatives come first, because a mismatch makes the rest unnecessary.
    else if (comparison.isTrial && !(isPlain(before()) && isPlain(after()))) later.push([name, before, after]);
    else comparison.compareInto(findings, step("properties", name), before(), after());
    if (comparison.isSettled(findings)) return;
  }
  for (const [name, before, after] of later) {
    comparison.compareInto(findings, step("properties", name), before(), after());
    if (comparison.isSettled(findings)) return;
  }
  for (const [name, after] of update.properties) {
    if (!original.properties.has(name)) compareAdded(comparison, findings, name, after, original, update);
    if (comparison.isSettled(findings)) return;
  }
}

function isPlain({ class: kind }: TypedSchema): boolean {
  return kind !== "object" && kind !== "array" && kind !== "combined" && kind !== "reference" && kind !== "not";
}

function compareRemoved(
  comparison: PairComparison,
  findings: Findings,
  name: string,
  before: LazySchema,
  update: ObjectSchema,
): void {
  const path = step("properties", name);
  if (isOpen(update)) {
    findings.add(path, "PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL");
    return;
  }
  const covering = coveringSchema(comparison, update, name);
  if (covering) {
    const inner = comparison.compare(before(), covering(), path);
    findings.include(path, inner);
    findings.add(
      path,
      inner.isCompatible
        ? "PROPERTY_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
        : "PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL",
    );
    return;
  }
  findings.add(
    path,
    before().class === "false"
      ? "PROPERTY_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL"
      : "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL",
  );
}

function compareAdded(
  comparison: PairComparison,
  findings: Findings,
  name: string,
  after: LazySchema,
  original: ObjectSchema,
  update: ObjectSchema,
): void {
  const path = step("properties", name);
  const isRequired = update.required.has(name);
  if (isOpen(original)) {
    if (after().class === "empty") findings.add(path, "PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL");
    else if (!isRequired) findings.add(path, "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL");
    else if (hasDefault(after)) findings.add(path, "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL");
    else findings.add(path, "REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL");
    return;
  }
  const covering = coveringSchema(comparison, original, name);
  if (covering) {
    const inner = comparison.compare(covering(), after(), path);
    findings.include(path, inner);
    findings.add(
      path,
      inner.isCompatible
        ? "PROPERTY_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
        : "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL",
    );
  }
  if (!isRequired) findings.add(path, "OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL");
  else if (hasDefault(after)) findings.add(path, "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL");
  else findings.add(path, "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL");
}

function compareDependencies(
  comparison: PairComparison,
  findings: Findings,
  original: ObjectSchema,
  update: ObjectSchema,
): void {
  for (const name of new Set([...original.propertyDependencies.keys(), ...update.propertyDependencies.keys()])) {
    const path = step("dependencies", name);
    const before = original.propertyDependencies.get(name);
    const after = update.propertyDependencies.get(name);
    if (after === undefined) findings.add(path, "DEPENDENCY_ARRAY_REMOVED");
    else if (before === undefined) findings.add(path, "DEPENDENCY_ARRAY_ADDED");
    else if (isSubset(before, after)) {
      if (!isSubset(after, before)) findings.add(path, "DEPENDENCY_ARRAY_EXTENDED");
    } else findings.add(path, isSubset(after, before) ? "DEPENDENCY_ARRAY_NARROWED" : "DEPENDENCY_ARRAY_CHANGED");
  }
  for (const name of new Set([...original.schemaDependencies.keys(), ...update.schemaDependencies.keys()])) {
    const path = step("dependencies", name);
    const before = original.schemaDependencies.get(name);
    const after = update.schemaDependencies.get(name);
    if (after === undefined) findings.add(path, "DEPENDENCY_SCHEMA_REMOVED");
    else if (before === undefined) findings.add(path, "DEPENDENCY_SCHEMA_ADDED");
    else comparison.compareInto(findings, path, before(), after());
  }
}

function compareAdditional(
  comparison: PairComparison,
  findings: Findings,
  original: ObjectSchema,
  update: ObjectSchema,
): void {
  const path = "/additionalProperties";
  if (original.permitsAdditional !== update.permitsAdditional) {
    findings.add(path, update.permitsAdditional ? "ADDITIONAL_PROPERTIES_ADDED" : "ADDITIONAL_PROPERTIES_REMOVED");
  } else if (!original.additional && update.additional) findings.add(path, "ADDITIONAL_PROPERTIES_NARROWED");
  else if (original.additional && !update.additional) findings.add(path, "ADDITIONAL_PROPERTIES_EXTENDED");
  else comparison.compareInto(findings, path, original.additional?.(), update.additional?.());
}

type Unevaluated = { readonly unevaluated: LazySchema | undefined };

const UNEVALUATED_KINDS = {
  unevaluatedProperties: {
    added: "UNEVALUATED_PROPERTIES_ADDED",
    removed: "UNEVALUATED_PROPERTIES_REMOVED",
    extended: "UNEVALUATED_PROPERTIES_EXTENDED",
    narrowed: "UNEVALUATED_PROPERTIES_NARROWED",
  },
  unevaluatedItems: {
    added: "UNEVALUATED_ITEMS_ADDED",
    removed: "UNEVALUATED_ITEMS_REMOVED",
    extended: "UNEVALUATED_ITEMS_EXTENDED",
    narrowed: "UNEVALUATED_ITEMS_NARROWED",
  },
} as const;

/** Absent, false, true and a schema are four distinct states here, unlike for additional properties. */
export function compareUnevaluated(
  comparison: PairComparison,
  findings: Findings,
  keyword: keyof typeof UNEVALUATED_KINDS,
  original: Unevaluated,
  update: Unevaluated,
): void {
  const path = `/${keyword}`;
  const kinds = UNEVALUATED_KINDS[keyword];
  const before = original.unevaluated?.();
  const after = update.unevaluated?.();
  if (before === undefined && after === undefined) return;
  if (before === undefined) {
    findings.add(path, after!.class === "false" ? kinds.removed : kinds.narrowed);
  } else if (after === undefined) {
    findings.add(path, before.class === "false" ? kinds.added : kinds.extended);
  } else if ((before.class === "false") !== (after.class === "false")) {
    findings.add(path, before.class === "false" ? kinds.added : kinds.removed);
  } else if (isTrue(before) && !isTrue(after)) findings.add(path, kinds.narrowed);
  else if (!isTrue(before) && isTrue(after)) findings.add(path, kinds.extended);
  else comparison.compareInto(findings, path, before, after);
}

function isTrue(schema: ReturnType<LazySchema>): boolean {
  return schema.node.type === "boolean" && schema.class === "empty";
}

/** Whether unlisted names may have any value. */
function isOpen(schema: ObjectSchema): boolean {
  const unevaluated = schema.unevaluated?.();
  return (
    schema.patternProperties.size === 0 &&
    schema.permitsAdditional &&
    schema.additional === undefined &&
    (unevaluated === undefined || isTrue(unevaluated))
  );
}

/** The schema that a non-open schema applies to an unlisted name. */
function coveringSchema(comparison: PairComparison, schema: ObjectSchema, name: string): LazySchema | undefined {
  for (const [pattern, covering] of schema.patternProperties) {
    if (comparison.patterns.matches(pattern, name)) return covering;
  }
  if (schema.additional) return schema.additional;
  if (!schema.permitsAdditional) return undefined;
  return schema.unevaluated?.().class === "false" ? undefined : schema.unevaluated;
}

/** Only the property's own schema counts, not the target of its reference. */
function hasDefault(schema: LazySchema): boolean {
  return schema().annotations.defaultValue !== undefined;
}
