import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { answerAuditEntries, MAX_SCANNED_ENTRIES } from "../../../../durable-objects/primary/answer/audit.ts";
import { PRIMARY_DEADLINE_MS } from "../../../../durable-objects/primary/client.ts";
import type { PrimaryObject } from "../../../../durable-objects/primary/object.ts";
import { appendEntries, primaryWith } from "../../../durable-objects/primary/commands.ts";
import { distantPrimaries, readSlowly } from "../../../support/slow-reader.ts";
import { avroRecord, type ProblemBody, plainRegistry, type Registry } from "../native-calls.ts";

type Entry = {
  seq: number;
  type: string;
  subject: string | null;
  actor: string;
  payload_deleted: boolean;
  change_set: string | null;
};
type Page = { items: Entry[]; next_after: number; more: boolean };

async function entries(registry: Registry, query = ""): Promise<Entry[]> {
  const { status, body, text } = await registry.get(`/audit/entries?${query}`);
  expect(status, text).toBe(200);
  return (body as Page).items;
}

async function withHistory(): Promise<{ registry: Registry; middle: string }> {
  const registry = plainRegistry();
  const { id } = await registry.register("orders", avroRecord("id"));
  await registry.register("=cmd|' /C calc'!A0", avroRecord("id"));
  const middle = new Date(registry.platform.clock.now()).toISOString();
  await registry.call("DELETE", `/schemas/${id}`);
  await registry.call("DELETE", `/schemas/${id}?permanent=true`);
  return { registry, middle };
}

describe("GET /audit/entries", () => {
  it("lists who did what to which subject, including hard-deleted ones", async () => {
    const { registry } = await withHistory();

    expect(await entries(registry)).toMatchObject([
      { seq: 1, type: "schema.registered", subject: "orders", actor: "local", payload_deleted: true },
      { seq: 2, type: "schema.registered", payload_deleted: false },
      { seq: 3, type: "schema.deleted", subject: "orders" },
      { seq: 4, type: "schema.erased", subject: "orders" },
    ]);
  });

  it.each([
    ["subject=orders", [1, 3, 4]],
    ["subject=order", []],
    ["type=schema.deleted,schema.erased", [3, 4]],
    ["actor=local", [1, 2, 3, 4]],
    ["actor=nobody", []],
    ["subject=orders&type=schema.registered", [1]],
    ["change_set=unknown", []],
    ["from=2999-01-01", []],
    ["until=2999-01-01T00:00:00Z", [1, 2, 3, 4]],
    ["after=2&limit=1", [3]],
  ])("answers %s", async (query, seqs) => {
    const { registry } = await withHistory();

    expect((await entries(registry, query)).map(({ seq }) => seq)).toEqual(seqs);
  });

  it.each([
    "from=yesterday",
    "until=2026-13-01",
    "limit=501",
    "actor=",
    "actor=a%00",
    "subject=%00",
    "type=schema.registered,%00",
    "change_set=%00",
    "from=0000-12-31T23:59:59Z",
    "from=0001-01-01T00:00:00%2B00:01",
    "until=9999-12-31T23:59:59-23:59",
  ])("refuses %s", async (query) => {
    for (const route of ["entries", "export"]) {
      const { status, body } = await plainRegistry().get(`/audit/${route}?${query}`);
      expect(status).toBe(400);
      expect((body as ProblemBody).detail).toContain(`"${query.split("=")[0]}"`);
    }
  });

  it.each(["from=0001-01-01", "until=9999-12-31T23:59:59.999Z"])("accepts %s", async (query) => {
    expect((await plainRegistry().get(`/audit/entries?${query}`)).status).toBe(200);
  });

  it("returns the entries of one change set, and names the set of each entry", async () => {
    const { registry } = await withHistory();
    const changes = ["a", "b"].map((subject) => ({
      operation: "register",
      subject,
      format: "avro",
      content: avroRecord("id"),
    }));
    const { body } = await registry.call("POST", "/change-sets", { body: { changes } });
    const { change_set } = body as { change_set: string };

    const found = await entries(registry, `change_set=${change_set}`);

    expect(found.map((entry) => [entry.seq, entry.change_set])).toEqual([5, 6, 7].map((seq) => [seq, change_set]));
    expect((await entries(registry, "subject=orders")).map((entry) => entry.change_set)).toEqual([null, null, null]);
  });

  it("scans a bounded part of the log per page, and continues from there", async () => {
    const primary = await primaryWith();
    await appendEntries(primary, 12);

    const pages = await runInDurableObject(primary, (_object: PrimaryObject, { storage: { sql } }) => {
      const ask = (after: number) =>
        answerAuditEntries(sql, { filter: { subject: "subject-11" }, after, limit: 10 }, 5);
      return [ask(0), ask(5), ask(10)].map(({ entries: found, through, more }) => [found.length, through, more]);
    });

    expect(pages).toEqual([
      [0, 5, true],
      [0, 10, true],
      [1, 12, false],
    ]);
    expect(MAX_SCANNED_ENTRIES).toBe(5_000);
  });
});

describe("GET /audit/export", () => {
  it("returns JSON lines, and CSV without spreadsheet formulas", async () => {
    const { registry } = await withHistory();

    const lines = await registry.get("/audit/export?subject=orders");
    const csv = await registry.get("/audit/export?format=csv");

    expect(lines.body).toMatchObject([{ seq: 1 }, { seq: 3 }, { seq: 4 }]);
    expect(csv.headers.get("Content-Type")).toBe("text/csv; charset=utf-8");
    const rows = csv.text.split("\r\n");
    expect(rows[0]).toBe('"seq","at","type","actor","subject","request_id","change_set","payload_deleted"');
    expect(rows[2]).toContain(`,"'=cmd|' /C calc'!A0",`);
    expect(rows).toHaveLength(6);
  });

  it("continues over as many pages as needed", async () => {
    const registry = plainRegistry();
    const { PRIMARIES } = env as unknown as { PRIMARIES: DurableObjectNamespace<PrimaryObject> };
    await appendEntries(PRIMARIES.getByName(`${registry.platform.tenant}/1`), 1_001);

    const { body } = await registry.get("/audit/export");

    expect((body as Entry[]).map(({ seq }) => seq)).toEqual(Array.from({ length: 1_001 }, (_, index) => index + 1));
  });

  it("continues as long as the client reads, however slowly", async () => {
    const { PRIMARIES } = env as unknown as { PRIMARIES: DurableObjectNamespace<PrimaryObject> };
    const registry = plainRegistry({ vars: { PRIMARIES: distantPrimaries(PRIMARIES) } });
    await appendEntries(PRIMARIES.getByName(`${registry.platform.tenant}/1`), 2_001);
    const response = await registry.platform.fetch("/api/v1/audit/export");

    const text = await readSlowly(response.body!, 2 * PRIMARY_DEADLINE_MS);

    expect(text.trimEnd().split("\n")).toHaveLength(2_001);
  });
});
