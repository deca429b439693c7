/**
 * The Merkle tree over the log's entries (RFC 6962 §2): roots, proofs, and their verification. A node of level k covers
 * 2^k leaves; leaf i is entry i + 1. Every function reads at most as many nodes as the tree is high, plus one run of a
 * tile.
 */
import { createHash } from "node:crypto";

export type Hash = Uint8Array;

/** The hash of a complete node, by `level` and `index`, both from 0. */
export type ReadNode = (level: number, index: number) => Hash;

/** RFC 6962 §2.1: MTH({d0}) = SHA-256(0x00 || d0). */
export function hashLeaf(entry: Uint8Array): Hash {
  return createHash("sha256").update(Uint8Array.of(0)).update(entry).digest();
}

/** RFC 6962 §2.1: SHA-256(0x01 || left || right). */
export function hashChildren(left: Hash, right: Hash): Hash {
  return createHash("sha256").update(Uint8Array.of(1)).update(left).update(right).digest();
}

/** The root of an empty log. */
export function emptyRoot(): Hash {
  return createHash("sha256").digest();
}

/** The root of consecutive hashes of one level, whose number is a power of two. */
export function foldHashes(hashes: readonly Hash[]): Hash {
  let level = hashes;
  while (level.length > 1) {
    const above: Hash[] = [];
    for (let at = 0; at < level.length; at += 2) above.push(hashChildren(level[at]!, level[at + 1]!));
    level = above;
  }
  return level[0]!;
}

/** The root of the tree of the first `size` entries. */
export function computeRoot(size: number, read: ReadNode): Hash {
  return size === 0 ? emptyRoot() : subtreeHash(0, size, read);
}

/** RFC 6962 §2.1.1: the hashes that lead from a leaf to the root of a tree of `size` entries, lowest first. */
export function inclusionProof(index: number, size: number, read: ReadNode): Hash[] {
  return pathWithin(index, 0, size, read);
}

function pathWithin(index: number, start: number, end: number, read: ReadNode): Hash[] {
  if (end - start === 1) return [];
  const middle = start + computeSplit(end - start);
  return index < middle
    ? [...pathWithin(index, start, middle, read), subtreeHash(middle, end, read)]
    : [...pathWithin(index, middle, end, read), subtreeHash(start, middle, read)];
}

/** RFC 6962 §2.1.2: the proof that the tree of the first `from` entries is a prefix of that of the first `to`. */
export function consistencyProof(from: number, to: number, read: ReadNode): Hash[] {
  return from === 0 || from === to ? [] : subproof(from, 0, to, true, read);
}

function subproof(from: number, start: number, end: number, isWhole: boolean, read: ReadNode): Hash[] {
  if (from === end) return isWhole ? [] : [subtreeHash(start, end, read)];
  const middle = start + computeSplit(end - start);
  return from <= middle
    ? [...subproof(from, start, middle, isWhole, read), subtreeHash(middle, end, read)]
    : [...subproof(from, middle, end, false, read), subtreeHash(start, middle, read)];
}

/** The hash of leaves `start` to `end`, where `start` is a multiple of the largest power of two below their number. */
function subtreeHash(start: number, end: number, read: ReadNode): Hash {
  const count = end - start;
  const split = computeSplit(count);
  if (count === 1 || split * 2 === count) {
    const level = Math.round(Math.log2(count));
    return read(level, start / count);
  }
  return hashChildren(subtreeHash(start, start + split, read), subtreeHash(start + split, end, read));
}

/** The largest power of two below a number; 1 for 1. */
function computeSplit(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

/** RFC 9162 §2.1.3.2. */
export function verifyInclusion(
  { index, size, leaf, proof }: { index: number; size: number; leaf: Hash; proof: readonly Hash[] },
  root: Hash,
): boolean {
  if (index >= size) return false;
  let [node, last, hash] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = hashChildren(sibling, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = hashChildren(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && sameHash(hash, root);
}

/** RFC 9162 §2.1.4.2. */
export function verifyConsistency(
  { from, to, proof }: { from: number; to: number; proof: readonly Hash[] },
  roots: { from: Hash; to: Hash },
): boolean {
  if (from > to) return false;
  if (from === to) return proof.length === 0 && sameHash(roots.from, roots.to);
  if (from === 0) return proof.length === 0;
  const isPowerOfTwo = Number.isInteger(Math.log2(from));
  const [first, ...rest] = isPowerOfTwo ? [roots.from, ...proof] : proof;
  if (first === undefined) return false;
  let [node, last] = [from - 1, to - 1];
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  let [older, newer] = [first, first];
  for (const hash of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      older = hashChildren(hash, older);
      newer = hashChildren(hash, newer);
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      newer = hashChildren(newer, hash);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && sameHash(older, roots.from) && sameHash(newer, roots.to);
}

function half(value: number): number {
  return Math.floor(value / 2);
}

export function sameHash(one: Hash, other: Hash): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
