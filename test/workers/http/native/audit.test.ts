import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { PrimaryObject } from "../../../../durable-objects/primary/object.ts";
import { consistencyProof, hashLeaf, verifyConsistency, verifyInclusion } from "../../../../tlog/merkle.ts";
import { openNote, parseCheckpoint, parseVerifier } from "../../../../tlog/note.ts";
import { appendEntries } from "../../../durable-objects/primary/commands.ts";
import { avroRecord, plainRegistry, type Registry } from "../native-calls.ts";

type Proof = { leaf_hash: string; root_hash: string; hashes: string[] };

function primaryOf(registry: Registry): DurableObjectStub<PrimaryObject> {
  const { PRIMARIES } = env as unknown as { PRIMARIES: DurableObjectNamespace<PrimaryObject> };
  return PRIMARIES.getByName(`${registry.platform.tenant}/1`);
}

/** A registry whose first 300 entries are covered by a checkpoint. */
async function signedRegistry(): Promise<Registry> {
  const registry = plainRegistry();
  await registry.register("orders", avroRecord("id"));
  await appendEntries(primaryOf(registry), 299);
  await runDurableObjectAlarm(primaryOf(registry));
  return registry;
}

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));

describe("GET /audit/checkpoint", () => {
  it("returns a note signed by the listed key, from which entries can be proven", async () => {
    const registry = await signedRegistry();

    const { text, headers } = await registry.get("/audit/checkpoint");
    const keys = (await registry.get("/audit/keys")).body as { items: { verifier: string }[] };
    const opened = await openNote(text, [parseVerifier(keys.items[0]!.verifier)!]);
    const checkpoint = parseCheckpoint(opened.ok ? opened.text : "")!;
    const proof = (await registry.get("/audit/proofs/inclusion?seq=1&size=300")).body as Proof;
    const log = (await registry.get("/log?limit=1")).body as { items: { header: string }[] };

    expect(headers.get("Content-Type")).toBe("text/plain; charset=utf-8");
    expect(checkpoint).toMatchObject({ size: 300, origin: `llm-schema-registry/${registry.platform.tenant}` });
    const leaf = hashLeaf(Buffer.from(log.items[0]!.header));
    expect(Buffer.from(leaf).toString("hex")).toBe(proof.leaf_hash);
    const claim = { index: 0, size: 300, leaf, proof: proof.hashes.map(bytes) };
    expect(verifyInclusion(claim, checkpoint.root)).toBe(true);
  });

  it("reports that none has been signed yet, or that signing is disabled", async () => {
    const signing = plainRegistry();
    const silent = plainRegistry({ vars: { CHECKPOINT_SIGNING_KEYS: "" } });
    await signing.register("orders", avroRecord("id"));

    expect((await signing.get("/audit/checkpoint")).status).toBe(404);
    expect((await silent.get("/audit/checkpoint")).status).toBe(501);
  });
});

describe("GET /audit/proofs/consistency", () => {
  it("proves that an older tree is a prefix of a newer one", async () => {
    const registry = await signedRegistry();

    const root = async (size: number) =>
      bytes(((await registry.get(`/audit/proofs/consistency?from=0&to=${size}`)).body as Proof).root_hash);
    const { body } = await registry.get("/audit/proofs/consistency?from=7&to=300");

    const proof = (body as Proof).hashes.map(bytes);
    const roots = { from: await root(7), to: await root(300) };
    expect(verifyConsistency({ from: 7, to: 300, proof }, roots)).toBe(true);
    expect(verifyConsistency({ from: 8, to: 300, proof }, { ...roots, from: await root(8) })).toBe(false);
    expect(consistencyProof(300, 300, () => new Uint8Array())).toEqual([]);
  });

  it.each([
    ["/audit/proofs/consistency?from=1&to=301", 404],
    ["/audit/proofs/consistency?from=9&to=8", 404],
    ["/audit/proofs/inclusion?seq=301&size=300", 404],
    ["/audit/proofs/inclusion?seq=1&size=301", 404],
    ["/audit/proofs/inclusion?seq=0&size=1", 400],
    ["/audit/proofs/inclusion?seq=1", 400],
  ])("answers %s with %i", async (path, status) => {
    const registry = await signedRegistry();

    expect((await registry.get(path)).status).toBe(status);
  });
});

describe("GET /audit/tile", () => {
  it("returns complete tiles permanently, and partial ones as of now", async () => {
    const registry = await signedRegistry();
    const tile = async (path: string) => {
      const response = await registry.platform.fetch(`/api/v1/audit/tile/${path}`);
      return { status: response.status, headers: response.headers, bytes: await response.arrayBuffer() };
    };

    const [complete, partial, above, entries] = [
      await tile("0/000"),
      await tile("0/001.p/44"),
      await tile("1/000.p/1"),
      await tile("entries/001.p/44"),
    ];

    expect(complete.bytes.byteLength).toBe(256 * 32);
    expect(complete.headers.get("Cache-Control")).toContain("immutable");
    expect(partial.bytes.byteLength).toBe(44 * 32);
    expect(partial.headers.get("Cache-Control")).toBe("no-store");
    expect(above.bytes.byteLength).toBe(32);
    expect(entries.status).toBe(200);
    const first = new DataView(entries.bytes).getUint16(0);
    expect(JSON.parse(new TextDecoder().decode(entries.bytes.slice(2, 2 + first)))).toMatchObject({ seq: 257 });
    expect((await tile("0/001")).status).toBe(404);
    expect((await tile("0/001.p/45")).status).toBe(404);
    expect((await tile("0/1")).status).toBe(404);
  });
});

describe("GET /audit/checkpoints", () => {
  it("lists checkpoints page by page, newest first", async () => {
    const registry = await signedRegistry();
    await appendEntries(primaryOf(registry), 256);
    await runDurableObjectAlarm(primaryOf(registry));

    type Page = { items: { size: number; note: string }[]; next_before?: number };
    const first = (await registry.get("/audit/checkpoints?limit=1")).body as Page;
    const second = (await registry.get(`/audit/checkpoints?limit=1&before=${first.next_before}`)).body as Page;

    expect([first.items[0]!.size, second.items[0]!.size]).toEqual([556, 300]);
    expect(second.next_before).toBeUndefined();
  });
});
