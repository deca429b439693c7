/** Resolves a `$ref` to a registered reference: by the URL, as `./name`, or resolved. */
import type { ResolvedReference, SchemaSource } from "../../format.ts";
import { TooComplexSchema } from "./problems.ts";
import { MAX_URI_CHARACTERS, resolveUri, splitFragment } from "./uri.ts";

/** Registered references in the closure, direct and indirect. */
export const MAX_CLOSURE_REFERENCES = 5_000;

/**
 * Every spelling by which a `$ref` may refer to a reference's name: unchanged, without `./`, resolved; with and without
 * fragment.
 */
export function spellings(name: string, base: string): string[] {
  const { url } = splitFragment(name);
  const bare = url.startsWith("./") ? url.slice(2) : url;
  const found = new Set([name, url, bare]);
  if (url !== "" && url.length <= MAX_URI_CHARACTERS) found.add(resolveUri(base, url));
  found.delete("");
  return [...found];
}

/** References by every spelling of their names; the first one of an ambiguous spelling wins. */
export function referencesByName(
  references: readonly ResolvedReference[],
  base: string,
): Map<string, ResolvedReference> {
  const byName = new Map<string, ResolvedReference>();
  for (const reference of references) {
    for (const spelling of spellings(reference.name, base)) addFirst(byName, spelling, reference);
  }
  return byName;
}

/** All references, direct and indirect, by name; the first of a name in a depth-first walk wins. */
export function closureByName(source: SchemaSource, base: string): Map<string, ResolvedReference> {
  const closure = new Map<string, ResolvedReference>();
  const seen = new Set<SchemaSource>();
  const open = [...source.references].reverse();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const spelling of spellings(next.name, base)) addFirst(closure, spelling, next);
    if (seen.has(next.source)) continue;
    seen.add(next.source);
    if (seen.size > MAX_CLOSURE_REFERENCES) {
      throw new TooComplexSchema("too_many_references", `More than ${MAX_CLOSURE_REFERENCES} schemas are referenced.`);
    }
    for (const reference of [...next.source.references].reverse()) open.push(reference);
  }
  return closure;
}

export function addFirst<K, V>(map: Map<K, V>, key: K, value: V): void {
  if (!map.has(key)) map.set(key, value);
}
