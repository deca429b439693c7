/**
 * The three names of content: content hash (identity), closure hash (content and all it reaches) and guid (the
 * Confluent contract's MD5 label). Byte forms are fixed: docs/storage.md, vectors in contract/vectors/content-hash.json.
 */
import { createHash, type Hash } from "node:crypto";
import type { FormatName, SchemaReference } from "./format.ts";
import { type DataContract, metadataHashParts, ruleSetHashParts } from "./rules/data-contract.ts";

/** Lower-case hex of 32 bytes. */
export type ContentHash = string;
/** Lower-case hex of 32 bytes. */
export type ClosureHash = string;

export type Content = {
  format: FormatName;
  /** The stored text: canonical, or normalised where the registration asked for that. */
  text: string;
  references: readonly SchemaReference[];
  contract: DataContract;
};

/** SHA-256 over format ‖ length-prefixed text, references, metadata, rule set (DESIGN §3). Lengths are uint32 big-endian byte counts. */
export function contentHash({ format, text, references, contract }: Content): ContentHash {
  const hash = createHash("sha256");
  prefixed(hash, format);
  prefixed(hash, text);
  hash.update(uint32(references.length));
  for (const reference of references) {
    prefixed(hash, reference.name);
    prefixed(hash, reference.subject);
    hash.update(uint32(reference.version));
  }
  prefixed(hash, contract.metadata === null ? "" : JSON.stringify(contract.metadata));
  prefixed(hash, contract.ruleSet === null ? "" : JSON.stringify(contract.ruleSet));
  return hash.digest("hex");
}

/**
 * SHA-256 over the content hash of the root and, sorted, every edge it reaches: `from ‖ name ‖ to`.
 * `edges` lists what each content's references resolve to; a content without references needs no entry.
 */
export function closureHash(
  root: ContentHash,
  edges: ReadonlyMap<ContentHash, readonly { name: string; to: ContentHash }[]>,
): ClosureHash {
  const reached = new Set([root]);
  const lines: string[] = [];
  for (const from of reached) {
    for (const { name, to } of edges.get(from) ?? []) {
      lines.push(`${from}\n${name}\n${to}`);
      reached.add(to);
    }
  }
  const hash = createHash("sha256");
  prefixed(hash, root);
  for (const line of lines.sort()) prefixed(hash, line);
  return hash.digest("hex");
}

/** 16 bytes as a UUID string: the guid of the Confluent contract (specs: §4.4). The format is not hashed. */
export function guidOf({ text, references, contract }: Omit<Content, "format">): string {
  const hash = createHash("md5").update(text, "utf8");
  for (const { name, subject, version } of references) {
    hash.update(name).update(subject).update(uint32(version));
  }
  if (contract.metadata) {
    hash.update(Uint8Array.of(1));
    for (const part of metadataHashParts(contract.metadata)) hash.update(part);
  }
  if (contract.ruleSet) {
    hash.update(Uint8Array.of(1));
    for (const part of ruleSetHashParts(contract.ruleSet)) hash.update(part);
  }
  return hash.digest("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export function sha256Hex(text: string | Uint8Array): string {
  return createHash("sha256").update(text).digest("hex");
}

function prefixed(hash: Hash, text: string): void {
  const bytes = new TextEncoder().encode(text);
  hash.update(uint32(bytes.byteLength)).update(bytes);
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value >>> 0);
  return bytes;
}
