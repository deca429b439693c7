/** Checks whether a default fits its type (specification, "Complex Types", table of field default values). */
import { type JsonNode, type JsonString, pointerToken } from "../../json-text.ts";
import {
  type AvroEnum,
  type AvroField,
  type AvroFixed,
  type AvroPrimitive,
  type AvroRecord,
  type AvroType,
  type AvroUnion,
  typeName,
} from "../model.ts";
import { shorten } from "../names.ts";

type DefaultProblem = { pointer: string; node: JsonNode; message: string };

const INTEGER = /^-?\d+$/;
const MAX_INT = 2n ** 31n - 1n;
const MAX_LONG = 2n ** 63n - 1n;
/** The syntax of Java's Double.valueOf: some tools quote numbers, and NaN and the infinities can only be quoted. */
const QUOTED_DOUBLE = /^[\s]*[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?)[\s]*$/;
const NOT_FINITE = /^(?:NaN|-?Infinity)$/;
/** Each character of a bytes or fixed default represents one byte. */
const BEYOND_ONE_BYTE = /[^\u0000-\u00ff]/;

/** Parses a quoted number as a default of `float` or `double`; null if it is not a number. */
export function parseQuotedDouble(text: string): number | null {
  if (!QUOTED_DOUBLE.test(text)) return null;
  return Number(text.trim().replace(/[fFdD]$/, ""));
}

/** The most values, fields and branches one checker visits. A default can leave out thousands of fields each time its record is used. */
export const MAX_DEFAULT_STEPS = 2_000_000;

/** The result of checking a value against a union, with the fields it leaves to their own defaults. */
type UnionTrial = { problem: DefaultProblem | null; leftOut: readonly AvroField[] };

/** Checks defaults. `leftToDefault` receives each field that a valid default leaves out, and whose own default it thereby contains. */
export class DefaultChecker {
  readonly #leftToDefault: (field: AvroField) => void;
  /** Fields left out by the branch being tried; discarded if the branch does not fit. */
  #leftOut: AvroField[] = [];
  /** Results for composite values, because nested unions of records would otherwise retry every branch at each level. */
  readonly #triedUnions = new Map<AvroUnion, Map<JsonNode, UnionTrial>>();
  #steps = 0;

  constructor(leftToDefault: (field: AvroField) => void = () => {}) {
    this.#leftToDefault = leftToDefault;
  }

  get isExhausted(): boolean {
    return this.#steps > MAX_DEFAULT_STEPS;
  }

  /**
   * The first problem of a default, or null. A union's default may match any branch. Also returns null once the bound on
   * work is reached, so check `isExhausted` before relying on it.
   */
  find(type: AvroType, node: JsonNode, pointer: string): DefaultProblem | null {
    this.#leftOut = [];
    const problem = this.#find(type, node, pointer);
    if (problem === null) for (const field of this.#leftOut) this.#leftToDefault(field);
    return problem;
  }

  #find(type: AvroType, node: JsonNode, pointer: string): DefaultProblem | null {
    this.#steps += 1;
    if (this.isExhausted) return null;
    switch (type.kind) {
      case "array":
        if (node.type !== "array") return mismatch(node, pointer, "an array");
        return this.#firstProblem(node.items.entries(), type.items, pointer);
      case "map":
        if (node.type !== "object") return mismatch(node, pointer, "an object, the JSON form of a map");
        return this.#firstProblem(node.members, type.values, pointer);
      case "record":
        return this.#findInRecord(type, node, pointer);
      case "union":
        return this.#findInUnion(type, node, pointer);
      default: {
        const expected = expectedOf(type, node);
        return expected === null ? null : mismatch(node, pointer, expected);
      }
    }
  }

  #findInRecord(type: AvroRecord, node: JsonNode, pointer: string): DefaultProblem | null {
    const name = shorten(type.name.full);
    if (node.type !== "object") return mismatch(node, pointer, `an object, the JSON form of record ${name}`);
    this.#steps += type.fields.length;
    for (const field of type.fields) {
      if (this.isExhausted) return null;
      const value = node.members.get(field.name);
      if (value !== undefined) {
        const problem = this.#find(field.type, value, `${pointer}/${pointerToken(field.name)}`);
        if (problem) return problem;
      } else if (field.defaultValue === null) {
        const missing = `a value for field "${shorten(field.name)}" of ${name}, which has no default of its own`;
        return mismatch(node, pointer, missing);
      } else this.#leftOut.push(field);
    }
    return null;
  }

  /** Since Avro 1.12 any branch may match. If none does, report the one that fails deepest, as most likely intended. */
  #findInUnion(type: AvroUnion, node: JsonNode, pointer: string): DefaultProblem | null {
    const known = this.#triedUnions.get(type)?.get(node);
    const trial = known ?? this.#tryBranches(type, node, pointer);
    for (const field of trial.leftOut) this.#leftOut.push(field);
    if (known !== undefined || !("members" in node || "items" in node)) return trial.problem;
    const trials = this.#triedUnions.get(type);
    if (trials === undefined) this.#triedUnions.set(type, new Map([[node, trial]]));
    else trials.set(node, trial);
    return trial.problem;
  }

  #tryBranches(type: AvroUnion, node: JsonNode, pointer: string): UnionTrial {
    const around = this.#leftOut;
    let meant: DefaultProblem | null = null;
    for (const branch of type.branches) {
      this.#leftOut = [];
      const problem = this.#find(branch, node, pointer);
      const leftOut = this.#leftOut;
      this.#leftOut = around;
      if (problem === null) return { problem, leftOut };
      if (problem.pointer.length > (meant?.pointer ?? pointer).length) meant = problem;
    }
    return { problem: meant ?? mismatch(node, pointer, expectedOfUnion(type)), leftOut: [] };
  }

  #firstProblem(
    entries: Iterable<[string | number, JsonNode]>,
    type: AvroType,
    pointer: string,
  ): DefaultProblem | null {
    for (const [key, value] of entries) {
      const problem = this.#find(type, value, `${pointer}/${pointerToken(key)}`);
      if (problem) return problem;
    }
    return null;
  }
}

function mismatch(node: JsonNode, pointer: string, expected: string): DefaultProblem {
  return { pointer, node, message: `The default is ${describe(node)}, expected ${expected}.` };
}

const MAX_LISTED_BRANCHES = 10;

function expectedOfUnion({ branches }: AvroUnion): string {
  if (branches.length === 0) return "no default: the union has no branch";
  const names = branches.slice(0, MAX_LISTED_BRANCHES).map((branch) => shorten(typeName(branch)));
  const rest = branches.length - names.length;
  return `a value of one of the union's branches: ${names.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

/** What a default of this simple type must look like, or null if it does. */
function expectedOf(type: AvroPrimitive | AvroEnum | AvroFixed, node: JsonNode): string | null {
  switch (type.kind) {
    case "null":
      return node.type === "null" ? null : "null";
    case "boolean":
      return node.type === "boolean" ? null : "true or false";
    case "int":
      return isIntegerUpTo(node, MAX_INT) ? null : "an integer of 32 bits";
    case "long":
      return isIntegerUpTo(node, MAX_LONG) ? null : "an integer of 64 bits";
    case "float":
    case "double":
      return node.type === "number" || (node.type === "string" && NOT_FINITE.test(node.value)) ? null : "a number";
    case "string":
      return node.type === "string" ? null : "a string";
    case "bytes":
      return isBytes(node) ? null : "a string of the characters U+0000 to U+00FF, one for each byte";
    case "fixed":
      return isBytes(node) && node.value.length === type.size
        ? null
        : `a string of ${type.size} characters U+0000 to U+00FF, one for each byte`;
    case "enum":
      return node.type === "string" && type.ordinals.has(node.value)
        ? null
        : `one of the symbols of ${shorten(type.name.full)}`;
  }
}

function isBytes(node: JsonNode): node is JsonString {
  return node.type === "string" && !BEYOND_ONE_BYTE.test(node.value);
}

function isIntegerUpTo(node: JsonNode, max: bigint): boolean {
  // Every 64-bit number has at most 20 characters, so longer texts are not converted.
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
