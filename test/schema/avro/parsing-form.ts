/** Parsing Canonical Form and its fingerprint (specification, "Parsing Canonical Form for Schemas"), by which the Avro project's cases check the parser. */
import type { AvroModel, AvroType } from "../../../schema/avro/model.ts";

/** Only what matters for reading data: no docs, defaults, aliases, logical types or properties. */
export function parsingForm(model: AvroModel): string {
  return write(model.root, new Set());
}

function write(type: AvroType, known: Set<string>): string {
  switch (type.kind) {
    case "union":
      return `[${type.branches.map((branch) => write(branch, known)).join(",")}]`;
    case "array":
      return `{"type":"array","items":${write(type.items, known)}}`;
    case "map":
      return `{"type":"map","values":${write(type.values, known)}}`;
    case "record":
    case "enum":
    case "fixed": {
      // The form has no escapes: it is defined for valid names, which need none.
      const name = JSON.stringify(type.name.full);
      if (known.has(name)) return name;
      known.add(name);
      if (type.kind === "fixed") return `{"name":${name},"type":"fixed","size":${type.size}}`;
      if (type.kind === "enum") {
        return `{"name":${name},"type":"enum","symbols":[${type.symbols.map((symbol) => JSON.stringify(symbol)).join(",")}]}`;
      }
      const fields = type.fields.map(
        (field) => `{"name":${JSON.stringify(field.name)},"type":${write(field.type, known)}}`,
      );
      return `{"name":${name},"type":"record","fields":[${fields.join(",")}]}`;
    }
    default:
      return `"${type.kind}"`;
  }
}

/** The fingerprint of the empty text, which is also the polynomial. */
const EMPTY = 0xc15d213aa4d7a795n;

const TABLE: readonly bigint[] = Array.from({ length: 256 }, (_, byte) => {
  let value = BigInt(byte);
  for (let bit = 0; bit < 8; bit += 1) value = (value >> 1n) ^ (value & 1n ? EMPTY : 0n);
  return value;
});

/** CRC-64-AVRO (the Rabin fingerprint) of a text's UTF-8 bytes, as an unsigned number. */
export function crc64(text: string): bigint {
  let value = EMPTY;
  for (const byte of new TextEncoder().encode(text)) {
    value = (value >> 8n) ^ TABLE[Number((value ^ BigInt(byte)) & 0xffn)]!;
  }
  return value;
}
