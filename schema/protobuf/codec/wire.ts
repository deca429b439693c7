/** The bytes of the wire format: tags, varints, fixed-width numbers. https://protobuf.dev/programming-guides/encoding/ */

export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH_DELIMITED = 2;
export const START_GROUP = 3;
export const END_GROUP = 4;
export const FIXED32 = 5;

const MAX_VARINT_BYTES = 10;

export class WireWriter {
  readonly #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  tag(number: number, wireType: number): void {
    this.varint((BigInt(number) << 3n) | BigInt(wireType));
  }

  /** Negative numbers are encoded as 64-bit two's complement. */
  varint(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    while (rest > 0x7fn) {
      this.#bytes.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.#bytes.push(Number(rest));
  }

  fixed(value: bigint, bytes: 4 | 8): void {
    for (let at = 0; at < bytes; at += 1) this.#bytes.push(Number((value >> BigInt(8 * at)) & 0xffn));
  }

  float(value: number, bytes: 4 | 8): void {
    const view = new DataView(new ArrayBuffer(8));
    if (bytes === 4) view.setFloat32(0, value, true);
    else view.setFloat64(0, value, true);
    for (let at = 0; at < bytes; at += 1) this.#bytes.push(view.getUint8(at));
  }

  bytes(value: Uint8Array): void {
    this.varint(BigInt(value.length));
    for (const byte of value) this.#bytes.push(byte);
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** Thrown for malformed messages; the decoder catches it. */
export class MalformedBytes extends Error {}

export class WireReader {
  #at = 0;

  readonly data: Uint8Array;

  constructor(data: Uint8Array) {
    this.data = data;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.data.length;
  }

  /** The bytes not read yet. */
  rest(): Uint8Array {
    return this.data.subarray(this.#at);
  }

  tag(): { number: number; wireType: number } {
    const tag = this.varint();
    const number = Number(tag >> 3n);
    if (number < 1 || number > 536_870_911) throw new MalformedBytes(`the field number ${number} is out of range`);
    return { number, wireType: Number(tag & 7n) };
  }

  /** As an unsigned 64-bit number. */
  varint(): bigint {
    let value = 0n;
    for (let at = 0; at < MAX_VARINT_BYTES; at += 1) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << BigInt(7 * at);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new MalformedBytes("a varint is longer than ten bytes");
  }

  fixed(bytes: 4 | 8): bigint {
    let value = 0n;
    for (let at = 0; at < bytes; at += 1) value |= BigInt(this.#byte()) << BigInt(8 * at);
    return value;
  }

  float(bytes: 4 | 8): number {
    const view = new DataView(new ArrayBuffer(8));
    for (let at = 0; at < bytes; at += 1) view.setUint8(at, this.#byte());
    return bytes === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
  }

  bytes(): Uint8Array {
    const length = this.varint();
    if (length > BigInt(this.data.length - this.#at)) throw new MalformedBytes("a value is cut off");
    const start = this.#at;
    this.#at += Number(length);
    return this.data.subarray(start, this.#at);
  }

  /** Skips a value, including nested groups up to the depth limit. */
  skip(number: number, wireType: number, depth: number): void {
    switch (wireType) {
      case VARINT:
        this.varint();
        return;
      case FIXED64:
        this.fixed(8);
        return;
      case LENGTH_DELIMITED:
        this.bytes();
        return;
      case FIXED32:
        this.fixed(4);
        return;
      case START_GROUP:
        if (depth <= 0) throw new MalformedBytes("groups are nested too deeply");
        for (;;) {
          const inner = this.tag();
          if (inner.wireType !== END_GROUP) this.skip(inner.number, inner.wireType, depth - 1);
          else if (inner.number === number) return;
          else throw new MalformedBytes("a group ends with another number than it began with");
        }
      default:
        throw new MalformedBytes(`the wire type ${wireType} is not allowed here`);
    }
  }

  #byte(): number {
    const byte = this.data[this.#at];
    if (byte === undefined) throw new MalformedBytes("the message is cut off");
    this.#at += 1;
    return byte;
  }
}
