/**
 * The CRC-64-AVRO fingerprint of a schema's Parsing Canonical Form (specification, "Schema Fingerprints"), by which
 * single-object encoding identifies a schema.
 */
import type { AvroModel, AvroType } from "../model.ts";

/** Eight bytes, least significant first, as in a message. */
export function schemaFingerprint({ root }: AvroModel): Uint8Array {
  const bytes = new TextEncoder().encode(parsingCanonicalForm(root, new Set()));
  let fingerprint = EMPTY;
  for (const byte of bytes) {
    fingerprint = (fingerprint >> 8n) ^ TABLE[Number((fingerprint ^ BigInt(byte)) & 0xffn)]!;
  }
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, fingerprint, true);
  return new Uint8Array(view.buffer);
}

const EMPTY = 0xc15d213aa4d7a795n;

const TABLE: readonly bigint[] = Array.from({ length: 256 }, (_, index) => {
  let entry = BigInt(index);
  for (let bit = 0; bit < 8; bit += 1) entry = (entry >> 1n) ^ ((entry & 1n) === 1n ? EMPTY : 0n);
  return entry;
});

/**
 * Only what data depends on, with full names; a named type in full at its first use. Recursion is bounded by the depth
 * of a schema.
 */
function parsingCanonicalForm(type: AvroType, defined: Set<string>): string {
  switch (type.kind) {
    case "union":
      return `[${type.branches.map((branch) => parsingCanonicalForm(branch, defined)).join(",")}]`;
    case "array":
      return `{"type":"array","items":${parsingCanonicalForm(type.items, defined)}}`;
    case "map":
      return `{"type":"map","values":${parsingCanonicalForm(type.values, defined)}}`;
    case "record":
    case "enum":
    case "fixed": {
      const name = JSON.stringify(type.name.full);
      if (defined.has(type.name.full)) return name;
      defined.add(type.name.full);
      if (type.kind === "fixed") return `{"name":${name},"type":"fixed","size":${type.size}}`;
      if (type.kind === "enum") {
        return `{"name":${name},"type":"enum","symbols":[${type.symbols.map((symbol) => JSON.stringify(symbol)).join(",")}]}`;
      }
      const kind = type.isError ? "error" : "record";
      const fields = type.fields.map(
        (field) => `{"name":${JSON.stringify(field.name)},"type":${parsingCanonicalForm(field.type, defined)}}`,
      );
      return `{"name":${name},"type":"${kind}","fields":[${fields.join(",")}]}`;
    }
    default:
      return `"${type.kind}"`;
  }
}
