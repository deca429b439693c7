/** Dependencies and dependents of a version: the graph of references, walked breadth-first from one version. */

import type { GraphSlice, Queries } from "../../../registry/questions.ts";
import type { SchemaReference } from "../../../schema/format.ts";
import { RECORD_SELECT, type RecordRow, readStoredReferences, type StateReader, toRecord } from "../state/reader.ts";

/** Limits of one response. The nodes beyond are in `frontier`, from which another request can continue. */
export const MAX_GRAPH_NODES = 500;
const MAX_GRAPH_EDGES = 1_000;
/** Steps from the root; the longest reference chains of real schemas have about ten. */
const MAX_GRAPH_DEPTH = 32;

type Source = { sql: SqlStorage; state: StateReader };
type Edge = { to: RecordRow; name: string };

/** Null if the version does not exist. */
export function walkGraph(source: Source, args: Queries["graph"][0]): GraphSlice | null {
  const { id, direction, depth, deleted } = args;
  const root = source.state.recordById(id);
  if (!root || (root.deleted !== 0 && !deleted)) return null;
  const walk = new Walk(source, deleted);
  const levels = Math.min(depth, MAX_GRAPH_DEPTH);
  let level = [root];
  walk.add(root, 0);
  for (let at = 1; at <= levels && level.length > 0; at += 1) {
    level = level.flatMap((row) =>
      direction === "dependencies" ? walk.dependencies(row, at) : walk.dependents(row, at),
    );
  }
  // The nodes at the depth limit, whose edges were not followed.
  for (const row of level) {
    if (direction === "dependencies" ? readStoredReferences(row).length > 0 : walk.hasDependents(row))
      walk.frontier.add(row.id);
  }
  return walk.slice(root);
}

class Walk {
  readonly frontier = new Set<string>();
  readonly #source: Source;
  readonly #deleted: boolean;
  readonly #nodes = new Map<number, { row: RecordRow; depth: number }>();
  readonly #edges: GraphSlice["edges"] = [];
  readonly #missing: GraphSlice["missing"] = [];

  constructor(source: Source, deleted: boolean) {
    this.#source = source;
    this.#deleted = deleted;
  }

  /** False if a limit is reached. */
  add(row: RecordRow, depth: number): boolean {
    if (this.#nodes.has(row.record_key)) return true;
    if (this.#nodes.size >= MAX_GRAPH_NODES) return false;
    this.#nodes.set(row.record_key, { row, depth });
    return true;
  }

  /** The versions that a version references, if they are not known yet. */
  dependencies(row: RecordRow, depth: number): RecordRow[] {
    return this.#follow(row, depth, this.#targets(row), ({ to, name }) => ({ from: row.id, to: to.id, name }));
  }

  /** The versions that reference it, if they are not known yet. */
  dependents(row: RecordRow, depth: number): RecordRow[] {
    const referrers = this.#referrers(row, MAX_GRAPH_EDGES + 1).flatMap((referrer) =>
      readStoredReferences(referrer)
        .filter((reference) => this.#target(referrer, reference)?.record_key === row.record_key)
        .map(({ name }) => ({ to: referrer, name })),
    );
    return this.#follow(row, depth, referrers, ({ to, name }) => ({ from: to.id, to: row.id, name }));
  }

  hasDependents(row: RecordRow): boolean {
    return this.#referrers(row, 1).length > 0;
  }

  slice(root: RecordRow): GraphSlice {
    return {
      root: root.id,
      nodes: [...this.#nodes.values()].map(({ row, depth }) => ({ record: toRecord(row), depth })),
      edges: this.#edges,
      missing: this.#missing,
      frontier: [...this.frontier],
    };
  }

  /**
   * Adds all edges of a version or none, so that a version in the frontier can be requested again without losing edges.
   */
  #follow(
    row: RecordRow,
    depth: number,
    edges: readonly Edge[],
    toEdge: (edge: Edge) => GraphSlice["edges"][number],
  ): RecordRow[] {
    const unknown = edges.filter(({ to }, at) => {
      const first = edges.findIndex((other) => other.to.record_key === to.record_key) === at;
      return first && !this.#nodes.has(to.record_key);
    });
    const fits =
      this.#edges.length + edges.length <= MAX_GRAPH_EDGES && this.#nodes.size + unknown.length <= MAX_GRAPH_NODES;
    if (!fits) {
      this.frontier.add(row.id);
      return [];
    }
    this.#edges.push(...edges.map(toEdge));
    return unknown.map(({ to }) => to).filter((to) => this.add(to, depth));
  }

  #targets(row: RecordRow): Edge[] {
    const found: Edge[] = [];
    for (const reference of readStoredReferences(row)) {
      const to = this.#target(row, reference);
      if (to) found.push({ to, name: reference.name });
      // Needs no separate limit, because these are references of versions that are shown.
      else this.#missing.push({ from: row.id, ...reference });
    }
    return found;
  }

  #target(row: RecordRow, reference: SchemaReference): RecordRow | undefined {
    return this.#source.state.referenceTarget(row.context, reference);
  }

  #referrers(row: RecordRow, limit: number): RecordRow[] {
    if (row.number === null) return [];
    return this.#source.sql
      .exec<RecordRow>(
        `${RECORD_SELECT} WHERE records.record_key IN
           (SELECT record_key FROM record_references WHERE target_subject_key = +? AND target_number = +?)
           ${this.#deleted ? "" : "AND records.deleted = 0"} ORDER BY records.record_key DESC LIMIT ?`,
        row.subject_key,
        row.number,
        limit,
      )
      .toArray();
  }
}
