import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { PrimaryObject } from "../../../durable-objects/primary/object.ts";
import type { Registered } from "../../../registry/commands.ts";
import { GENESIS_HASH, parseHeader } from "../../../registry/log-entry.ts";
import { type CommitAnswer, PROTOCOL_VERSION } from "../../../registry/rpc.ts";
import { chainProblem } from "../../support/log-entries.ts";
import {
  commit,
  expectReplayEqualsState,
  lastSeq,
  outcomeOf,
  primaryWith,
  register,
  registerCommand,
  request,
  setNow,
} from "./commands.ts";
import { BREAKING, lineFormat } from "./line-format.ts";

describe("commit of a registration", () => {
  it("gives the first version number 1, semver 1.0.0 and Confluent id 1", async () => {
    const primary = await primaryWith();

    const { record, created } = await register(primary, "orders-value", "a\nb");

    expect(created).toBe(true);
    expect(record).toMatchObject({ versionNumber: 1, semver: "1.0.0", confluentId: 1, state: "active", seq: 1 });
    expect(record.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("gives known content its existing version, and writes nothing", async () => {
    const primary = await primaryWith();
    const first = await register(primary, "orders-value", "a");

    const again = await register(primary, "orders-value", "  a  ");

    expect(again).toMatchObject({ created: false, record: { id: first.record.id } });
    expect(await lastSeq(primary)).toBe(1);
  });

  it("gives one content one Confluent id in a context and independent ids across contexts", async () => {
    const primary = await primaryWith();
    await register(primary, "first", "x");

    const one = await register(primary, "one", "a");
    const two = await register(primary, "two", "a");
    const elsewhere = await register(primary, ":.other:one", "a");

    expect([one, two, elsewhere].map(({ record }) => record.confluentId)).toEqual([2, 2, 1]);
    expect(new Set([one, two, elsewhere].map(({ record }) => record.guid)).size).toBe(1);
  });

  it("answers needs for an unknown reading and changes nothing", async () => {
    const primary = await primaryWith();

    const answer = await primary.commit(request(registerCommand("orders-value", "a")));

    expect(answer).toMatchObject({
      ok: true,
      value: { type: "needs", needs: [{ type: "reading" }] },
      asOf: { seq: 0 },
    });
  });

  it("computes missing facts itself on request", async () => {
    const primary = await primaryWith();

    const answer = await primary.commit(request(registerCommand("orders-value", "a"), { computeMissing: true }));

    expect(answer).toMatchObject({ ok: true, value: { type: "done", outcome: { record: { versionNumber: 1 } } } });
  });

  it("returns the first outcome for a repeated command, also after eviction", async () => {
    const primary = await primaryWith();
    const asked = request(registerCommand("orders-value", "a"), { computeMissing: true });
    const first = (await primary.commit(asked)) as CommitAnswer & { ok: true };
    await primary.commit(request(registerCommand("orders-value", "b"), { computeMissing: true }));

    await evictDurableObject(primary);
    const repeated = await primary.commit(asked);

    expect(repeated).toEqual({ ...first, value: { ...first.value, repeated: true } });
    expect(await lastSeq(primary)).toBe(2);
  });

  it("forgets a command after 24 hours, and not before", async () => {
    const primary = await primaryWith();
    const start = Date.now();
    await setNow(primary, start);
    const asked = request(registerCommand("orders-value", "a"), { computeMissing: true });
    await primary.commit(asked);

    await setNow(primary, start + 24 * 3_600_000 - 1);
    await runDurableObjectAlarm(primary);
    const before = await primary.commit(asked);
    await setNow(primary, start + 24 * 3_600_000);
    await runDurableObjectAlarm(primary);
    const after = await primary.commit(asked);

    expect(before).toMatchObject({ value: { repeated: true } });
    expect(after).toMatchObject({ value: { repeated: false, outcome: { created: false } } });
  });

  it("refuses an invalid text with its problems and leaves no trace", async () => {
    const primary = await primaryWith();

    const answer = await commit(primary, registerCommand("orders-value", "loud!"));

    expect(answer).toMatchObject({ ok: false, refusal: { error: "INVALID_SCHEMA", items: [{ rule: "shouting" }] } });
    expect(await lastSeq(primary)).toBe(0);
  });

  it("refuses an unknown protocol version", async () => {
    const primary = await primaryWith();

    const answer = await primary.commit({ ...request(registerCommand("s", "a")), v: PROTOCOL_VERSION + 1 });

    expect(answer).toMatchObject({ ok: false, refusal: { error: "NOT_READY" } });
  });
});

describe("verdicts and races", () => {
  it("needs a verdict for the pair the level compares, and refuses on a breaking one", async () => {
    const format = lineFormat(() => [BREAKING]);
    const primary = await primaryWith(format);
    await register(primary, "s", "a");

    const answer = await commit(primary, registerCommand("s", "b"), { format });

    expect(answer).toMatchObject({
      ok: false,
      refusal: {
        error: "INCOMPATIBLE_SCHEMA",
        extra: { verdict: { level: "BACKWARD", compared_versions: [{ version_number: 1 }] } },
      },
    });
    expect(await lastSeq(primary)).toBe(1);
  });

  it("compares with a version that was added between two calls of one commit", async () => {
    const format = lineFormat((reader, writer) =>
      writer.lines[0] === "rival" && reader.lines[0] === "c" ? [BREAKING] : [],
    );
    const primary = await primaryWith(format);
    await register(primary, "s", "a");

    const answer = await commit(primary, registerCommand("s", "c"), {
      format,
      between: async (call) => {
        if (call === 2) await register(primary, "s", "rival");
      },
    });

    expect(answer).toMatchObject({ ok: false, refusal: { error: "INCOMPATIBLE_SCHEMA" } });
  });

  it("obeys a config that was set between two calls of one commit", async () => {
    const format = lineFormat(() => [BREAKING]);
    const primary = await primaryWith(format);
    await register(primary, "s", "a");
    await commit(primary, {
      type: "setConfig",
      scope: { context: ".", subject: "s" },
      changes: { compatibilityLevel: "NONE" },
    });

    const answer = await commit(primary, registerCommand("s", "b"), {
      format,
      between: async (call) => {
        if (call === 1) {
          const scope = { context: ".", subject: "s" };
          await commit(primary, { type: "setConfig", scope, changes: { compatibilityLevel: "BACKWARD" } });
        }
      },
    });

    expect(answer).toMatchObject({ ok: false, refusal: { error: "INCOMPATIBLE_SCHEMA" } });
  });

  it("obeys a mode that was set between two calls of one commit", async () => {
    const primary = await primaryWith();

    const answer = await commit(primary, registerCommand("s", "a"), {
      between: async () => {
        await commit(primary, {
          type: "setMode",
          scope: { context: ".", subject: "" },
          mode: "READONLY",
          force: false,
        });
      },
    });

    expect(answer).toMatchObject({ ok: false, refusal: { error: "OPERATION_NOT_PERMITTED" } });
  });

  it("reads a reference again if it was deleted and re-created with other content between two calls", async () => {
    const primary = await primaryWith();
    await register(primary, "common", "old");
    const references = [{ name: "common", subject: "common", version: 1 }];
    const name = { context: ".", subject: "common" };

    const answer = await commit(primary, registerCommand("s", "a", { references }), {
      between: async (call) => {
        if (call > 1) return;
        await commit(primary, { type: "deleteSubject", name, permanent: false });
        await commit(primary, { type: "deleteSubject", name, permanent: true });
        await register(primary, "common", "new");
      },
      maxCalls: 2,
    });

    expect(answer).toMatchObject({ ok: true, value: { type: "needs", needs: [{ type: "reading" }] } });
  });

  it.each(["NONE", "BACKWARD_TRANSITIVE"] as const)("accepts all of 100 concurrent writers at %s", async (level) => {
    const format = lineFormat();
    const primary = await primaryWith(format);
    await commit(primary, {
      type: "setConfig",
      scope: { context: ".", subject: "s" },
      changes: { compatibilityLevel: level },
    });

    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const command = registerCommand("s", `writer ${index}`);
        const commandId = `race-${index}`;
        const attempt = await commit(primary, command, { format, commandId, maxCalls: 2 });
        return attempt.ok && attempt.value.type === "needs"
          ? await primary.commit({ ...request(command), commandId, computeMissing: true })
          : attempt;
      }),
    );

    const numbers = answers.map((answer) => (outcomeOf(answer) as Registered | undefined)?.record.versionNumber);
    expect(numbers.toSorted((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
    await expectReplayEqualsState(primary);
  });
});

describe("the log", () => {
  it("chains every entry to its predecessor and keeps the hashed bytes", async () => {
    const primary = await primaryWith();
    await register(primary, "a", "1");
    await register(primary, "a", "2");
    await register(primary, "b", "1");

    const { entries } = await primary.readLog({ v: PROTOCOL_VERSION, after: 0, limit: 10 });

    expect(entries.map(({ header }) => parseHeader(header).type)).toEqual(Array(3).fill("schema.registered"));
    expect(chainProblem({ seq: 0, leafHash: GENESIS_HASH }, entries)).toBeUndefined();
    entries[1]!.header[10]! ^= 1;
    expect(chainProblem({ seq: 0, leafHash: GENESIS_HASH }, entries)).toContain("Entry 2");
  });

  it("carries actor, time, request id and tenant of every mutation", async () => {
    const primary = await primaryWith();
    await setNow(primary, 1_700_000_000_000);
    await register(primary, "a", "1");

    const { entries } = await primary.readLog({ v: PROTOCOL_VERSION, after: 0, limit: 1 });

    expect(parseHeader(entries[0]!.header)).toMatchObject({
      v: 1,
      epoch: 1,
      seq: 1,
      at: 1_700_000_000_000,
      tenant: "test",
      actor: "tester",
      request_id: "request-1",
      subject: "a",
      prev_hash: GENESIS_HASH,
    });
  });

  it("still verifies after a hard delete has removed payload, salt and text", async () => {
    const primary = await primaryWith();
    await register(primary, "a", "secret");
    await register(primary, "a", "public");
    const name = { context: ".", subject: "a" };
    await commit(primary, { type: "deleteVersion", name, versionNumber: 1, permanent: false });
    await commit(primary, { type: "deleteVersion", name, versionNumber: 1, permanent: true });

    const { entries, asOf } = await primary.readLog({ v: PROTOCOL_VERSION, after: 0, limit: 10 });
    const texts = await runInDurableObject(primary, (_, ctx) =>
      ctx.storage.sql.exec("SELECT * FROM stored_texts").toArray(),
    );

    expect(entries[0]!.payload).toBeNull();
    expect(chainProblem({ seq: 0, leafHash: GENESIS_HASH }, entries)).toBeUndefined();
    expect(texts).toHaveLength(1);
    expect(asOf.lastHardDelete).toBe(4);
    await expectReplayEqualsState(primary);
  });

  it("is read in pages of bounded size", async () => {
    const primary = await primaryWith();
    for (const text of ["1", "2", "3"]) await register(primary, "a", text);

    const page = await primary.readLog({ v: PROTOCOL_VERSION, after: 1, limit: 1 });

    expect(page.entries.map(({ seq }) => seq)).toEqual([2]);
    expect(page.asOf.seq).toBe(3);
  });

  it("nudges its followers of the next commit even if a cleanup alarm is set for tomorrow", async () => {
    const primary = await primaryWith();
    await register(primary, "first", "a");
    await runDurableObjectAlarm(primary);

    await register(primary, "second", "a");

    const alarm = await runInDurableObject(primary, (_object: PrimaryObject, ctx) => ctx.storage.getAlarm());
    // Null: it has already fired.
    expect((alarm ?? Date.now()) - Date.now()).toBeLessThan(5_000);
  });

  it("nudges its followers once by the alarm of a commit, and again after a restart", async () => {
    const primary = await primaryWith();
    const sent: unknown[] = [];
    const watch = () =>
      runInDurableObject(primary, (object: PrimaryObject) => {
        const watched = object as unknown as { env: object };
        watched.env = { ...watched.env, CHANGES: { send: async (nudge: unknown) => void sent.push(nudge) } };
      });
    await watch();
    await register(primary, "a", "1");

    // On a busy machine the first has already fired.
    await runDurableObjectAlarm(primary);
    await runDurableObjectAlarm(primary);
    const before = sent.length;
    await evictDurableObject(primary);
    await watch();
    await runDurableObjectAlarm(primary);

    expect(before).toBe(1);
    expect(sent).toEqual([expect.objectContaining({ upToSeq: 1 }), expect.objectContaining({ upToSeq: 1 })]);
  });
});
