/** Candidate messages that may prove a difference, made for its location, promising ones first. */
import type { Difference } from "../../compatibility.ts";
import {
  emptyMessage,
  type FieldValue,
  findMessage,
  isMessageValue,
  type MessageValue,
  makeZero,
} from "../codec/codec.ts";
import type { LinkedField, LinkedModel } from "../compare/linked.ts";
import { oneofOrigins } from "../compare/oneofs.ts";
import type { Enum, Field, Oneof } from "../model.ts";
import { findPlaces, type WitnessPlace } from "./places.ts";
import type { Sampler } from "./values.ts";

/** A message for a location, and the fields at which a loss would prove the difference. */
export type WitnessCandidate = {
  readonly place: WitnessPlace;
  readonly value: MessageValue;
  readonly writerFields: readonly LinkedField[];
  readonly readerFields: readonly LinkedField[];
};

/** Random messages tried for a field that holds a message. */
const RANDOM_MESSAGES = 100;

type Spot = { place: WitnessPlace; field: LinkedField | null; match: LinkedField | null };

export class CandidateMaker {
  readonly #writerSpots = new Map<string, Spot[]>();
  readonly #readerSpots = new Map<string, Spot[]>();
  readonly #enumSpots = new Map<string, Spot[]>();
  readonly #places: readonly WitnessPlace[];

  readonly reader: LinkedModel;
  readonly writer: LinkedModel;
  readonly sampler: Sampler;

  constructor(reader: LinkedModel, writer: LinkedModel, sampler: Sampler, differences: readonly Difference[]) {
    this.reader = reader;
    this.writer = writer;
    this.sampler = sampler;
    this.#places = findPlaces(reader, writer);
    const asked = new Set(
      differences.flatMap(({ writer_pointer, reader_pointer }) => writer_pointer ?? reader_pointer ?? []),
    );
    const askedEnums = new Set([...asked].map((pointer) => splitNumber(pointer)[0]));
    for (const place of this.#places) {
      const before = this.writer.fields(place.writer);
      const after = this.reader.fields(place.reader);
      for (const field of before.values()) {
        const enumPointer = field.kind === "enum" && field.type !== null ? this.writer.pointer(field.type) : null;
        const isAskedEnum = enumPointer !== null && (asked.has(enumPointer) || askedEnums.has(enumPointer));
        if (!asked.has(field.pointer) && !isAskedEnum) continue;
        const spot = { place, field, match: after.get(field.number) ?? null };
        push(this.#writerSpots, field.pointer, spot);
        if (enumPointer !== null) push(this.#enumSpots, enumPointer, spot);
      }
      for (const match of after.values()) {
        if (!asked.has(match.pointer) || before.has(match.number)) continue;
        push(this.#readerSpots, match.pointer, { place, field: null, match });
      }
    }
  }

  *candidates(difference: Difference): Generator<WitnessCandidate> {
    const { writer_pointer: writerPointer, reader_pointer: readerPointer } = difference;
    for (const spot of this.#writerSpots.get(writerPointer ?? "") ?? []) {
      // One message of the writer may be read as several of the reader's.
      const isHere = readerPointer === null || readerPointer.startsWith(`${spot.place.reader.pointer}/`);
      if (isHere || spot.match?.pointer === readerPointer) yield* this.#forField(spot);
    }
    if (writerPointer === null) {
      for (const spot of this.#readerSpots.get(readerPointer ?? "") ?? []) yield* this.#forMissing(spot);
      return;
    }
    const [enumPointer, number] = splitNumber(writerPointer);
    for (const spot of this.#enumSpots.get(enumPointer) ?? []) yield* this.#forEnum(spot, number);
    for (const spot of this.#enumSpots.get(writerPointer) ?? []) yield* this.#forEnum(spot, null);
    for (const place of this.#places) {
      if (place.writer.pointer === writerPointer) yield* this.#forOneof(place, readerPointer);
    }
  }

  /** The field with its boundary values, with several values, with zero, absent, and with random values. */
  *#forField({ place, field, match }: Spot): Generator<WitnessCandidate> {
    if (field === null) return;
    const writerFields = [field];
    const readerFields = match === null ? [] : [match];
    const isPart = place.writer.isMapEntry || field.cardinality === "required";
    for (const values of this.#valuesOf(field, match)) {
      if (values.length === 0 && isPart) continue;
      const value = this.#around(place, field, values);
      if (value !== null) yield { place, value, writerFields, readerFields };
    }
    // Random values of a scalar show nothing that its telling values do not.
    for (let at = 0; at < RANDOM_MESSAGES && findMessage(this.writer, field) !== null; at += 1) {
      const value = this.sampler.message(place.writer);
      if (value === null) return;
      yield { place, value, writerFields, readerFields };
    }
  }

  *#forMissing({ place, match }: Spot): Generator<WitnessCandidate> {
    const value = this.sampler.minimal(place.writer);
    if (value !== null && match !== null) yield { place, value, writerFields: [], readerFields: [match] };
  }

  *#forEnum({ place, field, match }: Spot, number: number | null): Generator<WitnessCandidate> {
    if (field === null || match === null) return;
    const telling = number === null ? this.sampler.tellingValues(field) : [BigInt(number)];
    for (const one of telling) {
      const value = this.#around(place, field, [one]);
      if (value !== null) yield { place, value, writerFields: [field], readerFields: [match] };
    }
  }

  /** Sets two fields that the reader keeps in one oneof. */
  *#forOneof(place: WitnessPlace, readerPointer: string | null): Generator<WitnessCandidate> {
    for (const [oneof, origins] of oneofOrigins(place.writer.definition.element, place.reader.definition.element)) {
      if (origins.size < 2 || readerPointer !== `${place.reader.pointer}/${oneof.name}`) continue;
      const [first, second] = [...origins].map((origin) => memberOf(place, origin, oneof));
      if (first === undefined || second === undefined) continue;
      for (const [a, b] of [[first, second] as const, [second, first] as const]) {
        const value = this.sampler.minimal(place.writer);
        if (value === null) continue;
        for (const field of [a, b]) value.values.set(field.number, [this.#plainValue(field)]);
        yield { place, value, writerFields: [a, b], readerFields: [] };
      }
    }
  }

  #plainValue(field: LinkedField): FieldValue {
    return this.sampler.tellingValues(field)[0] ?? makeZero(field);
  }

  #around(place: WitnessPlace, field: LinkedField, values: FieldValue[]): MessageValue | null {
    const value = this.sampler.minimal(place.writer);
    if (values.length > 0) value?.values.set(field.number, values);
    return value;
  }

  *#valuesOf(field: LinkedField, match: LinkedField | null): Generator<FieldValue[]> {
    const isMany = field.cardinality === "repeated" || field.cardinality === "map";
    const telling = this.sampler.tellingValues(field);
    if (field.cardinality === "repeated" && match?.cardinality === "map") yield* this.#sameKeys(field);
    if (field.cardinality === "repeated" && telling.length > 1) yield telling.slice(0, 2);
    for (const value of telling) yield [value];
    const isListed = field.kind !== "enum" || this.#hasZero(field);
    if (!isMany && isListed && findMessage(this.writer, field) === null) yield [makeZero(field)];
    yield [];
  }

  #hasZero(field: LinkedField): boolean {
    const names = field.type?.element.kind === "enum" ? (field.type.element as Enum).values : [];
    return names.some(({ number }) => number === 0);
  }

  /** Two elements that a map treats as one: they differ only in their value. */
  *#sameKeys(field: LinkedField): Generator<FieldValue[]> {
    const element = findMessage(this.writer, field);
    const value = element?.fields.get(2);
    if (element === null || value === undefined) return;
    const elements = [makeZero(value), ...this.sampler.tellingValues(value)].map((one) => {
      const made = this.sampler.minimal(element) ?? emptyMessage();
      made.values.set(2, [one]);
      return made;
    });
    if (elements.every(isMessageValue) && elements.length > 1) yield elements.slice(0, 2);
  }
}

function memberOf({ writer, reader }: WitnessPlace, origin: Oneof | Field, oneof: Oneof): LinkedField | undefined {
  return [...writer.fields.values()].find(
    (field) => (field.element === origin || field.oneof === origin) && reader.fields.get(field.number)?.oneof === oneof,
  );
}

function push<K>(spots: Map<K, Spot[]>, key: K, spot: Spot): void {
  const known = spots.get(key);
  if (known === undefined) spots.set(key, [spot]);
  else known.push(spot);
}

/** `#/Enum/5` as the enum's pointer and the number. */
function splitNumber(pointer: string): [string, number | null] {
  const match = /^(.*)\/(-?\d+)$/.exec(pointer);
  return match === null ? [pointer, null] : [match[1]!, Number(match[2])];
}
