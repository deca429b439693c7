import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { randomBytes } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { PrimaryObject } from "../../../durable-objects/primary/object.ts";
import { TextDeletions } from "../../../durable-objects/primary/state/text-deletions.ts";
import { MAX_SWEPT_TEXTS, MIN_SWEPT_AGE_MS, TextSweep } from "../../../durable-objects/primary/state/text-sweep.ts";
import { RememberedNumbers } from "../../../durable-objects/remembered-numbers.ts";
import { EPOCH } from "../../../registry/log-entry.ts";
import { PROTOCOL_VERSION } from "../../../registry/rpc.ts";
import { textKey, textKeyPrefix } from "../../../registry/text-key.ts";
import { hostileRegistry, plainRegistry } from "../../workers/http/native-calls.ts";
import { commit, type PrimaryStub, primaryWith, registerCommand, setNow } from "./commands.ts";

const { TEXTS, PRIMARIES } = env as unknown as {
  TEXTS: R2Bucket;
  PRIMARIES: DurableObjectNamespace<PrimaryObject>;
};

/** A record whose text stays above 4 KiB when deflated, so that it is stored in R2. */
function largeSchema(type: string) {
  const doc = randomBytes(6_000).toString("hex");
  return { type: "record", name: "Order", doc, fields: [{ name: "id", type }] };
}

function primaryOf({ tenant }: { tenant: string }): PrimaryStub {
  return PRIMARIES.getByName(`${tenant}/${EPOCH}`);
}

function tenantOf(primary: PrimaryStub): string {
  return primary.name!.slice(0, primary.name!.lastIndexOf("/"));
}

async function keysOf(tenant: string): Promise<string[]> {
  const keys: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await TEXTS.list({ prefix: textKeyPrefix(tenant), ...(cursor && { cursor }) });
    keys.push(...page.objects.map(({ key }) => key));
    if (!page.truncated) return keys;
    cursor = page.cursor;
  }
}

/** A cron run and the alarm after it, with objects in R2 of this age. */
async function sweep(primary: PrimaryStub, ageMs = MIN_SWEPT_AGE_MS) {
  const [newest] = await newestUploads(tenantOf(primary));
  await setNow(primary, (newest ?? Date.now()) + ageMs);
  const answer = await primary.sweepTexts({ v: PROTOCOL_VERSION });
  await runDurableObjectAlarm(primary);
  return answer;
}

async function newestUploads(tenant: string): Promise<number[]> {
  const { objects } = await TEXTS.list({ prefix: textKeyPrefix(tenant) });
  return objects.map(({ uploaded }) => uploaded.getTime()).toSorted((a, b) => b - a);
}

describe("texts that a commit never named", () => {
  it("are deleted from R2 an hour after a refused registration", async () => {
    const registry = plainRegistry();
    const primary = primaryOf(registry.platform);
    const named = await registry.register("orders", largeSchema("string"));
    const refused = await registry.call("POST", "/schemas", {
      body: { subject: "orders", format: "avro", content: largeSchema("int") },
    });
    expect(refused.status).toBe(409);
    expect(await keysOf(registry.platform.tenant)).toHaveLength(2);

    expect(await sweep(primary, MIN_SWEPT_AGE_MS - 1)).toEqual({ found: 0, more: false });
    expect(await keysOf(registry.platform.tenant)).toHaveLength(2);

    expect(await sweep(primary)).toEqual({ found: 1, more: false });
    expect(await keysOf(registry.platform.tenant)).toHaveLength(1);
    const { body } = await registry.get(`/schemas/${named.id}`);
    expect(body).toMatchObject({ content: named.content });
  });

  it("are deleted from R2 if the edge lost the primary between upload and commit", async () => {
    const registry = hostileRegistry();
    const { platform } = registry;
    platform.r2.writeFault = () => {
      platform.primaries.unreachable = true;
      return undefined;
    };
    const lost = await registry.call("POST", "/schemas", {
      body: { subject: "orders", format: "avro", content: largeSchema("string") },
    });
    platform.primaries.unreachable = false;
    expect(lost.status).toBe(503);
    expect(await keysOf(platform.tenant)).toHaveLength(1);

    await sweep(primaryOf(platform));

    expect(await keysOf(platform.tenant)).toEqual([]);
  });

  it("stay if a later registration references them, before a sweep or after it", async () => {
    const registry = plainRegistry();
    const primary = primaryOf(registry.platform);
    await registry.register("orders", largeSchema("string"));
    const content = largeSchema("int");
    const refuse = () => registry.call("POST", "/schemas", { body: { subject: "orders", format: "avro", content } });
    expect((await refuse()).status).toBe(409);
    await sweep(primary);
    expect((await refuse()).status).toBe(409);

    const record = await registry.register("payments", content);
    expect(await sweep(primary)).toEqual({ found: 0, more: false });

    expect(await keysOf(registry.platform.tenant)).toHaveLength(2);
    const { status, body } = await registry.get(`/schemas/${record.id}`);
    expect({ status, body }).toMatchObject({ status: 200, body: { content } });
  });
});

describe("a commit whose text is being swept", () => {
  const text = randomBytes(6_000).toString("hex");

  async function withOrphan() {
    const primary = await primaryWith();
    const [need] = await textNeeds(primary);
    const key = textKey(tenantOf(primary), need!);
    const put = () => TEXTS.put(key, deflateRawSync(Buffer.from(text, "utf8")));
    await put();
    await setNow(primary, (await TEXTS.head(key))!.uploaded.getTime() + MIN_SWEPT_AGE_MS);
    return { primary, key, hash: need!, put };
  }

  /** The hash under which a registration requests the upload of the text. */
  async function textNeeds(primary: PrimaryStub): Promise<string[]> {
    const answer = await commit(primary, registerCommand("orders", text), { maxCalls: 2 });
    if (!answer.ok || answer.value.type !== "needs") throw new Error("The text is not asked for.");
    return answer.value.needs.flatMap((need) => (need.type === "text" ? [need.contentHash] : []));
  }

  it("references it before the deletion starts, and it stays", async () => {
    const { primary, key, hash } = await withOrphan();
    expect(await primary.sweepTexts({ v: PROTOCOL_VERSION })).toMatchObject({ found: 1 });

    const answer = await commit(primary, registerCommand("orders", text), { storedTexts: [hash] });
    await runDurableObjectAlarm(primary);

    expect(answer).toMatchObject({ ok: true, value: { type: "done" } });
    expect(await TEXTS.head(key)).not.toBeNull();
  });

  it("learns that the text is missing, and uploads it again", async () => {
    const { primary, key, hash, put } = await withOrphan();
    await primary.sweepTexts({ v: PROTOCOL_VERSION });
    await runDurableObjectAlarm(primary);
    let rounds = 0;

    const answer = await commit(primary, registerCommand("orders", text), {
      storedTexts: [hash],
      between: async () => {
        rounds += 1;
        // The first round is for the reading.
        if (rounds === 2) await put();
      },
    });

    expect(answer).toMatchObject({ ok: true, value: { type: "done" } });
    expect(rounds).toBe(2);
    expect(await TEXTS.head(key)).not.toBeNull();
  });
});

describe("TextSweep", () => {
  const hashes = Array.from({ length: MAX_SWEPT_TEXTS + 1 }, (_, n) => n.toString(16).padStart(4, "0").padEnd(64, "0"));

  it(`checks ${MAX_SWEPT_TEXTS} texts per run and continues from there, also after an eviction`, async () => {
    const primary = await primaryWith();
    const tenant = tenantOf(primary);
    const put = async (some: readonly string[]) => {
      for (const hash of some) await TEXTS.put(textKey(tenant, hash), "x");
    };
    await put(hashes.slice(0, MAX_SWEPT_TEXTS));
    await setNow(primary, Date.now() + MIN_SWEPT_AGE_MS);
    expect(await primary.sweepTexts({ v: PROTOCOL_VERSION })).toEqual({ found: MAX_SWEPT_TEXTS, more: false });
    await runDurableObjectAlarm(primary);
    expect(await keysOf(tenant)).toEqual([]);

    // Another registry, because deleted texts are ignored for ten minutes.
    const other = await primaryWith();
    for (const hash of hashes) await TEXTS.put(textKey(tenantOf(other), hash), "x");
    await setNow(other, Date.now() + MIN_SWEPT_AGE_MS);
    expect(await other.sweepTexts({ v: PROTOCOL_VERSION })).toEqual({ found: MAX_SWEPT_TEXTS, more: true });
    await evictDurableObject(other);
    await setNow(other, Date.now() + MIN_SWEPT_AGE_MS);
    expect(await other.sweepTexts({ v: PROTOCOL_VERSION })).toEqual({ found: 1, more: false });
    await runDurableObjectAlarm(other);
    expect(await keysOf(tenantOf(other))).toEqual([]);
  });

  it("deletes only texts of its tenant", async () => {
    const primary = await primaryWith();
    const tenant = tenantOf(primary);
    const others = [
      `${tenant}/texts/readme.md`,
      textKey(`${tenant}-2`, hashes[0]!),
      textKey(`a/${tenant}`, hashes[0]!),
    ];
    for (const key of others) await TEXTS.put(key, "x");
    await TEXTS.put(textKey(tenant, hashes[0]!), "x");
    await setNow(primary, Date.now() + MIN_SWEPT_AGE_MS);

    expect(await primary.sweepTexts({ v: PROTOCOL_VERSION })).toEqual({ found: 1, more: false });
    await runDurableObjectAlarm(primary);

    for (const key of others) expect(await TEXTS.head(key), key).not.toBeNull();
  });

  /** A sweep over one old text, in a separate database. */
  async function withOldText(
    work: (sql: SqlStorage, run: (isRestoring?: boolean) => Promise<unknown>) => Promise<void>,
  ) {
    const list = async () => ({
      objects: [{ key: textKey("t", hashes[0]!), uploaded: new Date(0) }],
      truncated: false,
    });
    await runInDurableObject(await primaryWith(), async (_, { storage: { sql } }) => {
      const deletions = new TextDeletions(sql, TEXTS, String);
      await work(sql, (isRestoring = false) =>
        new TextSweep({
          sql,
          bucket: { list } as unknown as R2Bucket,
          marks: new RememberedNumbers(sql),
          deletions,
          tenant: () => "t",
          isRestoring: () => isRestoring,
        }).run(MIN_SWEPT_AGE_MS),
      );
    });
  }

  it("deletes nothing while a backup is restored", async () => {
    await withOldText(async (_, run) => {
      expect(await run(true)).toEqual({ found: 0, more: true });
      expect(await run(false)).toEqual({ found: 1, more: false });
    });
  });

  it("remembers a started deletion, however old its list of candidates is", async () => {
    await withOldText(async (sql, run) => {
      const state = () => sql.exec("SELECT state FROM text_deletions").one().state;
      await run();
      await new TextDeletions(sql, TEXTS, String).run(0);
      const done = state();

      expect(await run()).toEqual({ found: 0, more: false });
      expect(state()).toBe(done);
    });
  });
});
