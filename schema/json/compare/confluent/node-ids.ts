/** JSON equality as equality of numbers: every value is examined once, at any depth. */
import type { JsonNode } from "../../../json-text.ts";
import { equalityKey } from "../../validate/equality.ts";
import type { ComparisonMeter } from "../bounds.ts";

/** Steps for examining a value the first time. */
const WORK_PER_NODE = 0.2;

export class NodeIds {
  readonly #known = new Map<JsonNode, number>();
  readonly #ids = new Map<string, number>();
  readonly #meter: ComparisonMeter;

  constructor(meter: ComparisonMeter) {
    this.#meter = meter;
  }

  /** Equal ids for equal values only. */
  idOf(node: JsonNode): number {
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    this.#meter.spend(WORK_PER_NODE, "");
    const key = this.#keyOf(node);
    const id = this.#ids.get(key) ?? this.#ids.size;
    this.#ids.set(key, id);
    this.#known.set(node, id);
    return id;
  }

  /** A value expressed by the ids of its parts. */
  #keyOf(node: JsonNode): string {
    if (node.type === "array") return `[${node.items.map((item) => this.idOf(item)).join()}]`;
    if (node.type !== "object") return equalityKey(node);
    const names = [...node.members.keys()].sort();
    return `{${names.map((name) => `${JSON.stringify(name)}:${this.idOf(node.members.get(name)!)}`).join()}}`;
  }
}
