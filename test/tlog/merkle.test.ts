import { describe, expect, it } from "vitest";
import {
  computeRoot,
  consistencyProof,
  foldHashes,
  type Hash,
  hashLeaf,
  inclusionProof,
  type ReadNode,
  verifyConsistency,
  verifyInclusion,
} from "../../tlog/merkle.ts";

/** The test leaves of RFC 6962 implementations, and the roots of their first one to eight. */
const LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const FULL_ROOT = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328";
const MOST = 70;

function treeOf(leaves: readonly Hash[]): ReadNode {
  return (level, index) => foldHashes(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));
}

function hex(hash: Hash): string {
  return Buffer.from(hash).toString("hex");
}

const leaves = Array.from({ length: MOST }, (_, index) => hashLeaf(Buffer.from(`entry ${index}`)));
const read = treeOf(leaves);

describe("computeRoot", () => {
  it("equals the roots of other RFC 6962 implementations", () => {
    const known = treeOf(LEAVES.map((leaf) => hashLeaf(Buffer.from(leaf, "hex"))));

    expect(hex(computeRoot(0, known))).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(hex(computeRoot(1, known))).toBe("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    expect(hex(computeRoot(8, known))).toBe(FULL_ROOT);
  });
});

describe("inclusionProof", () => {
  it("proves every leaf of every tree, and no other leaf", () => {
    for (let size = 1; size <= MOST; size += 1) {
      const root = computeRoot(size, read);
      for (let index = 0; index < size; index += 1) {
        const proof = inclusionProof(index, size, read);
        const claim = { index, size, proof };
        expect(verifyInclusion({ ...claim, leaf: leaves[index]! }, root)).toBe(true);
        expect(verifyInclusion({ ...claim, leaf: hashLeaf(Buffer.from("other")) }, root)).toBe(false);
        expect(verifyInclusion({ ...claim, leaf: leaves[index]!, proof: [...proof, root] }, root)).toBe(false);
      }
    }
  });

  it("returns nothing for an index outside the tree", () => {
    expect(verifyInclusion({ index: 1, size: 1, leaf: leaves[0]!, proof: [] }, leaves[0]!)).toBe(false);
  });
});

describe("consistencyProof", () => {
  it("proves every tree to be a prefix of every larger one, and no tree with a different entry", () => {
    const forged = [...leaves];
    forged[2] = hashLeaf(Buffer.from("forged"));
    const other = treeOf(forged);
    for (let to = 1; to <= MOST; to += 1) {
      for (let from = 0; from <= to; from += 1) {
        const claim = { from, to, proof: consistencyProof(from, to, read) };
        const roots = { from: computeRoot(from, read), to: computeRoot(to, read) };
        expect(verifyConsistency(claim, roots)).toBe(true);
        if (from > 2) expect(verifyConsistency(claim, { ...roots, from: computeRoot(from, other) })).toBe(false);
        if (from > 2 && to > from)
          expect(verifyConsistency(claim, { ...roots, to: computeRoot(to, other) })).toBe(false);
      }
    }
  });
});
