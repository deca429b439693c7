/** Which branches of a reader's union may read a writer's type, in the order in which resolution prefers them. */
import { type AvroNamedType, type AvroType, type AvroUnion, isNamed } from "../model.ts";
import { PROMOTIONS } from "./promotions.ts";

/** Where the branches of a union stand, by what a writer's type may be matched with; those of named types by kind and name. */
type BranchIndex = {
  byKind: Map<string, number>;
  byFullName: Map<string, number>;
  bySimpleName: Map<string, number[]>;
  byAlias: Map<string, number[]>;
};

/** The branches that a named type matches, each list in the order of the union. */
type NameMatches = { byFullName: readonly number[]; byAlias: readonly number[]; bySimpleName: readonly number[] };

/** Unions of so few branches are looked through: indexes of thousands of them would be larger than the schema. */
const MAX_UNINDEXED_BRANCHES = 8;

/** Finds branches: unions may have thousands of them on both sides. One for each comparison or reading. */
export class BranchFinder {
  readonly #indexes = new Map<AvroUnion, BranchIndex>();

  /**
   * The indexes of the branches that match by kind and name: the same full name first, then an alias, then the same
   * unqualified name; for other types the same kind first, then promotions in the union's order.
   */
  *all(union: AvroUnion, writer: AvroType): Generator<number> {
    if (!isNamed(writer)) {
      const exact = this.#findKind(union, writer.kind);
      if (exact !== undefined) yield exact;
      yield* this.#findPromotions(union, writer).sort((a, b) => a - b);
      return;
    }
    const { byFullName, byAlias, bySimpleName } = this.#matchNames(union, writer);
    const met = new Set<number>();
    for (const matches of [byFullName, byAlias, bySimpleName]) {
      for (const at of matches) {
        if (met.has(at)) continue;
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

  /** The first branch that matches, where it stands before the one of the writer's own type; undefined elsewhere. */
  earlierMatch(union: AvroUnion, writer: AvroType): number | undefined {
    if (!isNamed(writer)) {
      const own = this.#findKind(union, writer.kind) ?? 0;
      if (own === 0) return undefined;
      const earliest = Math.min(own, ...this.#findPromotions(union, writer));
      return earliest < own ? earliest : undefined;
    }
    const { byFullName, byAlias, bySimpleName } = this.#matchNames(union, writer);
    const own = byFullName[0] ?? byAlias[0] ?? 0;
    const earliest = Math.min(own, byAlias[0] ?? own, bySimpleName[0] ?? own);
    return earliest < own ? earliest : undefined;
  }

  /** The branches that the writer's primitive type is promoted to, in no order. */
  #findPromotions(union: AvroUnion, writer: AvroType): number[] {
    return (PROMOTIONS[writer.kind] ?? []).flatMap((kind) => this.#findKind(union, kind) ?? []);
  }

  #findKind(union: AvroUnion, kind: AvroType["kind"]): number | undefined {
    if (union.branches.length > MAX_UNINDEXED_BRANCHES) return this.#indexOf(union).byKind.get(kind);
    const at = union.branches.findIndex((branch) => branch.kind === kind);
    return at < 0 ? undefined : at;
  }

  #matchNames(union: AvroUnion, { kind, name }: AvroNamedType): NameMatches {
    if (union.branches.length > MAX_UNINDEXED_BRANCHES) {
      const index = this.#indexOf(union);
      const full = index.byFullName.get(`${kind} ${name.full}`);
      return {
        byFullName: full === undefined ? [] : [full],
        byAlias: index.byAlias.get(`${kind} ${name.full}`) ?? [],
        bySimpleName: index.bySimpleName.get(`${kind} ${name.simple}`) ?? [],
      };
    }
    const matches = { byFullName: [] as number[], byAlias: [] as number[], bySimpleName: [] as number[] };
    for (const [at, branch] of union.branches.entries()) {
      if (!isNamed(branch) || branch.kind !== kind) continue;
      if (branch.name.full === name.full) matches.byFullName.push(at);
      if (branch.aliases.includes(name.full)) matches.byAlias.push(at);
      if (branch.name.simple === name.simple) matches.bySimpleName.push(at);
    }
    return matches;
  }

  #indexOf(union: AvroUnion): BranchIndex {
    const known = this.#indexes.get(union);
    if (known !== undefined) return known;
    const index: BranchIndex = {
      byKind: new Map(),
      byFullName: new Map(),
      bySimpleName: new Map(),
      byAlias: new Map(),
    };
    for (const [at, branch] of union.branches.entries()) {
      if (!isNamed(branch)) {
        index.byKind.set(branch.kind, at);
        continue;
      }
      index.byFullName.set(`${branch.kind} ${branch.name.full}`, at);
      append(index.bySimpleName, `${branch.kind} ${branch.name.simple}`, at);
      for (const alias of branch.aliases) append(index.byAlias, `${branch.kind} ${alias}`, at);
    }
    this.#indexes.set(union, index);
    return index;
  }
}

function append(lists: Map<string, number[]>, key: string, at: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [at]);
  else list.push(at);
}
