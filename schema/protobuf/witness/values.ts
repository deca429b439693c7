/** Values and messages that a writer can produce: telling ones first, then random ones from a seed. */
import type { WriterAssumption } from "../../compatibility.ts";
import type { Random } from "../../random.ts";
import {
  emptyMessage,
  type FieldValue,
  findMessage,
  isMessageValue,
  type MessageValue,
  makeZero,
} from "../codec/codec.ts";
import { EMPTY_JSON_FORMS } from "../codec/json.ts";
import type { LinkedField, LinkedMessage, LinkedModel } from "../compare/linked.ts";
import { isEnumDefinition, type Oneof } from "../model.ts";

/** Deep enough to reach into a nested message, small enough to read. */
const MAX_VALUE_DEPTH = 3;
/** Values in one random message, including nested ones. */
const MAX_SAMPLED_FIELDS = 200;
const MAX_ENUM_NUMBERS = 200;

const SIGNED_32 = [1n, -1n, 2n, 2n ** 31n - 1n, -(2n ** 31n)];
const UNSIGNED_32 = [1n, 2n, 2n ** 32n - 1n, 2n ** 31n];
const SIGNED_64 = [1n, -1n, 2n, 2n ** 32n + 1n, 2n ** 63n - 1n, -(2n ** 63n), -(2n ** 40n)];
const UNSIGNED_64 = [1n, 2n, 2n ** 32n + 1n, 2n ** 64n - 1n, 2n ** 63n];

const TELLING: Partial<Record<LinkedField["kind"], readonly FieldValue[]>> = {
  int32: SIGNED_32,
  sint32: SIGNED_32,
  sfixed32: SIGNED_32,
  uint32: UNSIGNED_32,
  fixed32: UNSIGNED_32,
  int64: SIGNED_64,
  sint64: SIGNED_64,
  sfixed64: SIGNED_64,
  uint64: UNSIGNED_64,
  fixed64: UNSIGNED_64,
  bool: [true],
  float: [1.5, -2, Number.NaN, Number.POSITIVE_INFINITY],
  double: [1.5, -2, 1e300, Number.NaN],
  string: ["text", "\u00e9", "~"],
  bytes: [Uint8Array.of(0xff), Uint8Array.of(0x80, 0x61), Uint8Array.of(1, 2, 3)],
};

/** Generates messages that a writer with one schema can send. */
export class Sampler {
  #left = MAX_SAMPLED_FIELDS;
  readonly #fieldLists = new Map<LinkedMessage, readonly LinkedField[]>();

  readonly side: LinkedModel;
  readonly random: Random;
  readonly writers: WriterAssumption;

  constructor(side: LinkedModel, random: Random, writers: WriterAssumption) {
    this.side = side;
    this.random = random;
    this.writers = writers;
  }

  /** Singular values that a writer can send in a field, the telling ones first. */
  tellingValues(field: LinkedField): FieldValue[] {
    if (field.type !== null && isEnumDefinition(field.type)) {
      const listed = this.side.enum(field.type);
      const numbers = [...listed.names.keys()].slice(0, MAX_ENUM_NUMBERS).map(BigInt);
      return listed.features.enum_type === "OPEN" && this.writers === "any" ? [...numbers, 1_234_567n, -7n] : numbers;
    }
    const message = findMessage(this.side, field);
    if (message !== null) {
      return [1, 2, MAX_VALUE_DEPTH].flatMap((depth) => this.message(message, depth) ?? []);
    }
    const values = TELLING[field.kind] ?? [];
    const isUnchecked = field.kind === "string" && field.features.utf8_validation === "NONE" && this.writers === "any";
    return isUnchecked ? [...values, Uint8Array.of(0xff)] : [...values];
  }

  /** A random message with all required fields, or null if they need more depth than is left. */
  message(message: LinkedMessage, depth: number = MAX_VALUE_DEPTH): MessageValue | null {
    this.#left = MAX_SAMPLED_FIELDS;
    return this.#message(message, depth);
  }

  /** The smallest message that the writer can send, or null if required fields nest without end. */
  minimal(message: LinkedMessage, depth: number = MAX_VALUE_DEPTH + 3): MessageValue | null {
    const value = emptyMessage();
    // A writer always sends both parts of an entry.
    for (const field of message.isMapEntry ? message.fields.values() : message.required) {
      const nested = findMessage(this.side, field);
      if (nested === null) value.values.set(field.number, [this.#requiredValue(field)]);
      else {
        const inner = depth > 0 ? this.minimal(nested, depth - 1) : null;
        if (inner === null) return null;
        value.values.set(field.number, [inner]);
      }
    }
    return value;
  }

  #message(message: LinkedMessage, depth: number): MessageValue | null {
    const value = this.minimal(message);
    if (value === null || depth <= 0 || EMPTY_JSON_FORMS[message.fullName] !== undefined) return value;
    const oneofs = new Set<Oneof>();
    for (const field of this.#someFields(message)) {
      const isPart = message.isMapEntry || field.cardinality === "required";
      if (this.#left <= 0 || (!isPart && this.random.next() < 0.35)) continue;
      if (field.oneof !== null && oneofs.has(field.oneof)) continue;
      const values = this.#values(field, depth);
      if (values.length === 0) continue;
      if (field.oneof !== null) oneofs.add(field.oneof);
      value.values.set(field.number, values);
    }
    return value;
  }

  /** The fields in random order; of very many, slightly more than a message may contain, because some are omitted. */
  #someFields(message: LinkedMessage): LinkedField[] {
    const all = this.#fieldLists.get(message) ?? [...this.side.fields(message).values()];
    this.#fieldLists.set(message, all);
    if (all.length <= 2 * MAX_SAMPLED_FIELDS) return this.random.shuffled(all);
    return [...new Set(Array.from({ length: 2 * MAX_SAMPLED_FIELDS }, () => this.random.pick(all)))];
  }

  #values(field: LinkedField, depth: number): FieldValue[] {
    const isMany = field.cardinality === "repeated" || field.cardinality === "map";
    const count = isMany ? 1 + this.random.integer(0, 2) : 1;
    const values = new Map<string, FieldValue>();
    for (let at = 0; at < count; at += 1) {
      const value = this.#value(field, depth);
      if (value === null) continue;
      // A map contains each key once.
      const isEntry = field.cardinality === "map" && isMessageValue(value);
      values.set(isEntry ? String(value.values.get(1)?.[0]) : String(at), value);
    }
    return [...values.values()];
  }

  #value(field: LinkedField, depth: number): FieldValue | null {
    this.#left -= 1;
    const message = findMessage(this.side, field);
    if (message !== null) return this.#message(message, depth - 1);
    if (field.type === null && this.random.next() < 0.2) return makeZero(field);
    return this.random.pick(this.tellingValues(field)) ?? makeZero(field);
  }

  #requiredValue(field: LinkedField): FieldValue {
    if (field.type === null || !isEnumDefinition(field.type)) return makeZero(field);
    return BigInt(field.type.element.values[0]?.number ?? 0);
  }
}
