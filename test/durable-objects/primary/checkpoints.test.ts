import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import {
  CHECKPOINT_AFTER_MS,
  CHECKPOINT_ENTRIES,
  parseSigningSeeds,
} from "../../../durable-objects/primary/checkpoints/checkpoints.ts";
import {
  buildTiles,
  isTreeBuilt,
  nodeReader,
  type TamperedLog,
} from "../../../durable-objects/primary/checkpoints/tree.ts";
import type { StoredCheckpoint } from "../../../registry/audit.ts";
import { PROTOCOL_VERSION } from "../../../registry/rpc.ts";
import { computeRoot, foldHashes } from "../../../tlog/merkle.ts";
import { openNote, parseCheckpoint, parseVerifier } from "../../../tlog/note.ts";
import { appendEntries, type PrimaryStub, primaryWith, setNow } from "./commands.ts";

const AT_MS = 1_800_000_000_000;

async function checkpointsOf(primary: PrimaryStub): Promise<StoredCheckpoint[]> {
  const args = { before: Number.MAX_SAFE_INTEGER, limit: 10 };
  const answer = await primary.read({ v: PROTOCOL_VERSION, name: "checkpoints", args });
  return (answer as { value: { value: StoredCheckpoint[] } }).value.value;
}

/** The root over the leaf hashes, computed from all of them. */
async function expectedRoot(primary: PrimaryStub, size: number): Promise<string> {
  return await runInDurableObject(primary, (_object, { storage }) => {
    const leaves = storage.sql
      .exec<{ leaf_hash: ArrayBuffer }>("SELECT leaf_hash FROM log ORDER BY seq LIMIT ?", size)
      .toArray()
      .map(({ leaf_hash }) => new Uint8Array(leaf_hash));
    const root = computeRoot(size, (level, index) =>
      foldHashes(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)),
    );
    return Buffer.from(root).toString("hex");
  });
}

describe("the primary's checkpoints", () => {
  it("are signed some time after the first uncovered entry, and not before", async () => {
    const primary = await primaryWith();
    await setNow(primary, AT_MS);
    await appendEntries(primary, 3);

    await setNow(primary, AT_MS + CHECKPOINT_AFTER_MS - 1);
    await runDurableObjectAlarm(primary);
    expect(await checkpointsOf(primary)).toEqual([]);
    await setNow(primary, AT_MS + CHECKPOINT_AFTER_MS);
    await runDurableObjectAlarm(primary);

    const [checkpoint] = await checkpointsOf(primary);
    const keys = await primary.read({ v: PROTOCOL_VERSION, name: "checkpointKeys", args: {} });
    const [{ verifier }] = (keys as { value: { value: [{ verifier: string }] } }).value.value;
    const opened = await openNote(checkpoint!.note, [parseVerifier(verifier)!]);
    const parsed = parseCheckpoint(opened.ok ? opened.text : "")!;
    expect(parsed).toMatchObject({ size: 3, origin: expect.stringMatching(/^llm-schema-registry\/test-/) });
    expect(Buffer.from(parsed.root).toString("hex")).toBe(await expectedRoot(primary, 3));
  });

  it("are signed immediately once a tile's number of entries is uncovered", async () => {
    const primary = await primaryWith();
    await setNow(primary, AT_MS);

    await appendEntries(primary, CHECKPOINT_ENTRIES - 1);
    await runDurableObjectAlarm(primary);
    const before = await checkpointsOf(primary);
    await appendEntries(primary, 1);
    await runDurableObjectAlarm(primary);

    expect(before).toEqual([]);
    expect(await checkpointsOf(primary)).toMatchObject([{ size: CHECKPOINT_ENTRIES, atMs: AT_MS }]);
  });

  it("remain after an eviction, and are signed once per size", async () => {
    const primary = await primaryWith();
    await appendEntries(primary, CHECKPOINT_ENTRIES);
    await runDurableObjectAlarm(primary);

    await evictDurableObject(primary);
    await runDurableObjectAlarm(primary);

    expect(await checkpointsOf(primary)).toHaveLength(1);
  });

  it("are not signed over a changed entry", async () => {
    const primary = await primaryWith();
    await appendEntries(primary, CHECKPOINT_ENTRIES);
    await runInDurableObject(primary, (_object, { storage }) => {
      storage.sql.exec(
        "UPDATE log SET header = CAST(replace(CAST(header AS TEXT), 'tester', 'nobody') AS BLOB) WHERE seq = 7",
      );
    });

    await runDurableObjectAlarm(primary);

    expect(await checkpointsOf(primary)).toEqual([]);
  });
});

describe("buildTiles", () => {
  it("builds a limited number of tiles per call, and roots are correct before and after", async () => {
    const primary = await primaryWith();
    const size = 3 * 256 + 5;
    await appendEntries(primary, size);
    const expected = await expectedRoot(primary, size);

    const roots = await runInDurableObject(primary, (_object, { storage: { sql } }) => {
      const root = () => Buffer.from(computeRoot(size, nodeReader(sql))).toString("hex");
      sql.exec("DELETE FROM tree_hashes");
      const before = root();
      const more = buildTiles(sql, size, 2);
      const between = root();
      const done = buildTiles(sql, size, 2);
      return { before, more, between, done, after: root(), isBuilt: isTreeBuilt(sql, size) };
    });

    expect(roots).toEqual({
      before: expected,
      more: true,
      between: expected,
      done: false,
      after: expected,
      isBuilt: true,
    });
  });

  it("reports an entry that does not match its stored hash", async () => {
    const primary = await primaryWith();
    await appendEntries(primary, 256);

    const seq = await runInDurableObject(primary, (_object, { storage: { sql } }) => {
      sql.exec("DELETE FROM tree_hashes");
      sql.exec("UPDATE log SET leaf_hash = zeroblob(32) WHERE seq = 200");
      try {
        buildTiles(sql, 256);
      } catch (error) {
        return (error as TamperedLog).seq;
      }
      return undefined;
    });

    expect(seq).toBe(200);
  });
});

describe("parseSigningSeeds", () => {
  it("reads one or several keys, and refuses any that is not 32 bytes", () => {
    const key = (byte: string) => Buffer.alloc(32, byte).toString("base64");

    expect(parseSigningSeeds(undefined)).toEqual([]);
    expect(parseSigningSeeds(`${key("a")}, ${key("b")}`)).toHaveLength(2);
    for (const wrong of [key("a").slice(4), Buffer.alloc(33).toString("base64"), "not base64"]) {
      expect(() => parseSigningSeeds(wrong)).toThrow(/CHECKPOINT_SIGNING_KEYS/);
    }
  });
});
