/** Computes everything that a content reaches through references. */

import { toHex } from "../../../registry/log-entry.ts";
import { NATIVE_HASHES } from "../../../registry/native-hashes.ts";
import type { Closure } from "../../../registry/record.ts";
import { type ContentHash, closureHash } from "../../../schema/content-hash.ts";
import type { SchemaReference } from "../../../schema/format.ts";
import { readStoredReferences, type StateReader } from "./reader.ts";

/** The maximum number of contents in one closure, including indirect references. */
export const MAX_CLOSURE_CONTENTS = 5_000;

/** Maximum number of closures in memory; each takes two hashes, about 400 bytes. */
const MAX_KNOWN_CLOSURES = 5_000;

/** Closures of contents without references, which never change: every transitive check needs those of all versions. */
export class KnownClosures {
  readonly #known = new Map<ContentHash, Closure>();

  of(root: ContentHash): Closure {
    const known = this.#known.get(root);
    if (known) return known;
    const closure: Closure = {
      root,
      hash: closureHash(root, new Map(), NATIVE_HASHES),
      nodes: [{ contentHash: root, references: [] }],
    };
    if (this.#known.size >= MAX_KNOWN_CLOSURES) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(root, closure);
    return closure;
  }
}

/** As for a subject in `context`; undefined beyond the limit. The root need not be stored yet. */
export function reach(
  state: Pick<StateReader, "referenceTarget">,
  root: ContentHash,
  references: readonly SchemaReference[],
  context: string,
): Closure | undefined {
  const nodes = new Map<ContentHash, (SchemaReference & { contentHash: ContentHash })[]>();
  const pending = [{ hash: root, references, context }];
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (nodes.has(node.hash)) continue;
    if (nodes.size >= MAX_CLOSURE_CONTENTS) return undefined;
    const edges: (SchemaReference & { contentHash: ContentHash })[] = [];
    nodes.set(node.hash, edges);
    for (const reference of node.references) {
      const target = state.referenceTarget(node.context, reference);
      if (!target) continue;
      const contentHash = toHex(new Uint8Array(target.content_hash));
      edges.push({ ...reference, contentHash });
      pending.push({ hash: contentHash, references: readStoredReferences(target), context: target.context });
    }
  }
  const edges = new Map(
    [...nodes].map(([hash, targets]) => [hash, targets.map(({ name, contentHash }) => ({ name, to: contentHash }))]),
  );
  return {
    root,
    hash: closureHash(root, edges, NATIVE_HASHES),
    nodes: [...nodes].map(([contentHash, references]) => ({ contentHash, references })),
  };
}
