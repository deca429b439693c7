/**
 * Which schemas refer to themselves, directly or through others: Tarjan's strongly connected components, so that every
 * schema is read once however many ask. Iterative, because references may lead through thousands of schemas.
 */
import type { SchemaLocation } from "../json/model.ts";
import type { JsonNode } from "../json-text.ts";
import { type Draft, listChildren } from "./draft.ts";
import type { DraftReader } from "./read-draft.ts";

type Visit = {
  readonly node: JsonNode;
  readonly index: number;
  /** Referenced schemas that still have to be visited. */
  readonly pending: SchemaLocation[];
  refersToItself: boolean;
  /** The lowest index of an open visit that can be reached. */
  low: number;
};

export class Recursion {
  readonly #reader: DraftReader;
  readonly #recursive = new Map<JsonNode, boolean>();
  /** The open visits in the order of their indexes. */
  readonly #opened: Visit[] = [];

  constructor(reader: DraftReader) {
    this.#reader = reader;
  }

  isRecursive(target: SchemaLocation): boolean {
    if (!this.#recursive.has(target.node)) this.#explore(target);
    return this.#recursive.get(target.node)!;
  }

  #explore(start: SchemaLocation): void {
    const open = new Map<JsonNode, Visit>();
    const path = [this.#visit(start, open)];
    for (let visit = path.at(-1); visit !== undefined; visit = path.at(-1)) {
      const next = visit.pending.pop();
      if (next === undefined) {
        path.pop();
        const parent = path.at(-1);
        if (parent) parent.low = Math.min(parent.low, visit.low);
        if (visit.low === visit.index) this.#close(visit, open);
      } else if (next.node === visit.node) visit.refersToItself = true;
      else if (open.has(next.node)) visit.low = Math.min(visit.low, open.get(next.node)!.index);
      else if (!this.#recursive.has(next.node)) path.push(this.#visit(next, open));
    }
  }

  #visit(target: SchemaLocation, open: Map<JsonNode, Visit>): Visit {
    const index = open.size;
    const visit = { node: target.node, index, low: index, pending: this.#referencesOf(target), refersToItself: false };
    open.set(target.node, visit);
    this.#opened.push(visit);
    return visit;
  }

  /** Everything opened since a visit can reach it, and it can reach them. */
  #close(visit: Visit, open: Map<JsonNode, Visit>): void {
    const members: Visit[] = [];
    // A map lists its entries from the first one, which would take quadratic time in long chains.
    while (this.#opened.length > visit.index) members.push(this.#opened.pop()!);
    for (const member of members) {
      this.#recursive.set(member.node, members.length > 1 || member.refersToItself);
      open.delete(member.node);
    }
  }

  #referencesOf(target: SchemaLocation): SchemaLocation[] {
    const found: SchemaLocation[] = [];
    const drafts: Draft[] = [this.#reader.read(target)];
    for (let draft = drafts.pop(); draft !== undefined; draft = drafts.pop()) {
      if (draft.reference !== null) found.push(draft.reference.target);
      drafts.push(...listChildren(draft));
    }
    return found;
  }
}
