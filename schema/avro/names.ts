/** Avro names: full names, namespaces and name resolution (specification, "Names"). */
import type { AvroName, AvroNamedType } from "./model.ts";

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Reserved type words: a user type with such a name must be referred to by its full name. */
const TYPE_WORDS = new Set([
  ...["record", "enum", "array", "map", "union", "fixed"],
  ...["string", "bytes", "int", "long", "float", "double", "boolean", "null"],
]);

/** Splits a name. A dotted name carries its own namespace; otherwise the enclosing `namespace` applies. */
export function splitName(name: string, namespace: string): AvroName {
  const dot = name.lastIndexOf(".");
  return dot < 0 ? nameOf(name, namespace) : nameOf(name.slice(dot + 1), name.slice(0, dot));
}

function nameOf(simple: string, namespace: string): AvroName {
  return { simple, namespace, full: namespace === "" ? simple : `${namespace}.${simple}` };
}

export function isValidSimpleName(name: string): boolean {
  return NAME.test(name);
}

/** Whether every dot-separated part is a valid name. The empty namespace is valid. */
export function isValidNamespace(namespace: string): boolean {
  return namespace === "" || namespace.split(".").every(isValidSimpleName);
}

/** Resolves a name used inside `namespace`: first there, then in the null namespace. */
export function lookUpName<T>(types: ReadonlyMap<string, T>, reference: string, namespace: string): T | undefined {
  const { full } = splitName(reference, namespace);
  return types.get(full) ?? (reference.includes(".") ? undefined : types.get(reference));
}

/**
 * The shortest unambiguous spelling of `name` inside `namespace`. `isTaken` says whether a full name is defined: a name of
 * the null namespace needs a leading dot if the enclosing namespace defines the same simple name.
 */
export function writeNameReference(name: AvroName, namespace: string, isTaken: (full: string) => boolean): string {
  if (name.namespace === namespace && name.namespace !== "") {
    return TYPE_WORDS.has(name.simple) ? name.full : name.simple;
  }
  if (name.namespace === "" && namespace !== "" && isTaken(`${namespace}.${name.simple}`)) return `.${name.simple}`;
  return name.full;
}

/** A reader's type matches a writer's if their unqualified names are equal or the writer's full name is one of its aliases. */
export function namesMatch(reader: AvroNamedType, writer: AvroNamedType): boolean {
  return reader.name.simple === writer.name.simple || reader.aliases.includes(writer.name.full);
}

const MAX_SHOWN_CHARACTERS = 100;

/** Truncates a name for a message: names can be a megabyte long. */
export function shorten(name: string): string {
  return name.length > MAX_SHOWN_CHARACTERS ? `${name.slice(0, MAX_SHOWN_CHARACTERS)}…` : name;
}
