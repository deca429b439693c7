import { runInDurableObject } from "cloudflare:test";
import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { MAX_COMPARED_BYTES, MAX_COMPARED_CONTENTS } from "../../../durable-objects/primary/decide/compatibility.ts";
import { MAX_INLINE_TEXT_BYTES } from "../../../durable-objects/primary/decide/register.ts";
import { MAX_CLOSURE_CONTENTS, reach } from "../../../durable-objects/primary/state/closure.ts";
import type { StateReader } from "../../../durable-objects/primary/state/reader.ts";
import { type EventPage, MAX_EVENT_PAGE, MAX_EVENT_RECORDS, type RegistryEvent } from "../../../registry/event.ts";
import { fromHex } from "../../../registry/log-entry.ts";
import { MAX_LOG_PAGE_ENTRIES, PROTOCOL_VERSION } from "../../../registry/rpc.ts";
import { sha256Hex } from "../../../schema/content-hash.ts";
import { parseSubjectName } from "../../../schema/subject-name.ts";
import {
  appendEntries,
  commit,
  lastSeq,
  type PrimaryStub,
  primaryWith,
  register,
  registerCommand,
} from "./commands.ts";

describe("the references of a content", () => {
  const hashOf = (n: number) => n.toString(16).padStart(64, "0");
  const reference = (n: number) => ({ name: `r${n}`, subject: `s${n}`, version: 1 });

  /** Each content references the next, `count` in total. */
  function chainOf(count: number): Pick<StateReader, "referenceTarget"> {
    return {
      referenceTarget: (context, { subject }) => {
        const n = Number(subject.slice(1));
        const refs = n + 1 < count ? JSON.stringify([reference(n + 1)]) : null;
        return { content_hash: fromHex(hashOf(n)).buffer, refs, context } as ReturnType<StateReader["referenceTarget"]>;
      },
    };
  }

  it(`reach up to ${MAX_CLOSURE_CONTENTS} contents and no more`, () => {
    const reached = (count: number) => reach(chainOf(count), hashOf(0), [reference(1)], ".");

    expect(reached(MAX_CLOSURE_CONTENTS)?.nodes).toHaveLength(MAX_CLOSURE_CONTENTS);
    expect(reached(MAX_CLOSURE_CONTENTS + 1)).toBeUndefined();
  });
});

describe("a transitive check", () => {
  /**
   * A subject with many versions of distinct contents. Rows are copied in place, because registering them would take
   * minutes.
   */
  async function withContents(count: number): Promise<PrimaryStub> {
    const primary = await primaryWith();
    await register(primary, "orders", "a");
    await commit(primary, {
      type: "setConfig",
      scope: parseSubjectName("orders"),
      changes: { compatibilityLevel: "BACKWARD_TRANSITIVE" },
    });
    await runInDurableObject(primary, (_, { storage: { sql } }) => {
      const copy = (table: string, own: Readonly<Record<string, string>>) => {
        const { columnNames } = sql.exec(`SELECT * FROM ${table} LIMIT 1`);
        sql.exec(
          `WITH RECURSIVE more (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM more WHERE n < ?)
            INSERT INTO ${table} (${columnNames.join()})
            SELECT ${columnNames.map((name) => own[name] ?? `${table}.${name}`).join()} FROM ${table}, more`,
          count,
        );
      };
      copy("contents", { content_key: "1000 + n", content_hash: "randomblob(32)", guid: "contents.guid || n" });
      copy("records", {
        record_key: "1000 + n",
        content_key: "1000 + n",
        id: "records.id || n",
        number: "n",
        label: "NULL",
      });
      sql.exec("UPDATE subjects SET last_number = ?", count);
    });
    return primary;
  }

  it(`reads ${MAX_COMPARED_CONTENTS} contents, and is refused beyond`, async () => {
    const asked = async (count: number) => {
      const primary = await withContents(count);
      const answer = await commit(primary, registerCommand("orders", "b"), { maxCalls: 2 });
      return { answer, seq: await lastSeq(primary) };
    };

    const within = await asked(MAX_COMPARED_CONTENTS);
    expect(within).toMatchObject({ answer: { ok: true, value: { type: "needs" } }, seq: 2 });
    const beyond = await asked(MAX_COMPARED_CONTENTS + 1);
    expect(beyond).toMatchObject({ answer: { ok: false, refusal: { error: "TOO_COMPLEX" } }, seq: 2 });
  });

  it(`reads ${MAX_COMPARED_BYTES} bytes of texts, and is refused beyond`, async () => {
    const asked = async (bytes: number) => {
      const primary = await withContents(1);
      await runInDurableObject(primary, (_, { storage: { sql } }) => {
        sql.exec("UPDATE log SET text_bytes = ? WHERE seq = 1", bytes);
      });
      return { answer: await commit(primary, registerCommand("orders", "b"), { maxCalls: 2 }) };
    };

    expect(await asked(MAX_COMPARED_BYTES)).toMatchObject({ answer: { ok: true, value: { type: "needs" } } });
    const beyond = await asked(MAX_COMPARED_BYTES + 1);
    expect(beyond).toMatchObject({ answer: { ok: false, refusal: { error: "TOO_COMPLEX" } } });
  });
});

async function eventsOf(primary: PrimaryStub, limit: number): Promise<readonly RegistryEvent[]> {
  // The stub's type omits the record's union members.
  const page = (await primary.readEvents({ v: PROTOCOL_VERSION, after: 0, limit })) as EventPage;
  return page.events;
}

describe("a text", () => {
  /** Digits of hashes are hardly compressible, so the deflated size grows slowly with the length. */
  function textOfDeflatedBytes(bytes: number): string {
    const digits = Array.from({ length: bytes / 16 }, (_, n) => sha256Hex(String(n))).join("");
    const sizeOf = (length: number) => deflateRawSync(Buffer.from(digits.slice(0, length))).byteLength;
    let length = digits.length;
    while (sizeOf(length) > bytes) length -= Math.max(1, Math.floor((sizeOf(length) - bytes) / 2));
    for (let more = 1; more < 200 && sizeOf(length) !== bytes; more += 1)
      if (sizeOf(length + more) === bytes) length += more;
    expect(sizeOf(length)).toBe(bytes);
    return digits.slice(0, length);
  }

  it(`of ${MAX_INLINE_TEXT_BYTES} deflated bytes is stored in the object; a larger one must be in R2`, async () => {
    const primary = await primaryWith();
    const needsOf = async (bytes: number) => {
      const answer = await commit(primary, registerCommand(`s${bytes}`, textOfDeflatedBytes(bytes)), { maxCalls: 2 });
      return answer.ok && answer.value.type === "needs" ? answer.value.needs.map(({ type }) => type) : answer.ok;
    };

    expect(await needsOf(MAX_INLINE_TEXT_BYTES)).toBe(true);
    expect(await needsOf(MAX_INLINE_TEXT_BYTES + 1)).toEqual(["text"]);
  });
});

describe("an event", () => {
  it(`lists ${MAX_EVENT_RECORDS} records and reports the total`, async () => {
    const primary = await primaryWith();
    for (const subject of ["fits", "more"]) {
      const count = MAX_EVENT_RECORDS + (subject === "more" ? 1 : 0);
      for (let n = 0; n < count; n += 1) await register(primary, subject, `${subject} ${n}`);
      await commit(primary, { type: "deleteSubject", name: parseSubjectName(subject), permanent: false });
    }

    const events = await eventsOf(primary, MAX_EVENT_PAGE);
    const deleted = events.filter(({ type }) => type === "schema.deleted");

    expect(deleted.map(({ records }) => records.length)).toEqual([MAX_EVENT_RECORDS, MAX_EVENT_RECORDS]);
    expect(deleted.map(({ recordCount }) => recordCount)).toEqual([MAX_EVENT_RECORDS, MAX_EVENT_RECORDS + 1]);
  });
});

describe("a page", () => {
  it(`has at most ${MAX_LOG_PAGE_ENTRIES} entries of the log, and ${MAX_EVENT_PAGE} events`, async () => {
    const primary = await primaryWith();
    await appendEntries(primary, MAX_LOG_PAGE_ENTRIES + 1);
    const asked = (limit: number) => ({ v: PROTOCOL_VERSION, after: 0, limit });

    for (const limit of [MAX_LOG_PAGE_ENTRIES - 1, MAX_LOG_PAGE_ENTRIES]) {
      expect((await primary.readLog(asked(limit))).entries).toHaveLength(limit);
      expect(await eventsOf(primary, limit)).toHaveLength(limit);
    }
    expect((await primary.readLog(asked(MAX_LOG_PAGE_ENTRIES + 1))).entries).toHaveLength(MAX_LOG_PAGE_ENTRIES);
    expect(await eventsOf(primary, MAX_EVENT_PAGE + 1)).toHaveLength(MAX_EVENT_PAGE);
  });
});
