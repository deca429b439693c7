/** Whether a default fits its type, in the JSON encoding (specification, "Complex Types", table of field defaults). */
import { type JsonNode, pointerToken } from "../../json-text.ts";
import { type AvroField, type AvroType, typeName } from "../model.ts";
import { shorten } from "../names.ts";

export type DefaultProblem = { pointer: string; node: JsonNode; message: string };

const INTEGER = /^-?\d+$/;
const MAX_INT = 2n ** 31n - 1n;
const MAX_LONG = 2n ** 63n - 1n;
/** What Java's Double.valueOf reads: some writers quote their numbers, and NaN and the infinities have no other form. */
const QUOTED_DOUBLE = /^[\s]*[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?)[\s]*$/;
const NOT_FINITE = /^(?:NaN|-?Infinity)$/;
/** Characters of a bytes or fixed default stand for one byte each. */
const BEYOND_ONE_BYTE = /[^\u0000-\u00ff]/;

/** Reads a quoted number as a default of `float` or `double`, or null where the text is no number. */
export function parseQuotedDouble(text: string): number | null {
  if (!QUOTED_DOUBLE.test(text)) return null;
  return Number(text.trim().replace(/[fFdD]$/, ""));
}

/** Values and fields looked at by one checker: a record's default may leave out thousands of fields, as often as it is used. */
export const MAX_DEFAULT_STEPS = 5_000_000;

/** Checks defaults. `leftToDefault` hears of the fields that a record's default leaves out, and whose own defaults it so contains. */
export class DefaultChecker {
  readonly #leftToDefault: (field: AvroField) => void;
  #steps = 0;

  constructor(leftToDefault: (field: AvroField) => void = () => {}) {
    this.#leftToDefault = leftToDefault;
  }

  get isExhausted(): boolean {
    return this.#steps > MAX_DEFAULT_STEPS;
  }

  /** Whether a reader can fill a field from this default: that of a union may, beyond the rule for new schemas, fit any branch. */
  isUsable(type: AvroType, node: JsonNode): boolean {
    const types = type.kind === "union" ? type.branches : [type];
    return types.some((candidate) => this.find(candidate, node, "") === null);
  }

  /**
   * The first thing wrong with a default, or null. The default of a union belongs to its first branch.
   * Null also once the bound on work is reached: ask `isExhausted` before believing it.
   */
  find(type: AvroType, node: JsonNode, pointer: string): DefaultProblem | null {
    const mismatch = (expected: string): DefaultProblem => ({
      pointer,
      node,
      message: `The default is ${describe(node)}, expected ${expected}.`,
    });
    this.#steps += 1;
    if (this.isExhausted) return null;
    switch (type.kind) {
      case "null":
        return node.type === "null" ? null : mismatch("null");
      case "boolean":
        return node.type === "boolean" ? null : mismatch("true or false");
      case "int":
        return isIntegerUpTo(node, MAX_INT) ? null : mismatch("an integer of 32 bits");
      case "long":
        return isIntegerUpTo(node, MAX_LONG) ? null : mismatch("an integer of 64 bits");
      case "float":
      case "double":
        return node.type === "number" || (node.type === "string" && NOT_FINITE.test(node.value))
          ? null
          : mismatch("a number");
      case "string":
        return node.type === "string" ? null : mismatch("a string");
      case "bytes":
        return node.type === "string" && !BEYOND_ONE_BYTE.test(node.value)
          ? null
          : mismatch("a string of the characters U+0000 to U+00FF, one for each byte");
      case "fixed":
        return node.type === "string" && !BEYOND_ONE_BYTE.test(node.value) && node.value.length === type.size
          ? null
          : mismatch(`a string of ${type.size} characters U+0000 to U+00FF, one for each byte`);
      case "enum":
        return node.type === "string" && type.ordinals.has(node.value)
          ? null
          : mismatch(`one of the symbols of ${shorten(type.name.full)}`);
      case "array":
        if (node.type !== "array") return mismatch("an array");
        return this.#first(node.items.entries(), type.items, pointer);
      case "map":
        if (node.type !== "object") return mismatch("an object, the JSON form of a map");
        return this.#first(node.members, type.values, pointer);
      case "record":
        if (node.type !== "object") return mismatch(`an object, the JSON form of record ${shorten(type.name.full)}`);
        this.#steps += type.fields.length;
        for (const field of type.fields) {
          if (this.isExhausted) return null;
          const value = node.members.get(field.name);
          if (value !== undefined) {
            const problem = this.find(field.type, value, `${pointer}/${pointerToken(field.name)}`);
            if (problem) return problem;
          } else if (field.defaultValue === null) {
            return mismatch(
              `a value for field "${shorten(field.name)}" of ${shorten(type.name.full)}, which has no default of its own`,
            );
          } else this.#leftToDefault(field);
        }
        return null;
      case "union": {
        const [first] = type.branches;
        if (first === undefined) return mismatch("no default: the union has no branch");
        const problem = this.find(first, node, pointer);
        return problem && problem.pointer === pointer
          ? mismatch(`a value of the union's first branch, ${shorten(typeName(first))}`)
          : problem;
      }
    }
  }

  #first(entries: Iterable<[string | number, JsonNode]>, type: AvroType, pointer: string): DefaultProblem | null {
    for (const [key, value] of entries) {
      const problem = this.find(type, value, `${pointer}/${pointerToken(key)}`);
      if (problem) return problem;
    }
    return null;
  }
}

function isIntegerUpTo(node: JsonNode, max: bigint): boolean {
  // 20 characters hold every 64-bit number; converting a longer one costs more than it can tell.
  if (node.type !== "number" || !INTEGER.test(node.text) || node.text.length > 20) return false;
  const value = BigInt(node.text);
  return value <= max && value >= -max - 1n;
}

function describe(node: JsonNode): string {
  switch (node.type) {
    case "string":
      return node.value.length > 40 ? "a string" : JSON.stringify(node.value);
    case "number":
      return node.text.length > 40 ? "a number" : node.text;
    case "boolean":
      return String(node.value);
    case "null":
      return "null";
    case "array":
      return "an array";
    case "object":
      return "an object";
  }
}
