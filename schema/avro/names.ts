/** Avro names: full names, namespaces and what a name refers to (specification, "Names"). */
import type { AvroName, AvroNamedType } from "./model.ts";

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The words that name a kind of type, in whose place a type of the same name must be written in full. */
const TYPE_WORDS = new Set([
  ...["record", "enum", "array", "map", "union", "fixed"],
  ...["string", "bytes", "int", "long", "float", "double", "boolean", "null"],
]);

/** Takes a name apart: dots in it say the namespace themselves, otherwise `namespace` is that of the place. */
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

/** Whether every dotted part is a valid name; the empty namespace is valid. */
export function isValidNamespace(namespace: string): boolean {
  return namespace === "" || namespace.split(".").every(isValidSimpleName);
}

/** What `reference`, written inside `namespace`, names: there first, then in the null namespace. */
export function lookUpName<T>(types: ReadonlyMap<string, T>, reference: string, namespace: string): T | undefined {
  const { full } = splitName(reference, namespace);
  return types.get(full) ?? (reference.includes(".") ? undefined : types.get(reference));
}

/**
 * The shortest way to write `name` inside `namespace` that still means it. `isTaken` says whether a full name is
 * defined: a name of the null namespace must be dotted where the enclosing namespace has the same simple name.
 */
export function writeNameReference(name: AvroName, namespace: string, isTaken: (full: string) => boolean): string {
  if (name.namespace === namespace && name.namespace !== "") {
    return TYPE_WORDS.has(name.simple) ? name.full : name.simple;
  }
  if (name.namespace === "" && namespace !== "" && isTaken(`${namespace}.${name.simple}`)) return `.${name.simple}`;
  return name.full;
}

/** A reader's type takes a writer's when their unqualified names are equal, or it has the writer's full name as an alias. */
export function namesMatch(reader: AvroNamedType, writer: AvroNamedType): boolean {
  return reader.name.simple === writer.name.simple || reader.aliases.includes(writer.name.full);
}

const MAX_SHOWN_CHARACTERS = 100;

/** A name for a message: names may be a megabyte long, and messages many. */
export function shorten(name: string): string {
  return name.length > MAX_SHOWN_CHARACTERS ? `${name.slice(0, MAX_SHOWN_CHARACTERS)}…` : name;
}
