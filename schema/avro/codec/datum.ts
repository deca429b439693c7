/** Avro data in memory, and in the JSON encoding (specification, "JSON Encoding"). */
import type { JsonNode } from "../../json-text.ts";
import { type AvroType, typeName } from "../model.ts";
import { DefaultChecker } from "../parse/default-value.ts";

/** One value, represented according to its type: a long is a bigint, bytes and fixed are byte arrays, a record is a map keyed by field name. */
export type AvroDatum =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | AvroDatum[]
  | Map<string, AvroDatum>
  | AvroBranch;

/** A value of a union, with the index of its branch. */
export type AvroBranch = { branch: number; value: AvroDatum };

/** Data are shown to humans; anything deeper or larger is refused, because it may be a bomb. */
export const MAX_DATUM_DEPTH = 256;
export const MAX_DATUM_NODES = 100_000;

/** Thrown when a datum cannot exist or exceeds a bound. */
export class DatumError extends Error {}

/** Thrown when a datum exceeds a limit on size or depth. */
export class DatumTooLarge extends DatumError {}

/** Counts the values and nesting levels of one datum. */
export class DatumBudget {
  depth = 0;
  nodes = 0;
  readonly defaults = new DefaultChecker();
  readonly #maxNodes: number;

  constructor(maxNodes = MAX_DATUM_NODES) {
    this.#maxNodes = maxNodes;
  }

  enter(): void {
    this.nodes += 1;
    this.depth += 1;
    if (this.nodes > this.#maxNodes) throw new DatumTooLarge(`The datum has more than ${this.#maxNodes} values.`);
    if (this.depth > MAX_DATUM_DEPTH) throw new DatumTooLarge(`The datum nests deeper than ${MAX_DATUM_DEPTH} levels.`);
  }

  leave(): void {
    this.depth -= 1;
  }
}

type JsonForm = {
  /** A long that a double cannot represent. */
  largeLong(long: bigint): unknown;
  /** Whether a union's value is wrapped in an object named after its branch. */
  wrapsUnions: boolean;
};

/** For humans: longs beyond 2^53 are strings of digits, because JavaScript's JSON cannot represent them. */
const SHOWN: JsonForm = { largeLong: String, wrapsUnions: true };

/** The JSON encoding; NaN and the infinities become their names. */
export function datumToJson(type: AvroType, datum: AvroDatum, form: JsonForm = SHOWN): unknown {
  switch (type.kind) {
    case "long": {
      const long = datum as bigint;
      return long >= Number.MIN_SAFE_INTEGER && long <= Number.MAX_SAFE_INTEGER ? Number(long) : form.largeLong(long);
    }
    case "float":
    case "double":
      return Number.isFinite(datum) ? datum : String(datum);
    case "bytes":
    case "fixed":
      return Array.from(datum as Uint8Array, (byte) => String.fromCharCode(byte)).join("");
    case "array":
      return (datum as AvroDatum[]).map((item) => datumToJson(type.items, item, form));
    case "map":
      return plainObject(
        [...(datum as Map<string, AvroDatum>)].map(([key, value]) => [key, datumToJson(type.values, value, form)]),
      );
    case "record":
      return plainObject(
        type.fields.map(({ name, type: fieldType }) => [
          name,
          datumToJson(fieldType, (datum as Map<string, AvroDatum>).get(name)!, form),
        ]),
      );
    case "union": {
      const { branch, value } = datum as AvroBranch;
      const branchType = type.branches[branch]!;
      if (branchType.kind === "null") return null;
      const inner = datumToJson(branchType, value, form);
      return form.wrapsUnions ? plainObject([[typeName(branchType), inner]]) : inner;
    }
    default:
      return datum;
  }
}

/** Keys are user data, so `__proto__` must be an ordinary key. */
function plainObject(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const [key, value] of entries) {
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  }
  return object;
}

/** Converts a default to a datum. Throws DatumError if the default does not fit the type, or any branch of the union. */
export function defaultDatum(type: AvroType, node: JsonNode, budget: DatumBudget): AvroDatum {
  budget.enter();
  const datum = defaultDatumOf(type, node, budget);
  if (budget.defaults.isExhausted) throw new DatumError("The default is too complex.");
  budget.leave();
  return datum;
}

function defaultDatumOf(type: AvroType, node: JsonNode, budget: DatumBudget): AvroDatum {
  switch (type.kind) {
    case "union": {
      const branch = type.branches.findIndex((candidate) => budget.defaults.find(candidate, node, "") === null);
      if (branch < 0) throw new DatumError("The default fits no branch of its union.");
      return { branch, value: defaultDatum(type.branches[branch]!, node, budget) };
    }
    case "array":
      if (node.type !== "array") break;
      return node.items.map((item) => defaultDatum(type.items, item, budget));
    case "map":
      if (node.type !== "object") break;
      return new Map([...node.members].map(([key, value]) => [key, defaultDatum(type.values, value, budget)]));
    case "record":
      if (node.type !== "object") break;
      return new Map(
        type.fields.map((field) => {
          const value = node.members.get(field.name) ?? field.defaultValue;
          if (value === null) throw new DatumError(`The default has no value for field "${field.name}".`);
          return [field.name, defaultDatum(field.type, value, budget)];
        }),
      );
    default: {
      const problem = budget.defaults.find(type, node, "");
      if (problem !== null) throw new DatumError(problem.message);
      return simpleDatum(type, node);
    }
  }
  throw new DatumError(budget.defaults.find(type, node, "")?.message ?? "The default does not fit its type.");
}

function simpleDatum(type: AvroType, node: JsonNode): AvroDatum {
  switch (node.type) {
    case "number":
      return type.kind === "long" ? BigInt(node.text) : node.value;
    case "string":
      if (type.kind === "bytes" || type.kind === "fixed") {
        return Uint8Array.from(node.value, (character) => character.charCodeAt(0));
      }
      return type.kind === "float" || type.kind === "double" ? Number(node.value) : node.value;
    case "boolean":
      return node.value;
    default:
      return null;
  }
}
