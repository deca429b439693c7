import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { type LogLine, LogVerifier } from "../../../../tlog/verify.ts";
import { exportedSegments, largeSchema, primaryStub, restored, rowsOf, stateOf } from "../../backup/registries.ts";
import { avroRecord, plainRegistry, type RecordBody, type Registry, WAYS } from "../native-calls.ts";

const { TEXTS } = env as unknown as { TEXTS: R2Bucket };

function erase(registry: Registry, id: string, headers: Record<string, string> = {}) {
  return registry.call("POST", `/schemas/${id}/erase`, { body: { reason: "Asked for." }, headers });
}

async function verifiedLog(registry: Registry): Promise<LogVerifier> {
  const { body } = await registry.get("/log?after=0&limit=500");
  const verifier = new LogVerifier([]);
  for (const entry of (body as { items: LogLine[] }).items) expect(verifier.add(entry)).toBeUndefined();
  expect(verifier.finish()).toBeUndefined();
  return verifier;
}

describe.each(WAYS)("POST /schemas/{id}/erase on the $name platform", ({ open }) => {
  it("destroys a live version, its text and payloads at once, and leaves the log verifiable", async () => {
    const registry = open();
    await registry.register("kept", avroRecord("id"));
    const { id } = await registry.register("person", largeSchema("secret_of_ana"), { owner: "ana" });
    const root = (await verifiedLog(registry)).root();

    const { status, body } = await erase(registry, id);

    expect(status).toBe(200);
    expect((await registry.get(`/schemas/${id}?deleted=true`)).status).toBe(404);
    expect((await registry.get(`/schemas/${id}/content`)).status).toBe(404);
    const log = await registry.get("/log?after=0&limit=500");
    expect(log.text).not.toMatch(/secret_of_ana|\bana\b/);
    const verifier = await verifiedLog(registry);
    expect(verifier.hardDeleted).toBeGreaterThan(0);
    expect(verifier.size).toBe(5);
    const set = await registry.get(`/change-sets/${(body as { change_set: string }).change_set}`);
    expect(set.body).toMatchObject({ message: "Asked for." });
    expect(root).toHaveLength(32);
  });

  it("erases what is soft-deleted already", async () => {
    const registry = open();
    const { id } = await registry.register("person", avroRecord("id"));
    await registry.call("DELETE", `/schemas/${id}`);

    expect((await erase(registry, id)).status).toBe(200);
    expect((await registry.get(`/schemas/${id}?deleted=true`)).status).toBe(404);
  });

  it.each(["live", "soft-deleted"])("answers a repeat for a %s version as the first time", async (state) => {
    const registry = open();
    const { id } = await registry.register("person", avroRecord("id"));
    if (state === "soft-deleted") await registry.call("DELETE", `/schemas/${id}`);
    const headers = { "Idempotency-Key": "once" };

    const first = await erase(registry, id, headers);
    const again = await erase(registry, id, headers);

    expect([first.status, again.status]).toEqual([200, 200]);
    expect(again.body).toEqual(first.body);
  });

  it("refuses a version that another references, and changes nothing", async () => {
    const registry = open();
    const { id } = await registry.register("addresses", { type: "record", name: "Address", fields: [] });
    const order = { type: "record", name: "Order", fields: [{ name: "to", type: "Address" }] };
    await registry.register("orders", order, { references: [{ name: "Address", subject: "addresses", version: 1 }] });
    const before = await registry.lastSeq();

    const { status, body } = await erase(registry, id);

    expect(status).toBe(409);
    expect((body as { detail: string }).detail).toContain("orders");
    expect(await registry.lastSeq()).toBe(before);
  });

  it("is 404 for an unknown version", async () => {
    const registry = open();

    expect((await erase(registry, "01932f3e-7a2b-7e4f-8c1d-5b6a7f8e9d0c")).status).toBe(404);
    expect((await erase(registry, "nothing")).status).toBe(404);
  });
});

describe("a registry with an erased version", () => {
  it("replays and restores row by row, without the text in R2, log or backup", async () => {
    const registry = plainRegistry();
    const { id } = (await registry.register("person", largeSchema("secret_of_ana"))) as RecordBody;
    await registry.register("kept", avroRecord("id"));
    await erase(registry, id);
    await runDurableObjectAlarm(primaryStub(registry));

    const { current, replayed } = await primaryStub(registry).replayState();
    const target = await restored(await exportedSegments(registry), await stateOf(registry), plainRegistry());

    expect(replayed).toEqual(current);
    expect(await rowsOf(target)).toEqual(await rowsOf(registry));
    expect((await TEXTS.list({ prefix: `${registry.platform.tenant}/` })).objects).toEqual([]);
    expect((await verifiedLog(target)).root()).toEqual((await verifiedLog(registry)).root());
  });
});
