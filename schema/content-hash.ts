/**
 * Three hashes of content: content hash (identity), closure hash (content and everything it reaches) and guid (MD5, from the
 * Confluent contract). The byte forms are fixed: docs/storage.md, vectors in contract/vectors/content-hash.json.
 */
import type { FormatName, SchemaReference } from "./format.ts";
import { type Hashes, type HashPart, PORTABLE_HASHES } from "./hashes.ts";
import { type DataContract, metadataHashParts, ruleSetHashParts } from "./rules/data-contract.ts";

/** Lower-case hex of 32 bytes. */
export type ContentHash = string;
/** Lower-case hex of 32 bytes. */
export type ClosureHash = string;

export type Content = {
  format: FormatName;
  /** The stored text: canonical, or normalised if the registration asked for it. */
  text: string;
  references: readonly SchemaReference[];
  contract: DataContract;
};

const UTF8 = new TextEncoder();

/** SHA-256 over format ‖ length-prefixed text, references, metadata, rule set (docs/storage.md). Lengths are uint32 big-endian byte counts. */
export function contentHash(content: Content, hashes: Hashes = PORTABLE_HASHES): ContentHash {
  const { format, text, references, contract } = content;
  return hashes.sha256([
    ...prefixed(format),
    ...prefixed(text),
    uint32(references.length),
    ...references.flatMap(({ name, subject, version }) => [...prefixed(name), ...prefixed(subject), uint32(version)]),
    ...prefixed(contract.metadata === null ? "" : JSON.stringify(contract.metadata)),
    ...prefixed(contract.ruleSet === null ? "" : JSON.stringify(contract.ruleSet)),
  ]);
}

/**
 * SHA-256 over the root's content hash and, sorted, all edges it reaches: `from ‖ name ‖ to`. `edges` lists the resolved
 * references of each content; contents without references may be omitted.
 */
export function closureHash(
  root: ContentHash,
  edges: ReadonlyMap<ContentHash, readonly { name: string; to: ContentHash }[]>,
  hashes: Hashes = PORTABLE_HASHES,
): ClosureHash {
  const reached = new Set([root]);
  const lines: string[] = [];
  for (const from of reached) {
    for (const { name, to } of edges.get(from) ?? []) {
      lines.push(`${from}\n${name}\n${to}`);
      reached.add(to);
    }
  }
  return hashes.sha256([...prefixed(root), ...lines.sort().flatMap(prefixed)]);
}

/** The Confluent guid: an MD5 as a UUID string. The format is not hashed. */
export function computeGuid(
  { text, references, contract }: Omit<Content, "format">,
  hashes: Hashes = PORTABLE_HASHES,
): string {
  const { metadata, ruleSet } = contract;
  return hashes
    .md5([
      text,
      ...references.flatMap(({ name, subject, version }) => [name, subject, uint32(version)]),
      ...(metadata ? [Uint8Array.of(1), ...metadataHashParts(metadata)] : []),
      ...(ruleSet ? [Uint8Array.of(1), ...ruleSetHashParts(ruleSet)] : []),
    ])
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export function sha256Hex(text: string, hashes: Hashes = PORTABLE_HASHES): string {
  return hashes.sha256([text]);
}

function prefixed(text: string): HashPart[] {
  const bytes = UTF8.encode(text);
  return [uint32(bytes.byteLength), bytes];
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value >>> 0);
  return bytes;
}
