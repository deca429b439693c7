/** Compiles one Avro schema with avsc, for messages or for values in Avro's JSON encoding. */
import avsc from "avsc/etc/browser/avsc-types.js";
import { type IsCertainlyValid, UNUSUAL } from "./checker.ts";

export type CompiledAvro = {
  /** Without references. */
  schema: unknown;
  form: "value" | "bytes";
  /** Values that one character of JSON may produce, including defaults. */
  valuesPerCharacter: number;
  /** Values of one datum that the interpreter reads. */
  maxValues: number;
};

type AvroType = import("avsc").Type & {
  fields?: { type: AvroType }[];
  types?: AvroType[];
  itemsType?: AvroType;
  valuesType?: AvroType;
  _read(tap: Tap): unknown;
};
/** Avsc's cursor. Beyond the end it reads zeros, and `fromBuffer` reports that at the end only. */
type Tap = { buf: Uint8Array; pos: number; readLong(): number; skipLong(): void; readString(): string };

let remainingValues = 0;

export function compileAvro({ schema, form, valuesPerCharacter, maxValues }: CompiledAvro): IsCertainlyValid {
  const type = avsc.Type.forSchema(schema as import("avsc").Schema, { wrapUnions: true }) as AvroType;
  if (form === "value") {
    return (input) => {
      if (input.bytes.length * valuesPerCharacter > maxValues) return false;
      const value = input.value();
      return value !== UNUSUAL && type.isValid(value, { noUndeclaredFields: true } as object);
    };
  }
  const rootValues = countValues(type);
  return ({ bytes }) => {
    remainingValues = maxValues - rootValues;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    // Bytes that are written again alike have no invalid UTF-8, no overlong numbers and no repeated keys.
    return buffer.equals(type.toBuffer(type.fromBuffer(buffer)));
  };
}

/** The values of a datum without those inside arrays and maps, at most. */
function countValues(type: AvroType): number {
  const parts = (types: readonly AvroType[]) => types.map(countValues);
  if (type.fields !== undefined) return 1 + parts(type.fields.map((field) => field.type)).reduce((a, b) => a + b, 0);
  return type.types === undefined ? 1 : 1 + Math.max(...parts(type.types));
}

/** How many items a block announces; throws if they cannot all be there, because avsc would create them anyway. */
function readCount(tap: Tap, itemType: AvroType): number {
  let count = tap.readLong();
  if (count < 0) {
    count = -count;
    tap.skipLong();
  }
  remainingValues -= count * countTypeValues(itemType);
  // Every item of a compiled schema takes at least a byte.
  if (!(count <= tap.buf.length - tap.pos) || remainingValues < 0) throw new RangeError("More items than bytes.");
  return count;
}

const { ArrayType, MapType } = avsc.types as unknown as Record<"ArrayType" | "MapType", { prototype: AvroType }>;

ArrayType.prototype._read = function (this: AvroType, tap) {
  const itemsType = this.itemsType!;
  const items: unknown[] = [];
  for (let count = readCount(tap, itemsType); count > 0; count = readCount(tap, itemsType)) {
    for (let left = count; left > 0; left -= 1) items.push(itemsType._read(tap));
  }
  return items;
};

MapType.prototype._read = function (this: AvroType, tap) {
  const valuesType = this.valuesType!;
  const entries: Record<string, unknown> = {};
  for (let count = readCount(tap, valuesType); count > 0; count = readCount(tap, valuesType)) {
    for (let left = count; left > 0; left -= 1) {
      const key = tap.readString();
      entries[key] = valuesType._read(tap);
    }
  }
  return entries;
};

const VALUES = new WeakMap<AvroType, number>();

function countTypeValues(type: AvroType): number {
  const known = VALUES.get(type) ?? countValues(type);
  VALUES.set(type, known);
  return known;
}
