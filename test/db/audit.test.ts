import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deleteOldEntries, ENTRIES_PER_DELETE, findAuditEntries } from "../../db/audit.ts";
import { advance } from "../../db/projection/advance.ts";
import type { ProjectedEntry } from "../../db/projection/changes.ts";
import type { AuditEntry, AuditFilter } from "../../registry/audit.ts";
import { headerBytes, type LogHeader, leafHash, toHex } from "../../registry/log-entry.ts";
import { ok } from "../../schema/result.ts";
import type { Bindings, Edge } from "../../workers/edge.ts";
import { readAuditEntries } from "../../workers/registry/audit/entries.ts";
import { PGLITE, type TestDatabase } from "../support/databases.ts";

const FIRST_MS = 1_764_000_000_000;
const HOUR_MS = 60 * 60 * 1_000;

/** Entries an hour apart, of two actors about three subjects. */
function madeLog(tenant: string, count: number, spacingMs = HOUR_MS): ProjectedEntry[] {
  let previous = "0".repeat(64);
  return Array.from({ length: count }, (_, index) => {
    const seq = index + 1;
    const header: LogHeader = {
      v: 1,
      epoch: 1,
      seq,
      at: FIRST_MS + index * spacingMs,
      type: seq % 5 === 0 ? "schema.deleted" : "schema.registered",
      tenant,
      actor: seq % 2 === 0 ? "key:even" : "key:odd",
      request_id: `r${seq}`,
      subject: `s${seq % 3}`,
      payload_digest: "0".repeat(64),
      prev_hash: previous,
    };
    const bytes = headerBytes(header);
    const leaf = leafHash(bytes);
    previous = toHex(leaf);
    return { header, payload: null, entry: { seq, header: bytes, leafHash: leaf, payload: null } };
  });
}

function entryOf({ header }: ProjectedEntry): AuditEntry {
  const { seq, at: atMs, type, subject, actor, request_id: requestId } = header;
  return { seq, atMs, type, subject, actor, requestId, changeSet: null, payloadDeleted: true };
}

function passes({ actor, subject, types, fromMs, untilMs }: AuditFilter): (entry: AuditEntry) => boolean {
  return (entry) =>
    (actor === undefined || entry.actor === actor) &&
    (subject === undefined || entry.subject === subject) &&
    (types === undefined || types.includes(entry.type)) &&
    (fromMs === undefined || entry.atMs >= fromMs) &&
    (untilMs === undefined || entry.atMs < untilMs);
}

describe("the read model's entries", () => {
  let database: TestDatabase;
  let scanned: number[];
  beforeAll(async () => {
    database = await PGLITE.open();
  });
  afterAll(() => database.close());

  /** An edge over a log, with a primary that notes from where it scans. */
  async function edgeOver(log: readonly ProjectedEntry[], copied: number, more: object = {}) {
    const tenant = crypto.randomUUID();
    scanned = [];
    if (copied > 0) await advance(database.access, tenant, log.slice(0, copied), FIRST_MS);
    const asOf = { epoch: 1, seq: log.length, lastHardDelete: 0 };
    const read = async (name: string, args: { filter: AuditFilter; after: number; limit: number; seqs: number[] }) => {
      const all = log.map(entryOf).filter(passes(args.filter));
      if (name === "auditEntriesAt") return ok({ asOf, value: all.filter(({ seq }) => args.seqs.includes(seq)) });
      scanned.push(args.after);
      const entries = all.filter(({ seq }) => seq > args.after);
      const isMore = entries.length > args.limit;
      const page = entries.slice(0, args.limit);
      return ok({ asOf, value: { entries: page, through: isMore ? page.at(-1)!.seq : log.length, more: isMore } });
    };
    const env = { ...database.access, ...more } as unknown as Bindings;
    return { tenant, env, primary: { read } as unknown as Edge["primary"] };
  }

  async function all(edge: Awaited<ReturnType<typeof edgeOver>>, filter: AuditFilter, limit = 7): Promise<number[]> {
    const seqs: number[] = [];
    for (let after = 0; ; ) {
      const answer = await readAuditEntries(edge, { filter, after, limit });
      if (!answer.ok) throw new Error(answer.refusal.detail);
      const { entries, through, more } = answer.value.value;
      expect(entries.length).toBeLessThanOrEqual(limit);
      seqs.push(...entries.map(({ seq }) => seq));
      if (!more) return seqs;
      expect(through).toBeGreaterThan(after);
      after = through;
    }
  }

  it.each<[string, AuditFilter]>([
    ["actor", { actor: "key:even" }],
    ["subject", { subject: "s1" }],
    ["type", { types: ["schema.deleted"] }],
    ["time", { fromMs: FIRST_MS + 10 * HOUR_MS, untilMs: FIRST_MS + 30 * HOUR_MS }],
    ["all of them", { actor: "key:odd", subject: "s1", types: ["schema.registered"], fromMs: FIRST_MS + HOUR_MS }],
    ["what nothing matches", { actor: "key:nobody" }],
  ])("answer by %s as the primary does, of which only what they lack is scanned", async (_what, filter) => {
    const log = madeLog("t", 60);
    const expected = log
      .map(entryOf)
      .filter(passes(filter))
      .map(({ seq }) => seq);

    for (const copied of [60, 50, 0]) {
      const edge = await edgeOver(log, copied);
      expect(await all(edge, filter), `${copied} copied`).toEqual(expected);
      expect(scanned.every((after) => after >= copied)).toBe(true);
    }
  });

  it("are not queried for pages without a filter, or without a database", async () => {
    const log = madeLog("t", 20);

    expect(await all(await edgeOver(log, 20), {})).toHaveLength(20);
    expect(scanned[0]).toBe(0);
    expect(await all(await edgeOver(log, 0, { DATABASE_URL: "" }), { actor: "key:odd" })).toHaveLength(10);
    expect(scanned[0]).toBe(0);
  });

  it("are deleted after their retention, oldest first; queries for deleted entries scan the log", async () => {
    const log = madeLog("t", 40);
    const edge = await edgeOver(log, 40);

    expect(await deleteOldEntries(database.access, edge.tenant, FIRST_MS + 25 * HOUR_MS)).toBe(false);

    const filter = { actor: "key:even" };
    const found = (after: number) => findAuditEntries(database.access, edge.tenant, { filter, after, limit: 100 });
    expect(await found(0)).toBeUndefined();
    expect(await found(24)).toBeUndefined();
    expect((await found(25))?.seqs).toEqual([26, 28, 30, 32, 34, 36, 38, 40]);
    expect(await all(edge, filter)).toHaveLength(20);
  });

  it("are deleted in bounded batches", async () => {
    const log = madeLog("t", ENTRIES_PER_DELETE + 10, 1);
    const edge = await edgeOver(log, 0);
    for (let at = 0; at < log.length; at += 1_000) {
      await advance(database.access, edge.tenant, log.slice(at, at + 1_000), FIRST_MS);
    }

    const remove = () => deleteOldEntries(database.access, edge.tenant, FIRST_MS + HOUR_MS);

    expect([await remove(), await remove(), await remove()]).toEqual([true, false, false]);
  });
});
