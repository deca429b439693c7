import fc from "fast-check";
import { describe, expect, it } from "vitest";
import vectors from "../../contract/vectors/content-hash.json";
import { NATIVE_HASHES } from "../../registry/native-hashes.ts";
import { type Content, closureHash, computeGuid, contentHash } from "../../schema/content-hash.ts";
import { PORTABLE_HASHES } from "../../schema/hashes.ts";

describe.each([
  ["portable", PORTABLE_HASHES],
  ["native", NATIVE_HASHES],
])("contentHash and computeGuid by the %s hashes", (_name, hashes) => {
  it.each(vectors.contents)("match the vector: $description", ({ content, content_hash, guid }) => {
    expect(contentHash(content as Content, hashes)).toBe(content_hash);
    expect(computeGuid(content as Content, hashes)).toBe(guid);
  });
});

describe("closureHash", () => {
  const a = "a".repeat(64);
  const b = "b".repeat(64);
  const c = "c".repeat(64);

  it("depends on the targets of references, at any depth", () => {
    const direct = closureHash(a, new Map([[a, [{ name: "x", to: b }]]]));
    const other = closureHash(a, new Map([[a, [{ name: "x", to: c }]]]));
    const deeper = closureHash(
      a,
      new Map([
        [a, [{ name: "x", to: b }]],
        [b, [{ name: "y", to: c }]],
      ]),
    );

    expect(new Set([closureHash(a, new Map()), direct, other, deeper]).size).toBe(4);
  });

  it("does not depend on the order of edges, and terminates on cycles", () => {
    const edges = [
      { name: "x", to: b },
      { name: "y", to: c },
    ];
    const forwards = closureHash(
      a,
      new Map([
        [a, edges],
        [b, [{ name: "back", to: a }]],
      ]),
    );
    const backwards = closureHash(
      a,
      new Map([
        [b, [{ name: "back", to: a }]],
        [a, edges.toReversed()],
      ]),
    );

    expect(forwards).toBe(backwards);
  });
});

describe("the portable hashes", () => {
  it.each(["sha256", "md5"] as const)("equal the platform's %s, for any texts and bytes", (name) => {
    // Including unpaired surrogates.
    const text = fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)), maxLength: 200 });
    const parts = fc.array(fc.oneof(text, fc.uint8Array({ maxLength: 200 })), { maxLength: 5 });

    fc.assert(fc.property(parts, (hashed) => PORTABLE_HASHES[name](hashed) === NATIVE_HASHES[name](hashed)));
  });
});
