/** A subject's versions in pairs, each with its predecessor in the same compatibility group, holding few schemas at a time. */
import type { Refusal } from "../../../contract/errors.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import type { Edge } from "../../edge.ts";
import { type HeldSchema, holdRecords } from "../compatibility/judge.ts";

/** Schemas loaded together: enough to hide the primary's latency, few enough to limit memory. */
const HELD_TOGETHER = 25;

type HistoryVersion = { record: SchemaRecord; schema: HeldSchema };
export type HistoryPair = { from: HistoryVersion; to: HistoryVersion };

export class HistoryWalk {
  /** The newest version of each group so far. */
  readonly #newest = new Map<string | null, SchemaRecord>();
  #held: HistoryVersion | undefined;

  readonly edge: Edge;
  /** The metadata property that groups versions, if configured. */
  readonly group: string | null;

  constructor(edge: Edge, group: string | null) {
    this.edge = edge;
    this.group = group;
  }

  /** Records versions as predecessors without comparing them. */
  pass(records: readonly SchemaRecord[]): void {
    for (const record of records) this.#newest.set(this.#groupOf(record), record);
  }

  /** The pairs that end in these versions, ascending by number. A version without text has none. */
  async *pairs(records: readonly SchemaRecord[]): AsyncGenerator<HistoryPair | { refusal: Refusal }> {
    for (let at = 0; at < records.length; at += HELD_TOGETHER) {
      const window = records.slice(at, at + HELD_TOGETHER);
      const schemas = await holdRecords(this.edge, window);
      if (!schemas.ok) {
        yield { refusal: schemas.refusal };
        return;
      }
      for (const [index, record] of window.entries()) {
        const schema = schemas.value[index];
        if (!schema) continue;
        const to = { record, schema };
        const group = this.#groupOf(record);
        const from = await this.#hold(this.#newest.get(group));
        if (from && "refusal" in from) {
          yield from;
          return;
        }
        this.#newest.set(group, record);
        this.#held = to;
        if (from) yield { from, to };
      }
    }
  }

  async #hold(record: SchemaRecord | undefined): Promise<HistoryVersion | { refusal: Refusal } | undefined> {
    if (record === undefined || this.#held?.record === record) return record && this.#held;
    const schemas = await holdRecords(this.edge, [record]);
    if (!schemas.ok) return { refusal: schemas.refusal };
    return schemas.value[0] && { record, schema: schemas.value[0] };
  }

  #groupOf({ contract }: SchemaRecord): string | null {
    return this.group === null ? null : (contract.metadata?.properties?.[this.group] ?? null);
  }
}
