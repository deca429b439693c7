/**
 * Compares attributes by their texts, each rendered once per comparison: one type can meet thousands of others, and its
 * properties can be a megabyte long.
 */
import { compareCodeUnits, type JsonNode } from "../../json-text.ts";
import { writeValue } from "../text/canonical.ts";

/** Characters compared per unit of work. */
const CHARACTERS_PER_STEP = 1_000;

export class AttributeTexts {
  readonly #values = new Map<JsonNode, string>();
  readonly #names = new Map<readonly string[], string>();
  readonly #spend: (steps: number) => void;

  constructor(spend: (steps: number) => void) {
    this.#spend = spend;
  }

  /** Whether two values are equal, ignoring key order. Null means absent. */
  sameValue(a: JsonNode | null, b: JsonNode | null): boolean {
    if (a === b) return true;
    if (a === null || b === null || a.type !== b.type) return false;
    return this.#same(this.#valueOf(a), this.#valueOf(b));
  }

  /** Whether two lists contain the same names, in any order. */
  sameNames(a: readonly string[], b: readonly string[]): boolean {
    if (a.length !== b.length) return false;
    return a.length === 0 || this.#same(this.#namesOf(a), this.#namesOf(b));
  }

  sameText(a: string | null, b: string | null): boolean {
    return a === null || b === null ? a === b : this.#same(a, b);
  }

  #same(a: string, b: string): boolean {
    if (a.length !== b.length) return false;
    this.#spend(Math.floor(a.length / CHARACTERS_PER_STEP));
    return a === b;
  }

  #valueOf(node: JsonNode): string {
    // Scalars are cheaper to render again than to cache.
    if (node.type !== "object" && node.type !== "array") return node.type === "string" ? node.value : writeValue(node);
    let text = this.#values.get(node);
    if (text === undefined) {
      text = writeValue(node, true);
      this.#values.set(node, text);
    }
    return text;
  }

  #namesOf(names: readonly string[]): string {
    let text = this.#names.get(names);
    if (text === undefined) {
      text = names.toSorted(compareCodeUnits).join(" ");
      this.#names.set(names, text);
    }
    return text;
  }
}
