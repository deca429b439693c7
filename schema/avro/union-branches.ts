/** Which branches of a reader's union may read a writer's type, in the order in which resolution prefers them. */
import { PROMOTIONS } from "./losses";
import { type AvroNamedType, type AvroPrimitiveKind, type AvroType, type AvroUnion, isNamed } from "./model";

type BranchIndex = {
  byKind: Map<string, AvroType>;
  bySimpleName: Map<string, AvroNamedType[]>;
  byAlias: Map<string, AvroNamedType[]>;
};

/** Unions may have thousands of branches on both sides; the index lives as long as the union does. */
const INDEXES = new WeakMap<AvroUnion, BranchIndex>();

/**
 * The branches that match by kind and name: the same full name first, then an alias, then the same unqualified name;
 * for other types the same kind first, then promotions in the union's order.
 */
export function branchesFor(union: AvroUnion, writer: AvroType): AvroType[] {
  const index = indexOf(union);
  if (isNamed(writer)) {
    const sameSimpleName = index.bySimpleName.get(writer.name.simple) ?? [];
    const matches = new Set<AvroType>();
    for (const branch of sameSimpleName) if (branch.name.full === writer.name.full) matches.add(branch);
    for (const branch of index.byAlias.get(writer.name.full) ?? []) matches.add(branch);
    for (const branch of sameSimpleName) matches.add(branch);
    return [...matches].filter((branch) => branch.kind === writer.kind);
  }
  const exact = index.byKind.get(writer.kind);
  const promotions = PROMOTIONS[writer.kind as AvroPrimitiveKind] ?? [];
  if (promotions.length === 0) return exact === undefined ? [] : [exact];
  const promoted = union.branches.filter((branch) => (promotions as readonly string[]).includes(branch.kind));
  return exact === undefined ? promoted : [exact, ...promoted];
}

function indexOf(union: AvroUnion): BranchIndex {
  const known = INDEXES.get(union);
  if (known !== undefined) return known;
  const index: BranchIndex = { byKind: new Map(), bySimpleName: new Map(), byAlias: new Map() };
  for (const branch of union.branches) {
    if (!isNamed(branch)) {
      index.byKind.set(branch.kind, branch);
      continue;
    }
    append(index.bySimpleName, branch.name.simple, branch);
    for (const alias of branch.aliases) append(index.byAlias, alias, branch);
  }
  INDEXES.set(union, index);
  return index;
}

function append(lists: Map<string, AvroNamedType[]>, key: string, branch: AvroNamedType): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [branch]);
  else list.push(branch);
}
