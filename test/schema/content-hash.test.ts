import { describe, expect, it } from "vitest";
import vectors from "../../contract/vectors/content-hash.json";
import { type Content, closureHash, contentHash, guidOf } from "../../schema/content-hash.ts";

describe("contentHash and guidOf", () => {
  it.each(vectors.contents)("give what the vector says: $description", ({ content, content_hash, guid }) => {
    expect(contentHash(content as Content)).toBe(content_hash);
    expect(guidOf(content as Content)).toBe(guid);
  });
});

describe("closureHash", () => {
  const a = "a".repeat(64);
  const b = "b".repeat(64);
  const c = "c".repeat(64);

  it("depends on what references resolve to, at any depth", () => {
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

  it("does not depend on the order in which edges are listed, and ends on cycles", () => {
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
