/**
 * The assumption `writers: "declared"` specified independently of the engine: which values use only declared names. Per
 * object, over everything that applies in place: `properties`, names matching `patternProperties`, and any name under
 * an `additionalProperties` that is a schema. An object that declares no property anywhere, or is explicitly open
 * (`additionalProperties: true` or {}), may have any.
 */
import type { Schema } from "./generate.ts";

type Members = { [keyword: string]: unknown };

export function usesDeclaredNamesOnly(root: Schema, value: unknown, ignoresSiblings: boolean): boolean {
  return isDeclared(root, [root], value, ignoresSiblings);
}

function isDeclared(root: Schema, schemas: readonly Schema[], value: unknown, ignoresSiblings: boolean): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (schemas.every((schema) => isFree(root, schema)) || isFreeForm(root, schemas, ignoresSiblings)) {
    return areMembersDeclared(root, schemas, value, ignoresSiblings);
  }
  const closure = inPlace(root, schemas, ignoresSiblings);
  if (closure === undefined || closure.some(hasStructuredValue)) return true;
  if (Array.isArray(value)) return areItemsDeclared(root, closure, value, ignoresSiblings);
  return Object.entries(value).every(([name, member]) => {
    const schemas = closure.map((schema) => memberSchemas(root, schema, name));
    const isNamed = schemas.some(({ declares }) => declares) || closure.some((schema) => requires(schema, name));
    return (
      isNamed &&
      isDeclared(
        root,
        schemas.flatMap(({ schemas: inner }) => inner),
        member,
        ignoresSiblings,
      )
    );
  });
}

/** The values of undeclared names: declared parts follow their own schemas. */
function areMembersDeclared(
  root: Schema,
  schemas: readonly Schema[],
  value: object,
  ignoresSiblings: boolean,
): boolean {
  const closure = inPlace(root, schemas, ignoresSiblings);
  if (closure === undefined || closure.some(hasStructuredValue)) return true;
  if (Array.isArray(value)) return areItemsDeclared(root, closure, value, ignoresSiblings);
  return Object.entries(value).every(([name, member]) => {
    const inner = closure.flatMap((schema) => memberSchemas(root, schema, name).schemas);
    return inner.length === 0 || isDeclared(root, inner, member, ignoresSiblings);
  });
}

function areItemsDeclared(
  root: Schema,
  closure: readonly Members[],
  items: readonly unknown[],
  ignoresSiblings: boolean,
): boolean {
  return items.every((item, index) => {
    const own = closure.flatMap((schema) => itemSchemas(schema, index));
    const contained = closure.flatMap(({ contains }) => (contains === undefined ? [] : [contains as Schema]));
    // `contains` concerns some item, possibly not this one.
    return (
      isDeclared(root, own, item, ignoresSiblings) ||
      (contained.length > 0 && isDeclared(root, [...own, ...contained], item, ignoresSiblings))
    );
  });
}

/** Whether some branch is explicitly open, or silent about properties while the rest is silent too. */
function isFreeForm(root: Schema, schemas: readonly Schema[], ignoresSiblings: boolean): boolean {
  const closure = inPlace(root, schemas, ignoresSiblings);
  if (closure === undefined) return true;
  const isOpen = closure.some((schema) =>
    ["additionalProperties", "unevaluatedProperties"].some(
      (keyword) => schema[keyword] !== undefined && isFree(root, schema[keyword] as Schema),
    ),
  );
  return isOpen || schemas.every((schema) => isSilent(root, schema, ignoresSiblings, 0));
}

/** Whether a schema admits an object and declares no property of it, in some branch. */
function isSilent(root: Schema, schema: unknown, ignoresSiblings: boolean, depth: number): boolean {
  if (typeof schema !== "object" || schema === null) return schema !== false;
  const members = schema as Members;
  if (depth > MAX_BRANCHES) return true;
  const reference = members.$ref ?? members.$dynamicRef ?? members.$recursiveRef;
  const isTargetSilent =
    typeof reference !== "string" || isSilent(root, targetOf(root, reference), ignoresSiblings, depth + 1);
  if (typeof members.$ref === "string" && ignoresSiblings) return isTargetSilent;
  if (!isTargetSilent || members.enum !== undefined || members.const !== undefined) return false;
  if (members.type !== undefined && ![members.type].flat().includes("object")) return false;
  if (describesMembers(members)) return false;
  const conditions = [members.if, members.then, members.else, ...Object.values(mapOf(members.dependentSchemas))];
  const dependencies = Object.values(mapOf(members.dependencies)).filter((each) => !Array.isArray(each));
  for (const each of [...conditions, ...dependencies]) {
    const reached = each === undefined ? [] : inPlace(root, [each as Schema], ignoresSiblings);
    if ((reached ?? []).some(describesMembers)) return false;
  }
  const isSilentToo = (each: unknown) => isSilent(root, each, ignoresSiblings, depth + 1);
  const alternatives = [listOf(members.anyOf), listOf(members.oneOf)].filter(({ length }) => length > 0);
  return listOf(members.allOf).every(isSilentToo) && alternatives.every((each) => each.some(isSilentToo));
}

const MAX_BRANCHES = 20;

function describesMembers(schema: Members): boolean {
  return (
    Object.keys(mapOf(schema.properties)).length > 0 ||
    Object.keys(mapOf(schema.patternProperties)).length > 0 ||
    schema.additionalProperties !== undefined ||
    schema.unevaluatedProperties !== undefined
  );
}

/** Whether a schema admits any name, by itself or through its references. */
function isFree(root: Schema, schema: Schema, depth = 0): boolean {
  return typeof schema === "object"
    ? Object.entries(schema).every(
        ([keyword, value]) => NOTES.includes(keyword) || isIdle(root, schema, keyword, value, depth),
      )
    : schema;
}

/** Constrains no value, like an annotation: it admits everything, or modifies an absent keyword. */
function isIdle(root: Schema, schema: Members, keyword: string, value: unknown, depth: number): boolean {
  switch (keyword) {
    case "minLength":
    case "minItems":
    case "minProperties":
      return value === 0;
    case "uniqueItems":
      return value === false;
    case "additionalItems":
      return !Array.isArray(schema.items);
    case "minContains":
    case "maxContains":
      return schema.contains === undefined;
    case "then":
    case "else":
      return schema.if === undefined;
    case "properties":
    case "patternProperties":
      return Object.keys(value as object).length === 0;
    case "required":
      return (value as unknown[]).length === 0;
    case "allOf":
      return listOf(value).every((each) => isFree(root, each as Schema, depth));
    case "$ref":
    case "$dynamicRef":
    case "$recursiveRef":
      return depth < MAX_REFERENCES && isFree(root, targetOf(root, String(value)) as Schema, depth + 1);
    default:
      return false;
  }
}

/** References may be circular, and then admit nothing by themselves. */
const MAX_REFERENCES = 5;

const NOTES = [
  "title",
  "description",
  "default",
  "examples",
  "x-note",
  "$comment",
  "readOnly",
  "writeOnly",
  "deprecated",
  "contentMediaType",
  "$schema",
  "definitions",
  "$anchor",
  "$dynamicAnchor",
  "$id",
];

/** Every schema that applies to the same value in some branch; undefined if one of the branches admits anything. */
function inPlace(root: Schema, schemas: readonly Schema[], ignoresSiblings: boolean): Members[] | undefined {
  const found = new Set<Members>();
  const stack: unknown[] = [...schemas];
  while (stack.length > 0) {
    const schema = stack.pop();
    if (typeof schema !== "object" || schema === null || found.has(schema as Members)) continue;
    const members = schema as Members;
    const reference = members.$ref ?? members.$dynamicRef ?? members.$recursiveRef;
    if (typeof reference === "string") stack.push(targetOf(root, reference));
    if (typeof members.$ref === "string" && ignoresSiblings) continue;
    found.add(members);
    for (const keyword of ["anyOf", "oneOf"])
      if (listOf(members[keyword]).some((each) => isFree(root, each as Schema))) return undefined;
    for (const keyword of ["allOf", "anyOf", "oneOf"]) stack.push(...listOf(members[keyword]));
    for (const keyword of ["if", "then", "else"]) stack.push(members[keyword]);
    for (const keyword of ["dependentSchemas", "dependencies"]) stack.push(...Object.values(mapOf(members[keyword])));
  }
  return [...found];
}

function targetOf(root: Schema, reference: string): unknown {
  if (reference === "#" || typeof root === "boolean") return root;
  const definitions = mapOf(root.definitions);
  return reference === "#two" || reference.endsWith("/two") ? definitions.two : definitions.one;
}

function memberSchemas(root: Schema, schema: Members, name: string): { declares: boolean; schemas: Schema[] } {
  const schemas: Schema[] = [];
  const properties = mapOf(schema.properties);
  if (Object.hasOwn(properties, name)) schemas.push(properties[name] as Schema);
  for (const [pattern, inner] of Object.entries(mapOf(schema.patternProperties))) {
    if (new RegExp(pattern, "u").test(name)) schemas.push(inner as Schema);
  }
  if (schemas.length > 0) return { declares: true, schemas };
  const rest = [schema.additionalProperties, schema.unevaluatedProperties].filter(
    (inner): inner is Schema => inner !== undefined && inner !== false,
  );
  return { declares: rest.some((inner) => !isFree(root, inner)), schemas: rest };
}

function requires(schema: Members, name: string): boolean {
  const dependencies = [
    ...Object.entries(mapOf(schema.dependentRequired)),
    ...Object.entries(mapOf(schema.dependencies)),
  ];
  const named = dependencies
    .filter(([, names]) => Array.isArray(names))
    .flatMap(([key, names]) => [key, ...(names as string[])]);
  return [...listOf(schema.required), ...named].includes(name);
}

function itemSchemas(schema: Members, index: number): Schema[] {
  const items = Array.isArray(schema.items) ? (schema.items[index] ?? schema.additionalItems) : schema.items;
  const own = (listOf(schema.prefixItems)[index] ?? items ?? schema.unevaluatedItems) as Schema | undefined;
  return own === undefined ? [] : [own];
}

function hasStructuredValue(schema: Members): boolean {
  return [...listOf(schema.enum), schema.const].some((value) => typeof value === "object" && value !== null);
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function mapOf(value: unknown): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Members) : {};
}
