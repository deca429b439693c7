import { describe, expect, it } from "vitest";
import vectors from "../../../contract/vectors/log.json";
import {
  fromHex,
  GENESIS_HASH,
  headerBytes,
  leafHash,
  parseHeader,
  payloadDigest,
  toHex,
} from "../../../registry/log-entry.ts";
import { chainProblem } from "../../support/log-entries.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

describe("the bytes of a log entry", () => {
  it.each(vectors.entries)(
    "match the vector: $description",
    ({ salt_hex, payload, payload_digest, header, leaf_hash }) => {
      const bytes = utf8(header);

      expect(payloadDigest(fromHex(salt_hex), utf8(payload))).toBe(payload_digest);
      expect(new TextDecoder().decode(headerBytes(parseHeader(bytes)))).toBe(header);
      expect(toHex(leafHash(bytes))).toBe(leaf_hash);
    },
  );
});

describe("chainProblem", () => {
  const entries = vectors.entries.map(({ header, leaf_hash, salt_hex, payload }, index) => ({
    seq: index + 1,
    header: utf8(header),
    leafHash: fromHex(leaf_hash),
    payload: { salt: fromHex(salt_hex), bytes: utf8(payload) },
  }));
  const start = { seq: 0, leafHash: GENESIS_HASH };

  it("accepts a complete chain, also with an erased payload", () => {
    const erased = entries.map((entry, index) => (index === 1 ? { ...entry, payload: null } : entry));

    expect(chainProblem(start, entries)).toBeUndefined();
    expect(chainProblem(start, erased)).toBeUndefined();
  });

  it("reports a missing, misplaced or changed entry", () => {
    const changed = entries.map((entry, index) =>
      index === 2 ? { ...entry, payload: { ...entry.payload, bytes: utf8("{}") } } : entry,
    );

    expect(chainProblem(start, entries.slice(1))).toMatch(/\bentry 2\b/i);
    expect(chainProblem(start, [entries[0]!, entries[2]!])).toMatch(/\bentry 3\b/i);
    expect(chainProblem(start, changed)).toMatch(/\bentry 3\b/i);
  });
});
