/** Generates data that a writer can produce: the smallest of a type, or random ones biased towards edge cases. */
import { type AvroDatum, DatumBudget, DatumError } from "../codec/datum.ts";
import { type AvroFixed, type AvroRecord, type AvroType, type AvroUnion, findLogicalType, typeName } from "../model.ts";
import { shorten } from "../names.ts";

/** Samples are shown to humans, so larger fixed values are not generated. */
const MAX_FIXED_BYTES = 16_384;
/** Wide and deep records can make samples too large to be useful. */
const MAX_SAMPLE_NODES = 10_000;

/** A reproducible pseudo-random generator: a 32-bit Weyl sequence with a mixing step. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer in [0, bound). */
  below(bound: number): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) % bound;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }
}

/** Generates data for the types reachable from one root. */
export class Sampler {
  /** The nesting depth of each type's smallest datum; absent if no finite datum exists. */
  readonly #heights: ReadonlyMap<AvroType, number>;
  readonly #smallest = new Map<AvroType, AvroDatum>();
  #budget = new DatumBudget(MAX_SAMPLE_NODES);

  constructor(root: AvroType) {
    this.#heights = measureHeights(root);
  }

  hasDatum(type: AvroType): boolean {
    return this.#heights.has(type);
  }

  /** The datum with the least nesting, with empty containers and zeros. Throws DatumError if no finite datum exists. */
  smallest(type: AvroType): AvroDatum {
    const known = this.#smallest.get(type);
    if (known !== undefined) return known;
    this.#budget = new DatumBudget(MAX_SAMPLE_NODES);
    const datum = this.#make(type, null, 0);
    this.#smallest.set(type, datum);
    return datum;
  }

  /** A random datum that nests not much deeper than `depth` levels. */
  random(type: AvroType, random: SeededRandom, depth = 6): AvroDatum {
    this.#budget = new DatumBudget(MAX_SAMPLE_NODES);
    return this.#make(type, random, depth);
  }

  #make(type: AvroType, random: SeededRandom | null, depth: number): AvroDatum {
    if (!this.#heights.has(type)) throw new DatumError(`No finite datum of ${shorten(typeName(type))} exists.`);
    this.#budget.enter();
    const datum = this.#makeOf(type, depth > 0 ? random : null, depth - 1);
    this.#budget.leave();
    return datum;
  }

  #makeOf(type: AvroType, random: SeededRandom | null, depth: number): AvroDatum {
    switch (type.kind) {
      case "array": {
        const count = random === null || !this.hasDatum(type.items) ? 0 : random.below(3);
        return Array.from({ length: count }, () => this.#make(type.items, random, depth));
      }
      case "map": {
        const count = random === null || !this.hasDatum(type.values) ? 0 : random.below(3);
        return new Map(
          Array.from({ length: count }, (_, index) => [`key${index}`, this.#make(type.values, random, depth)]),
        );
      }
      case "record":
        return new Map(type.fields.map((field) => [field.name, this.#make(field.type, random, depth)]));
      case "union": {
        const possible = type.branches.filter((branch) => this.hasDatum(branch));
        const branch = random === null ? this.#lowest(possible) : random.pick(possible);
        return { branch: type.branches.indexOf(branch), value: this.#make(branch, random, depth) };
      }
      case "enum":
        return random === null ? type.symbols[0]! : random.pick(type.symbols);
      case "fixed":
        return makeFixed(type, random);
      default:
        return makePrimitive(type, random);
    }
  }

  #lowest(types: readonly AvroType[]): AvroType {
    return types.reduce((lowest, type) => (this.#heights.get(type)! < this.#heights.get(lowest)! ? type : lowest));
  }
}

/**
 * The nesting depth of each type's smallest datum. Heights are settled from the leaves upwards: a record after its last
 * field, a union with its first branch. A type that never settles has no finite datum.
 */
function measureHeights(root: AvroType): Map<AvroType, number> {
  const heights = new Map<AvroType, number>();
  const usedBy = new Map<AvroType, (AvroRecord | AvroUnion)[]>();
  const openFields = new Map<AvroType, number>();
  for (const type of reachableTypes(root)) {
    const parts =
      type.kind === "record" ? type.fields.map((field) => field.type) : type.kind === "union" ? type.branches : [];
    if (parts.length === 0) {
      if (type.kind !== "union" && (type.kind !== "enum" || type.symbols.length > 0)) heights.set(type, 0);
    } else if (type.kind === "record") openFields.set(type, parts.length);
    for (const part of parts) append(usedBy, part, type as AvroRecord | AvroUnion);
  }
  // Iterating a map also visits entries added meanwhile, in insertion order: lower heights first.
  for (const [type, height] of heights) {
    for (const user of usedBy.get(type) ?? []) {
      const open = user.kind === "record" ? openFields.get(user)! - 1 : 0;
      openFields.set(user, open);
      if (open === 0 && !heights.has(user)) heights.set(user, height + 1);
    }
  }
  return heights;
}

function append<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** The types reachable from the root, each once, in order of discovery. */
function reachableTypes(root: AvroType): AvroType[] {
  const met = new Set<AvroType>([root]);
  // Iterating a set also visits elements added meanwhile.
  for (const type of met) {
    if (type.kind === "record") for (const field of type.fields) met.add(field.type);
    else if (type.kind === "union") for (const branch of type.branches) met.add(branch);
    else if (type.kind === "array") met.add(type.items);
    else if (type.kind === "map") met.add(type.values);
  }
  return [...met];
}

const INTS = [0, 1, -1, 7, 1000, 16_777_217, 2 ** 31 - 1, -(2 ** 31)];
const LONGS = [0n, 1n, -1n, 1000n, 16_777_217n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];
const FLOATS = [0, 1, -1.5, Math.fround(0.1), 3.4028234663852886e38, Number.NaN, Number.POSITIVE_INFINITY];
const DOUBLES = [0, 1, -1.5, 0.1, 1.7976931348623157e308, Number.NaN, Number.NEGATIVE_INFINITY];
const STRINGS = ["", "a", "naïve", "日本", "\u0000", "0"];
const BYTES = [[], [0], [1], [0x61], [0xff], [0x7f, 0xff], [0xc3, 0xa9], [0x80, 0, 0, 0]].map((bytes) =>
  Uint8Array.from(bytes),
);
const UUIDS = ["00000000-0000-0000-0000-000000000000", "123e4567-e89b-12d3-a456-426614174000"];

function makePrimitive(type: AvroType, random: SeededRandom | null): AvroDatum {
  const pick = <T>(choices: readonly T[]): T => (random === null ? choices[0]! : random.pick(choices));
  const logicalType = findLogicalType(type);
  switch (type.kind) {
    case "boolean":
      return pick([false, true]);
    case "int":
      return pick(INTS);
    case "long":
      return pick(LONGS);
    case "float":
      return pick(FLOATS);
    case "double":
      return pick(DOUBLES);
    case "string":
      return pick(logicalType?.name === "uuid" ? UUIDS : STRINGS);
    case "bytes":
      return logicalType?.name === "decimal" ? bytesOfInteger(pick(decimals(logicalType.precision))) : pick(BYTES);
    default:
      return null;
  }
}

function makeFixed(type: AvroFixed, random: SeededRandom | null): Uint8Array {
  if (type.size > MAX_FIXED_BYTES) throw new DatumError(`A sample has no fixed of more than ${MAX_FIXED_BYTES} bytes.`);
  if (type.logicalType?.name === "decimal") {
    const unscaled = random === null ? 0n : random.pick(decimals(type.logicalType.precision));
    return bytesOfInteger(unscaled, type.size);
  }
  return Uint8Array.from({ length: type.size }, () => (random === null ? 0 : random.below(256)));
}

/** Unscaled numbers of up to `precision` digits, capped at a thousand digits. */
function decimals(precision: number): bigint[] {
  const largest = 10n ** BigInt(Math.min(precision, 1000)) - 1n;
  return [0n, 1n, -1n, largest, -largest];
}

/** Big-endian two's complement in as few bytes as possible, or in `size` bytes. */
export function bytesOfInteger(value: bigint, size = 0): Uint8Array {
  // One bit more than the magnitude, for the sign. Hexadecimal conversion takes linear time.
  const magnitude = value < 0n ? -value - 1n : value;
  const digits = magnitude.toString(16);
  const bits = magnitude === 0n ? 1 : digits.length * 4 - Math.clz32(Number.parseInt(digits[0]!, 16)) + 28 + 1;
  const length = Math.max(Math.ceil(bits / 8), size);
  const hex = BigInt.asUintN(length * 8, value)
    .toString(16)
    .padStart(length * 2, "0");
  return Uint8Array.from({ length }, (_, at) => Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16));
}
