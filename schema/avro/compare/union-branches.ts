/** Which branches of a reader's union may read a writer's type, in the order in which resolution prefers them. */

import { type AvroPrimitiveKind, type AvroType, type AvroUnion, isNamed } from "../model.ts";
import { PROMOTIONS } from "./semantic/losses.ts";

/** Indexes of branches, by what a writer's type may be matched with. */
type BranchIndex = {
  byKind: Map<string, number>;
  byFullName: Map<string, number>;
  bySimpleName: Map<string, number[]>;
  byAlias: Map<string, number[]>;
};

/** Finds branches by index: unions may have thousands of branches on both sides. One for each comparison or reading. */
export class BranchFinder {
  readonly #indexes = new Map<AvroUnion, BranchIndex>();

  /**
   * The indexes of the branches that match by kind and name: the same full name first, then an alias, then the same
   * unqualified name; for other types the same kind first, then promotions in the union's order.
   */
  *all(union: AvroUnion, writer: AvroType): Generator<number> {
    const index = this.#indexOf(union);
    if (!isNamed(writer)) {
      const exact = index.byKind.get(writer.kind);
      if (exact !== undefined) yield exact;
      const promotions: readonly string[] = PROMOTIONS[writer.kind as AvroPrimitiveKind] ?? [];
      if (promotions.length === 0) return;
      for (const [at, branch] of union.branches.entries()) if (promotions.includes(branch.kind)) yield at;
      return;
    }
    const met = new Set<number>();
    for (const matches of [
      [index.byFullName.get(writer.name.full) ?? -1],
      index.byAlias.get(writer.name.full) ?? [],
      index.bySimpleName.get(writer.name.simple) ?? [],
    ]) {
      for (const at of matches) {
        if (met.has(at) || union.branches[at]?.kind !== writer.kind) continue;
        met.add(at);
        yield at;
      }
    }
  }

  /** The branch that resolution takes, or undefined. */
  first(union: AvroUnion, writer: AvroType): number | undefined {
    for (const at of this.all(union, writer)) return at;
    return undefined;
  }

  #indexOf(union: AvroUnion): BranchIndex {
    const known = this.#indexes.get(union);
    if (known !== undefined) return known;
    const index: BranchIndex = {
      ...{ byKind: new Map(), byFullName: new Map(), bySimpleName: new Map(), byAlias: new Map() },
    };
    union.branches.forEach((branch, at) => {
      if (!isNamed(branch)) {
        index.byKind.set(branch.kind, at);
        return;
      }
      index.byFullName.set(branch.name.full, at);
      append(index.bySimpleName, branch.name.simple, at);
      for (const alias of branch.aliases) append(index.byAlias, alias, at);
    });
    this.#indexes.set(union, index);
    return index;
  }
}

function append(lists: Map<string, number[]>, key: string, at: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [at]);
  else list.push(at);
}
