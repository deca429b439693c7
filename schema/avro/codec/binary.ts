/** Encodes and decodes binary Avro by walking the schema (specification, "Binary Encoding"); generates no code. */

import type { AvroType } from "../model.ts";
import { shorten } from "../names.ts";
import { type AvroBranch, type AvroDatum, DatumBudget, DatumError, DatumTooLarge } from "./datum.ts";

const UTF8 = new TextEncoder();
const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** A varint holds seven bits per byte, and a long has 64 bits. */
const MAX_LONG_BYTES = 10;
/** Numbers of as many bytes have fewer bits than a bitwise operation keeps. */
const SHORT_LONG_BYTES = 4;

/** Encodes a datum of the given type. Throws DatumError if the datum exceeds the bounds on depth or size. */
export function encodeDatum(type: AvroType, datum: AvroDatum, maxNodes?: number): Uint8Array {
  const encoder = new Encoder(maxNodes);
  encoder.write(type, datum);
  return encoder.bytes();
}

/** Decodes exactly one datum of the given type. Throws DatumError if the bytes are invalid or some are left over. */
export function decodeDatum(type: AvroType, bytes: Uint8Array, maxNodes?: number): AvroDatum {
  return readDecoded(type, new Decoder(bytes, maxNodes));
}

/** The same, or the location of a failure in the bytes and in the datum. Throws DatumTooLarge beyond the limits. */
export function tryDecodeDatum(
  type: AvroType,
  bytes: Uint8Array,
  maxNodes: number,
): { datum: AvroDatum } | { problem: string; offset: number; path: readonly (string | number)[] } {
  const decoder = new Decoder(bytes, maxNodes);
  try {
    return { datum: readDecoded(type, decoder) };
  } catch (error) {
    if (!(error instanceof DatumError) || error instanceof DatumTooLarge) throw error;
    return { problem: error.message, offset: decoder.offset, path: decoder.path };
  }
}

function readDecoded(type: AvroType, decoder: Decoder): AvroDatum {
  const datum = decoder.read(type);
  if (!decoder.isAtEnd()) throw new DatumError("There are bytes left over after the datum.");
  return datum;
}

class Encoder {
  #buffer = new Uint8Array(256);
  #length = 0;
  readonly #budget: DatumBudget;

  constructor(maxNodes?: number) {
    this.#budget = new DatumBudget(maxNodes);
  }

  bytes(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }

  write(type: AvroType, datum: AvroDatum): void {
    this.#budget.enter();
    this.#write(type, datum);
    this.#budget.leave();
  }

  #write(type: AvroType, datum: AvroDatum): void {
    switch (type.kind) {
      case "null":
        return;
      case "boolean":
        this.#append(Uint8Array.of(datum === true ? 1 : 0));
        return;
      case "int":
        this.#long(BigInt(datum as number));
        return;
      case "long":
        this.#long(datum as bigint);
        return;
      case "float":
      case "double": {
        const view = new DataView(new ArrayBuffer(type.kind === "float" ? 4 : 8));
        if (type.kind === "float") view.setFloat32(0, datum as number, true);
        else view.setFloat64(0, datum as number, true);
        this.#append(new Uint8Array(view.buffer));
        return;
      }
      case "bytes":
        this.#long(BigInt((datum as Uint8Array).length));
        this.#append(datum as Uint8Array);
        return;
      case "string":
        this.#string(datum as string);
        return;
      case "fixed":
        this.#append(datum as Uint8Array);
        return;
      case "enum":
        this.#long(BigInt(type.ordinals.get(datum as string)!));
        return;
      case "array": {
        const items = datum as AvroDatum[];
        if (items.length > 0) this.#long(BigInt(items.length));
        for (const item of items) this.write(type.items, item);
        this.#long(0n);
        return;
      }
      case "map": {
        const entries = datum as Map<string, AvroDatum>;
        if (entries.size > 0) this.#long(BigInt(entries.size));
        for (const [key, value] of entries) {
          this.#string(key);
          this.write(type.values, value);
        }
        this.#long(0n);
        return;
      }
      case "record":
        for (const field of type.fields) this.write(field.type, (datum as Map<string, AvroDatum>).get(field.name)!);
        return;
      case "union": {
        const { branch, value } = datum as AvroBranch;
        this.#long(BigInt(branch));
        this.write(type.branches[branch]!, value);
      }
    }
  }

  #string(text: string): void {
    const bytes = UTF8.encode(text);
    this.#long(BigInt(bytes.length));
    this.#append(bytes);
  }

  /** Zig-zag encoded, then seven bits per byte, least significant first. */
  #long(value: bigint): void {
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    const bytes: number[] = [];
    do {
      const more = rest > 0x7fn ? 0x80 : 0;
      bytes.push(Number(rest & 0x7fn) | more);
      rest >>= 7n;
    } while (rest > 0n);
    this.#append(Uint8Array.from(bytes));
  }

  #append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(length, this.#buffer.length * 2));
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
  }
}

class Decoder {
  /** Field names, map keys and indexes that lead to the current position or, after a failure, to its location. */
  readonly path: (string | number)[] = [];
  readonly #bytes: Uint8Array;
  readonly #budget: DatumBudget;
  #at = 0;

  constructor(bytes: Uint8Array, maxNodes?: number) {
    this.#bytes = bytes;
    this.#budget = new DatumBudget(maxNodes);
  }

  get offset(): number {
    return this.#at;
  }

  isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  read(type: AvroType): AvroDatum {
    this.#budget.enter();
    const datum = this.#read(type);
    this.#budget.leave();
    return datum;
  }

  #read(type: AvroType): AvroDatum {
    switch (type.kind) {
      case "null":
        return null;
      case "boolean": {
        const byte = this.#byte();
        if (byte !== 0 && byte !== 1) throw new DatumError("A boolean must be one byte, 0 or 1.");
        return byte === 1;
      }
      case "int": {
        const short = this.#shortLong();
        if (short !== undefined) return short;
        const value = this.#longLong();
        if (BigInt.asIntN(32, value) !== value) throw new DatumError("An int must fit 32 bits.");
        return Number(value);
      }
      case "long":
        return this.#long();
      case "float":
      case "double": {
        const bytes = this.#take(type.kind === "float" ? 4 : 8);
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        return type.kind === "float" ? view.getFloat32(0, true) : view.getFloat64(0, true);
      }
      case "bytes":
        return this.#take(this.#length()).slice();
      case "string":
        return this.#string();
      case "fixed":
        return this.#take(type.size).slice();
      case "enum": {
        const symbol = type.symbols[this.#index(type.symbols.length)];
        if (symbol === undefined)
          throw new DatumError(`Enum ${shorten(type.name.full)} has no symbol with that index.`);
        return symbol;
      }
      case "array": {
        const items: AvroDatum[] = [];
        this.#blocks(() => items.push(this.#part(items.length, type.items)));
        return items;
      }
      case "map": {
        const entries = new Map<string, AvroDatum>();
        this.#blocks(() => {
          const key = this.#string();
          entries.set(key, this.#part(key, type.values));
        });
        return entries;
      }
      case "record":
        return new Map(type.fields.map((field) => [field.name, this.#part(field.name, field.type)]));
      case "union": {
        const branch = this.#index(type.branches.length);
        return { branch, value: this.read(type.branches[branch]!) };
      }
    }
  }

  #part(token: string | number, type: AvroType): AvroDatum {
    this.path.push(token);
    const datum = this.read(type);
    this.path.pop();
    return datum;
  }

  /** A negative count is followed by the block's size in bytes, which is needed only to skip the block. */
  #blocks(readItem: () => void): void {
    for (let count = this.#long(); count !== 0n; count = this.#long()) {
      if (count < 0n) this.#long();
      for (let left = count < 0n ? -count : count; left > 0n; left -= 1n) readItem();
    }
  }

  #index(count: number): number {
    const index = this.#long();
    if (index < 0n || index >= BigInt(count)) throw new DatumError(`An index must lie between 0 and ${count - 1}.`);
    return Number(index);
  }

  #length(): number {
    const length = this.#long();
    if (length < 0n || length > BigInt(this.#bytes.length))
      throw new DatumError("A length exceeds the remaining bytes.");
    return Number(length);
  }

  #string(): string {
    try {
      return STRICT_UTF8.decode(this.#take(this.#length()));
    } catch (error) {
      if (error instanceof TypeError) throw new DatumError("A string must be valid UTF-8.");
      throw error;
    }
  }

  #long(): bigint {
    const value = this.#shortLong();
    return value === undefined ? this.#longLong() : BigInt(value);
  }

  /** Most numbers take few bytes, and arithmetic on doubles takes a tenth of the time. Undefined if it is longer. */
  #shortLong(): number | undefined {
    const bytes = this.#bytes;
    let value = 0;
    for (let count = 0; count < SHORT_LONG_BYTES; count += 1) {
      const byte = bytes[this.#at + count];
      if (byte === undefined) return undefined;
      value |= (byte & 0x7f) << (7 * count);
      if (byte < 0x80) {
        this.#at += count + 1;
        return (value >>> 1) ^ -(value & 1);
      }
    }
    return undefined;
  }

  #longLong(): bigint {
    let value = 0n;
    for (let count = 0; count < MAX_LONG_BYTES; count += 1) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << BigInt(7 * count);
      if (byte < 0x80) return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
    }
    throw new DatumError(`A number must end within ${MAX_LONG_BYTES} bytes.`);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new DatumError("The bytes end inside the datum.");
    this.#at += 1;
    return byte;
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new DatumError("The bytes end inside the datum.");
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }
}
