import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { avroRecord, WAYS } from "../native-calls.ts";

type Entry = { seq: number; header: string; leaf_hash: string; payload: { salt: string; text: string } | null };
type Header = { seq: number; prev_hash: string; payload_digest: string; type: string; request_id: string };

const sha256 = (...parts: (string | Uint8Array)[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

describe.each(WAYS)("GET /log on the $name platform", ({ open }) => {
  it("returns what verifying the chain requires, byte for byte", async () => {
    const registry = open();
    const first = await registry.register("orders", avroRecord("id"));
    await registry.register("orders", avroRecord("id", "e?"), { description: "Ünïcode ☃" });
    await registry.call("DELETE", `/schemas/${first.id}`);

    const { items } = (await registry.get("/log")).body as { items: Entry[] };

    const headers = items.map(({ header }) => JSON.parse(header) as Header);
    expect(headers.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(headers.map(({ type }) => type)).toEqual(["schema.registered", "schema.registered", "schema.deleted"]);
    for (const [index, { header, leaf_hash, payload }] of items.entries()) {
      expect(leaf_hash).toBe(sha256(Uint8Array.of(0), header));
      expect(headers[index]?.payload_digest).toBe(sha256(Buffer.from(payload!.salt, "base64"), payload!.text));
      if (index > 0) expect(headers[index]?.prev_hash).toBe(items[index - 1]?.leaf_hash);
    }
  });

  it("carries the caller's request id into the log", async () => {
    const registry = open();
    await registry.call("POST", "/schemas", {
      body: { subject: "orders", format: "avro", content: avroRecord("id") },
      headers: { "X-Request-ID": "req-42" },
    });

    const { items } = (await registry.get("/log")).body as { items: Entry[] };

    expect(JSON.parse(items[0]!.header)).toMatchObject({
      request_id: "req-42",
      actor: "local",
      type: "schema.registered",
    });
  });

  it("returns the part after a seq, in pages", async () => {
    const registry = open();
    for (const subject of ["a", "b", "c"]) await registry.register(subject, avroRecord(subject));
    const seqs = async (query: string) =>
      ((await registry.get(`/log${query}`)).body as { items: Entry[] }).items.map(({ seq }) => seq);

    expect(await seqs("?after=1")).toEqual([2, 3]);
    expect(await seqs("?after=1&limit=1")).toEqual([2]);
    expect(await seqs("?after=3")).toEqual([]);
  });

  it("returns an erased payload as null and keeps the chain", async () => {
    const registry = open();
    const { id } = await registry.register("orders", avroRecord("id"));
    await registry.call("DELETE", `/schemas/${id}`);
    await registry.call("DELETE", `/schemas/${id}?permanent=true`);

    const { items } = (await registry.get("/log")).body as { items: Entry[] };

    expect(items[0]?.payload).toBeNull();
    expect(JSON.parse(items.at(-1)!.header)).toMatchObject({ type: "schema.erased" });
  });
});
