/** Finds the branches of a reader's union that match a writer's type, in the order that resolution prefers. */
import { type AvroNamedType, type AvroType, type AvroUnion, isNamed } from "../model.ts";
import { PROMOTIONS } from "./promotions.ts";

/** The positions of a union's branches by what they can match; named types are keyed by kind and name. */
type BranchIndex = {
  byKind: Map<string, number>;
  byFullName: Map<string, number>;
  bySimpleName: Map<string, number[]>;
  byAlias: Map<string, number[]>;
};

/** The branches that match a named type, each list in union order. */
type NameMatches = { byFullName: readonly number[]; byAlias: readonly number[]; bySimpleName: readonly number[] };

/** Smaller unions are scanned instead: thousands of indexes would be larger than the schema. */
const MAX_UNINDEXED_BRANCHES = 8;

/** Looks up branches by index, as unions can have thousands on both sides. Use one per comparison or resolution. */
export class BranchFinder {
  readonly #indexes = new Map<AvroUnion, BranchIndex>();

  /**
   * Yields the matching branches in order of preference. For named types: equal full name, then alias, then equal
   * unqualified name. For other types: equal kind, then promotions in union order.
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

  /** The branch that resolution selects, or undefined. */
  first(union: AvroUnion, writer: AvroType): number | undefined {
    for (const at of this.all(union, writer)) return at;
    return undefined;
  }

  /** The first matching branch if it comes before the one of the writer's own type; otherwise undefined. */
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

  /** The branches that the writer's primitive type can be promoted to, in no particular order. */
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
