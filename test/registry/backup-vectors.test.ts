import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import vectors from "../../contract/vectors/backup.json";
import { decodeSegment, encodeSegment, segmentLines } from "../../registry/segment.ts";

const inflated = (lines: readonly string[]) => Buffer.from(lines.map((line) => `${line}\n`).join(""), "utf8");
const gzipped = (lines: readonly string[]) => gzipSync(inflated(lines));

describe("a segment of the vectors", () => {
  it.each(vectors.segments)("is read and written byte for byte: $description", ({ lines, sha256 }) => {
    const decoded = decodeSegment(gzipped(lines));

    expect(decoded).toMatchObject({ ok: true, value: { sha256 } });
    if (!decoded.ok) return;
    expect(Buffer.from(segmentLines(decoded.value.segment)).toString("utf8")).toBe(
      inflated(lines.slice(0, -1)).toString("utf8"),
    );
    expect(encodeSegment(decoded.value.segment).sha256).toBe(sha256);
    expect(
      createHash("sha256")
        .update(inflated(lines.slice(0, -1)))
        .digest("hex"),
    ).toBe(sha256);
  });

  it("follows the previous segment", () => {
    const [first, second] = vectors.segments.map(({ lines }) => decodeSegment(gzipped(lines)));

    expect(first!.ok && second!.ok).toBe(true);
    if (!first!.ok || !second!.ok) return;
    const last = first!.value.segment.entries.at(-1)!;
    expect(second!.value.segment.before).toEqual({
      seq: last.seq,
      leafHash: Buffer.from(last.leafHash).toString("hex"),
    });
  });

  it.each(vectors.refused)("is refused with the line: $description", ({ lines, line }) => {
    expect(decodeSegment(gzipped(lines))).toMatchObject({ ok: false, refusal: { line } });
  });
});
