/** Parsing Canonical Form and its fingerprints (specification, "Parsing Canonical Form for Schemas"). */
import { createHash } from "node:crypto";
import type { AvroModel, AvroType } from "../model.ts";

/** What matters for reading data, and nothing else: no docs, defaults, aliases, logical types or properties. */
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

export const FINGERPRINT_ALGORITHMS = ["CRC-64-AVRO", "MD5", "SHA-256"] as const;
export type FingerprintAlgorithm = (typeof FINGERPRINT_ALGORITHMS)[number];

/** The fingerprint of a schema's parsing form. CRC-64-AVRO gives its bytes in the order of single-object encoding: little-endian. */
export function fingerprint(model: AvroModel, algorithm: FingerprintAlgorithm): Uint8Array {
  const form = parsingForm(model);
  if (algorithm !== "CRC-64-AVRO") {
    return new Uint8Array(
      createHash(algorithm === "MD5" ? "md5" : "sha256")
        .update(form)
        .digest(),
    );
  }
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, crc64(form), true);
  return bytes;
}

/** The value of the empty text, and the polynomial. */
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
