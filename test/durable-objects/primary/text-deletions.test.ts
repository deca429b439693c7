import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { randomBytes } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { MAX_DELETED_AT_ONCE, TextDeletions } from "../../../durable-objects/primary/state/text-deletions.ts";
import type { CommitAnswer } from "../../../registry/rpc.ts";
import { textKey } from "../../../registry/text-key.ts";
import type { Fact } from "../../../schema/facts.ts";
import { computeReading } from "../../../schema/facts.ts";
import { parseSubjectName } from "../../../schema/subject-name.ts";
import { commit, type PrimaryStub, primaryWith, register, registerCommand, request } from "./commands.ts";
import { lineFormat } from "./line-format.ts";

const { TEXTS } = env as unknown as { TEXTS: R2Bucket };
const NAME = parseSubjectName("orders");

/** A text that stays above 4 KiB when deflated, so that it is stored in R2. */
function largeText(): string {
  return randomBytes(6_000).toString("hex");
}

/** A registry that has just hard-deleted this text: it is in R2 and waits for its deletion. */
async function withErasedText(): Promise<{ primary: PrimaryStub; text: string; hash: string; key: string }> {
  const primary = await primaryWith();
  const text = largeText();
  const { contentHash } = (await commitLarge(primary, text)).record;
  await commit(primary, { type: "deleteSubject", name: NAME, permanent: false });
  await commit(primary, { type: "deleteSubject", name: NAME, permanent: true });
  return { primary, text, hash: contentHash, key: textKey(tenantOf(primary), contentHash) };
}

async function commitLarge(primary: PrimaryStub, text: string) {
  return register(primary, "orders", text);
}

/** The reading needed to register this text. */
async function factsOf(primary: PrimaryStub, text: string): Promise<Fact[]> {
  const answer = (await primary.commit(request(registerCommand("orders", text)))) as CommitAnswer;
  if (!answer.ok || answer.value.type !== "needs") throw new Error("The reading is known.");
  return answer.value.needs.flatMap((need) =>
    need.type === "reading"
      ? [
          {
            type: "reading",
            key: need.key,
            reading: computeReading(lineFormat(), { text, references: [] }, need.request),
          },
        ]
      : [],
  );
}

function tenantOf(primary: PrimaryStub): string {
  return primary.name!.slice(0, primary.name!.lastIndexOf("/"));
}

function putText(key: string, text: string): Promise<unknown> {
  return TEXTS.put(key, deflateRawSync(Buffer.from(text, "utf8")));
}

describe("a large text that is hard-deleted and registered again", () => {
  it("is deleted from R2 once it is unreferenced", async () => {
    const { primary, key, text } = await withErasedText();
    await putText(key, text);

    await runDurableObjectAlarm(primary);

    expect(await TEXTS.head(key)).toBeNull();
  });

  it("is requested again if its deletion came between the upload and the commit", async () => {
    const { primary, text, hash, key } = await withErasedText();
    await putText(key, text);
    let deletions = 0;

    const answer = await commit(primary, registerCommand("orders", text), {
      storedTexts: [hash],
      between: async () => {
        // The first call lacks only the reading: the text seems to exist.
        deletions += 1;
        if (deletions === 1) await runDurableObjectAlarm(primary);
        else await putText(key, text);
      },
    });

    expect(answer).toMatchObject({ ok: true, value: { type: "done" } });
    expect(deletions).toBe(2);
    expect(await TEXTS.head(key)).not.toBeNull();
  });

  it("is registered once by two calls of one command that both wait for its deletion", async () => {
    const { primary, text, hash, key } = await withErasedText();
    await runDurableObjectAlarm(primary);
    await putText(key, text);
    const facts = await factsOf(primary, text);
    const asked = request(registerCommand("orders", text), { storedTexts: [hash], facts });

    const answers = await Promise.all([primary.commit(asked), primary.commit(asked)]);

    expect(answers).toMatchObject([
      { ok: true, value: { type: "done", repeated: false, outcome: { created: true } } },
      { ok: true, value: { type: "done", repeated: true, outcome: { created: true } } },
    ]);
  });

  it("stays if it was referenced before its deletion started", async () => {
    const { primary, text, hash, key } = await withErasedText();
    await putText(key, text);

    const answer = await commit(primary, registerCommand("orders", text), { storedTexts: [hash] });
    await runDurableObjectAlarm(primary);

    expect(answer).toMatchObject({ ok: true, value: { type: "done" } });
    expect(await TEXTS.head(key)).not.toBeNull();
  });
});

describe("TextDeletions", () => {
  const hash = "ab".repeat(32);

  /** A bucket with one object whose deletion ends when the test decides. */
  function slowBucket() {
    const release = Promise.withResolvers<void>();
    const bucket = {
      isThere: true,
      deleted: 0,
      release: release.resolve,
      fail: () => release.reject(new Error("We encountered an internal error. Please try again. (10001)")),
      calls: 0,
      async delete(keys: string | string[]) {
        bucket.calls += 1;
        bucket.deleted += [keys].flat().length;
        await release.promise;
        bucket.isThere = false;
      },
      head: async () => (bucket.isThere ? ({} as R2Object) : null),
    };
    return bucket;
  }

  async function inObject(work: (sql: SqlStorage) => Promise<void>): Promise<void> {
    await runInDurableObject(await primaryWith(), async (_object, state) => work(state.storage.sql));
  }

  it("confirms nothing before a running deletion has ended", async () => {
    await inObject(async (sql) => {
      const bucket = slowBucket();
      const deletions = new TextDeletions(sql, bucket, String);
      deletions.add(hash);
      const running = deletions.run(0);

      const confirmed = deletions.confirmed([hash]);
      bucket.release();

      expect([...(await confirmed)]).toEqual([]);
      await running;
    });
  });

  it("confirms an upload after the deletion, and does not delete it", async () => {
    await inObject(async (sql) => {
      const bucket = slowBucket();
      bucket.release();
      const deletions = new TextDeletions(sql, bucket, String);
      deletions.add(hash);
      await deletions.run(0);
      bucket.isThere = true;

      expect([...(await deletions.confirmed([hash]))]).toEqual([hash]);
      await deletions.run(1);
      expect(bucket).toMatchObject({ isThere: true, deleted: 1 });
    });
  });

  it("retries failed deletions and those started by an object that died", async () => {
    await inObject(async (sql) => {
      const failing = slowBucket();
      failing.fail();
      const deletions = new TextDeletions(sql, failing, String);
      deletions.add(hash);
      await expect(deletions.run(0)).rejects.toThrow("internal error");

      const bucket = slowBucket();
      bucket.release();
      await new TextDeletions(sql, bucket, String).run(1);

      expect(bucket).toMatchObject({ isThere: false, deleted: 1 });
    });
  });

  it(`deletes ${MAX_DELETED_AT_ONCE} per call and all of them eventually, and forgets them after ten minutes`, async () => {
    await inObject(async (sql) => {
      const bucket = slowBucket();
      bucket.release();
      const deletions = new TextDeletions(sql, bucket, String);
      for (let n = 0; n <= MAX_DELETED_AT_ONCE; n += 1) deletions.add(n.toString(16).padStart(64, "0"));
      const count = () => sql.exec<{ n: number }>("SELECT count(*) AS n FROM text_deletions").one().n;

      await deletions.run(0);
      const after = [bucket.calls, bucket.deleted, count()];
      await deletions.run(10 * 60_000 - 1);
      const remembered = count();
      await deletions.run(10 * 60_000);

      expect(after).toEqual([2, MAX_DELETED_AT_ONCE + 1, MAX_DELETED_AT_ONCE + 1]);
      expect([remembered, count()]).toEqual([MAX_DELETED_AT_ONCE + 1, 0]);
    });
  });
});
