/** Rebuilds parser input from content hashes: the text and the shared graph of its references. */
import type { ContentHash } from "./content-hash.ts";
import type { ResolvedReference, SchemaReference, SchemaSource } from "./format.ts";

export type ClosureNodes = readonly {
  contentHash: ContentHash;
  references: readonly (SchemaReference & { contentHash: ContentHash })[];
}[];

/** The source of a content. References with missing texts are omitted, so that parsing reports them. */
export function buildSource(
  root: ContentHash,
  nodes: ClosureNodes,
  texts: ReadonlyMap<ContentHash, string>,
): SchemaSource | undefined {
  const references = new Map(nodes.map((node) => [node.contentHash, node.references]));
  const built = new Map<ContentHash, SchemaSource>();
  const build = (hash: ContentHash): SchemaSource | undefined => {
    const known = built.get(hash);
    if (known) return known;
    const text = texts.get(hash);
    if (text === undefined) return undefined;
    const found: ResolvedReference[] = [];
    const source: SchemaSource = { text, references: found };
    // Stored before its references are visited, so a cycle among contents ends at this object.
    built.set(hash, source);
    for (const { name, subject, version, contentHash } of references.get(hash) ?? []) {
      const target = build(contentHash);
      if (target) found.push({ name, subject, version, source: target });
    }
    return source;
  };
  return build(root);
}

/** The source of a text that is not stored yet but references stored contents. */
export function sourceOver(
  text: string,
  references: readonly SchemaReference[],
  closures: readonly { root: ContentHash; nodes: ClosureNodes }[],
  texts: ReadonlyMap<ContentHash, string>,
): SchemaSource {
  const found: ResolvedReference[] = [];
  for (const [index, reference] of references.entries()) {
    const closure = closures[index];
    const source = closure && buildSource(closure.root, closure.nodes, texts);
    if (source) found.push({ ...reference, source });
  }
  return { text, references: found };
}
