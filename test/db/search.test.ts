import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, readDatabase } from "../../db/client.ts";
import { MAX_COUNTED } from "../../db/search/candidates.ts";
import type { Highlight } from "../../db/search/highlights.ts";
import { type SearchOutcome, type SearchPage, type SearchRequest, searchVersions } from "../../db/search.ts";
import { DATABASES, type TestDatabase } from "../support/databases.ts";
import { avroText, writeSearchable } from "../support/read-model.ts";

const TENANT = "default";
const SUBJECTS = [
  { subject: "address", text: avroText("Address", { street: null, city: "Where the parcel goes." }) },
  { subject: "address-value", text: avroText("AddressValue", { line: null }) },
  { subject: "user_address", text: avroText("UserAddress", { zip: null }), tags: ["pii", "gdpr"], owner: "team-users" },
  { subject: "checkout.order", text: avroText("Order", { shippingAddress: null, billing_id: null }), tags: ["pii"] },
  { subject: "warehouse", text: avroText("Warehouse", { place: "The address of the building." }) },
  {
    subject: "note",
    text: avroText("Note", { body: null }, "Nothing else."),
    description: "Kept with addresses of people.",
  },
  { subject: "com.example.UserIdChanged", text: avroText("Changed", { oldUserId: null }), format: "avro" as const },
  {
    subject: "invoice",
    format: "json-schema" as const,
    text: JSON.stringify({
      type: "object",
      properties: { total: { type: "number", enum: [1] } },
      $comment: "zanzibar",
    }),
    role: "event" as const,
  },
  { subject: "invoice", context: ".eu", text: avroText("Invoice", { vat: null }), owner: "team-billing" },
];

describe.each(DATABASES)("searchVersions among a few subjects on $name", ({ open, available }) => {
  describe.skipIf(!available)("finds and ranks", () => {
    let database: TestDatabase;

    beforeAll(async () => {
      database = await open();
      await writeSearchable(database.access, TENANT, SUBJECTS);
    });

    afterAll(() => database?.close());

    const search = async (query: string, more: Partial<SearchRequest> = {}, tenant = TENANT): Promise<SearchPage> =>
      toPage(await searchVersions(database.access, tenant, { query, limit: 20, versions: "latest", ...more }));
    const found = async (query: string, more: Partial<SearchRequest> = {}) =>
      (await search(query, more)).items.map(({ record }) => record.subject);

    it("ranks the subject of that name first, then prefixes of it, then names, fields and texts", async () => {
      const subjects = await found("address");

      expect(subjects.slice(0, 4)).toEqual(["address", "address-value", "user_address", "checkout.order"]);
      expect(new Set(subjects.slice(4))).toEqual(new Set(["warehouse", "note"]));
    });

    it.each([
      ["a part of a name in camel case", "shipping", ["checkout.order"]],
      ["a part of a name in snake case", "billing id", ["checkout.order"]],
      ["a whole name, whatever its case", "SHIPPINGADDRESS", ["checkout.order"]],
      ["words of a name in another spelling", "shipping_address", ["checkout.order"]],
      ["the beginning of a word", "wareh", ["warehouse"]],
      ["words from different places", "order billing", ["checkout.order"]],
      ["another form of a word in prose", "buildings", ["warehouse"]],
      ["a word of the text alone", "zanzibar", ["invoice"]],
      ["an owner", "team-users", ["user_address"]],
      ["a tag", "gdpr", ["user_address"]],
      ["a name with a dot in it", "checkout.order", ["checkout.order"]],
      ["a compound of three", "userIdChanged", ["com.example.UserIdChanged"]],
    ])("finds %s", async (_what, query, expected) => {
      expect((await found(query)).slice(0, 1)).toEqual(expected);
    });

    it.each([
      [
        "usr_adress",
        "user_address",
        [
          { from: "usr", to: ["user"] },
          { from: "adress", to: ["address"] },
        ],
      ],
      ["warehuose", "warehouse", [{ from: "warehuose", to: ["warehouse"] }]],
      ["adress", "address", [{ from: "adress", to: ["address"] }]],
    ])("finds the intended word for %s, and reports the correction", async (query, subject, corrections) => {
      const { items, match, corrections: made } = await search(query);

      expect(items[0]!.record.subject).toBe(subject);
      expect(match).toBe("similar");
      expect(made).toMatchObject(corrections);
    });

    it("falls back to any of the words, and reports that", async () => {
      const { items, match } = await search("warehouse xylophone");

      expect(items.map(({ record }) => record.subject)).toEqual(["warehouse"]);
      expect(match).toBe("any");
    });

    it("returns no hits for a query without a match", async () => {
      expect(await search("xylophone")).toMatchObject({ items: [], total: 0, totalRelation: "eq", match: "all" });
    });

    it("returns the complete record, including references", async () => {
      await writeSearchable(database.access, "other", [
        {
          subject: "refers",
          context: ".eu",
          text: avroText("R", { a: null }),
          references: [
            { name: "own", subject: "invoice", version: 1 },
            { name: "far", subject: ":.:address", version: 3 },
          ],
          metadata: { team: { size: 3 } },
        },
      ]);

      const { items, asOf } = await search("refers", {}, "other");

      expect(asOf).toEqual({ epoch: 1, seq: 1 });
      expect(items[0]!.record).toMatchObject({
        id: "00000000-0000-7000-8000-000000000001",
        context: ".eu",
        versionNumber: 1,
        semver: "1.0.0",
        references: [
          { name: "own", subject: "invoice", version: 1 },
          { name: "far", subject: ":.:address", version: 3 },
        ],
        attributes: { metadata: { team: { size: 3 } }, tags: [] },
        createdAtMs: 1_764_000_000_001,
      });
    });

    it("keeps tenants apart", async () => {
      await writeSearchable(database.access, "third", [{ subject: "secretive", text: avroText("S", { a: null }) }]);

      expect(await found("secretive")).toEqual([]);
      expect((await search("secretiv_")).corrections).toEqual([]);
    });

    it.each([
      ["format", { formats: ["json-schema"] }, ["invoice"]],
      ["formats", { formats: ["json-schema", "protobuf"] }, ["invoice"]],
      ["one tag", { tags: ["pii"] }, ["checkout.order", "user_address"]],
      ["two tags, both", { tags: ["pii", "gdpr"] }, ["user_address"]],
      ["owner", { owner: "team-billing" }, ["invoice"]],
      ["role", { role: "event" }, ["invoice"]],
      ["context", { context: ".eu" }, ["invoice"]],
      ["subject prefix", { subjectPrefix: "user" }, ["user_address"]],
      ["subject prefix, capitals included", { subjectPrefix: "User" }, []],
      ["a subject prefix with signs of a pattern", { subjectPrefix: "user%" }, []],
      ["a tag that nothing has", { tags: ["nobody"] }, []],
    ])("filters by %s, newest first without a query", async (_what, filters, expected) => {
      expect(await found("", filters as Partial<SearchRequest>)).toEqual(expected);
    });

    it("filters the matches of words", async () => {
      expect(await found("address", { tags: ["pii"] })).toEqual(["user_address", "checkout.order"]);
    });

    it.each([
      "' OR 1=1 --",
      "a' & 'b",
      "address'); DROP TABLE versions; --",
      "\\",
      "addr\\'ess",
      "user:* | !x",
      "%_%",
      "ad\u0000dress",
      "<->",
    ])("treats %j as plain words and signs", async (query) => {
      const outcome = await searchVersions(database.access, TENANT, { query, limit: 5, versions: "latest" });
      const filtered = await search("", {
        owner: query,
        tags: [query],
        context: query,
        subjectPrefix: query.replace("\u0000", ""),
      });

      expect(["found", "no_words"]).toContain(outcome.outcome);
      expect(filtered.items).toEqual([]);
      expect(await found("warehouse")).toEqual(["warehouse"]);
    });

    it("marks the matches and their places", async () => {
      const { items } = await search("shipping address");

      expect(items[0]!.highlights).toContainEqual({
        in: "field",
        path: "shippingAddress",
        parts: [{ text: "shippingAddress", match: true }],
      });
      expect(marked((await search("building")).items[0]!.highlights)).toEqual([
        ["documentation", "The address of the [building]."],
      ]);
      expect(marked((await search("zanzibar")).items[0]!.highlights)[0]).toEqual([
        "content",
        expect.stringContaining("[zanzibar]"),
      ]);
    });
  });
});

describe.each(DATABASES)("searchVersions as versions are added and removed on $name", ({ open, available }) => {
  describe.skipIf(!available)("follows them", () => {
    let database: TestDatabase;

    beforeAll(async () => {
      database = await open();
    });

    afterAll(() => database?.close());

    const search = async (query: string, more: Partial<SearchRequest> = {}): Promise<SearchPage> =>
      toPage(await searchVersions(database.access, TENANT, { query, limit: 20, versions: "latest", ...more }));
    const change = (statement: ReturnType<typeof sql>) =>
      inTransaction(database.access, (transaction) => transaction.execute(statement));
    const wordsKnown = async () => {
      const { rows } = await readDatabase(database.access, (db) =>
        db.execute<{ word: string }>(sql`SELECT word FROM search_words WHERE tenant = ${TENANT} ORDER BY word`),
      );
      return rows.map(({ word }) => word);
    };

    it("finds the latest of several versions, or all of them", async () => {
      const texts = ["a", "b", "c"].map((field) => avroText("Many", { [field]: null }));
      await writeSearchable(
        database.access,
        TENANT,
        texts.map((text) => ({ subject: "many", text })),
      );

      const numbers = async (versions: "latest" | "all") =>
        (await search("many", { versions })).items.map(({ record }) => record.versionNumber);

      expect(await numbers("latest")).toEqual([3]);
      expect(await numbers("all")).toEqual([3, 2, 1]);
    });

    it("reflects changes, deletion and undelete of a version", async () => {
      const [key] = await writeSearchable(database.access, TENANT, [
        { subject: "changing", text: avroText("Changing", { field: null }), state: "active" },
      ]);
      const here = sql`tenant = ${TENANT} AND record_key = ${key}`;
      const total = async (query: string, more: Partial<SearchRequest> = {}) => (await search(query, more)).total;

      await change(
        sql`UPDATE versions SET tags = '{unusual}', attribute_words = 'unusual', state = 'deprecated' WHERE ${here}`,
      );
      const changed = [
        await total("unusual"),
        await total("", { tags: ["unusual"] }),
        await total("", { states: ["deprecated"] }),
      ];
      await change(sql`UPDATE versions SET deleted = true WHERE ${here}`);
      const deleted = [await total("changing"), await total("unusual")];
      await change(sql`UPDATE versions SET deleted = false WHERE ${here}`);
      const back = await total("changing");
      const known = await wordsKnown();
      await change(sql`DELETE FROM versions WHERE ${here}`);

      expect([changed, deleted, back]).toEqual([[1, 1, 1], [0, 0], 1]);
      expect(known).toContain("unusual");
      expect(await total("changing")).toBe(0);
      expect(await wordsKnown()).not.toContain("unusual");
    });

    it("reports that the copy is being emptied instead of finding less", async () => {
      await change(sql`UPDATE tenants SET rebuild = 'emptying' WHERE tenant = ${TENANT}`);
      const outcome = await searchVersions(database.access, TENANT, { query: "many", limit: 1, versions: "latest" });
      await change(sql`UPDATE tenants SET rebuild = NULL WHERE tenant = ${TENANT}`);

      expect(outcome).toEqual({ outcome: "rebuilding" });
    });
  });
});

describe.each(DATABASES)("searchVersions page by page on $name", ({ open, available }) => {
  describe.skipIf(!available)("gives a cursor", () => {
    let database: TestDatabase;

    beforeAll(async () => {
      database = await open();
      const versions = Array.from({ length: MAX_COUNTED + 1 }, (_, at) => ({
        subject: at < 40 ? `few-common-${at}` : `subject-${at}`,
        text: avroText("T", at < 300 ? { common: null } : { other: "It is common." }),
      }));
      for (let at = 0; at < versions.length; at += 250) {
        await writeSearchable(database.access, TENANT, versions.slice(at, at + 250));
      }
    });

    afterAll(() => database?.close());

    const read = (request: Partial<SearchRequest>) =>
      searchVersions(database.access, TENANT, { query: "", limit: 20, versions: "latest", ...request });

    async function readAll(request: Partial<SearchRequest>, between?: () => Promise<unknown>): Promise<SearchPage[]> {
      const pages = [toPage(await read(request))];
      for (let next = pages[0]!.nextCursor; next !== undefined; next = pages.at(-1)!.nextCursor) {
        await between?.();
        pages.push(toPage(await read({ ...request, cursor: next })));
      }
      return pages;
    }

    const subjectsOf = (pages: readonly SearchPage[]) =>
      pages.flatMap(({ items }) => items.map(({ record }) => record.subject));

    it("returns every match once, best first, for any page size, while new ones are added", async () => {
      let came = 0;
      const inSmallPages = await readAll({ query: "few common", limit: 7 }, () => {
        came += 1;
        return writeSearchable(database.access, TENANT, [
          { subject: `few-common-new-${came}`, text: avroText("N", { a: null }) },
        ]);
      });
      const subjects = subjectsOf(inSmallPages);

      expect(new Set(subjects).size).toBe(subjects.length);
      expect(subjects).toHaveLength(40);
      expect(inSmallPages.map(({ total }) => total)).toEqual(inSmallPages.map(() => 40));
      const scores = inSmallPages.flatMap(({ items }) => items.map(({ score }) => score));
      expect(scores).toEqual([...scores].sort((a, b) => b - a));
    });

    it("counts exactly up to the limit, and reports a lower bound beyond it", async () => {
      const under = toPage(await read({ query: "few" }));
      const over = toPage(await read({ query: "common" }));

      expect(under.totalRelation).toBe("eq");
      expect([over.total, over.totalRelation]).toEqual([MAX_COUNTED, "gte"]);
    });

    it("lists everything newest first without a query", async () => {
      const [first, second] = await readAll({ limit: 100, subjectPrefix: "subject-" });

      expect(first!.items[0]!.record.subject).toBe(`subject-${MAX_COUNTED}`);
      expect(second!.items[0]!.record.subject).toBe(`subject-${MAX_COUNTED - 100}`);
    });

    it.each([
      ["of another query", { query: "other" }],
      ["of other filters", { query: "common", tags: ["x"] }],
    ])("refuses a cursor %s", async (_what, request) => {
      const { nextCursor } = toPage(await read({ query: "common" }));

      expect(await read({ ...request, cursor: nextCursor! })).toEqual({ outcome: "bad_cursor" });
    });

    it.each(["", "x", "e30", Buffer.from('{"v":1}').toString("base64url")])(
      "refuses %j as a cursor",
      async (cursor) => {
        expect(await read({ query: "common", cursor })).toEqual({ outcome: "bad_cursor" });
      },
    );

    it.each<[string, (cursor: Forged) => void]>([
      ["more than words", ({ groups }) => groups.splice(0, 1, parseGroup("x'::tsquery; --"))],
      ["a word that Postgres takes for too long", ({ groups }) => groups.splice(0, 1, parseGroup("x".repeat(3_000)))],
      ["no word", ({ groups }) => groups.splice(0, 1, parseGroup())],
      ["a group without alternatives", ({ groups }) => groups.splice(0, 1, { alternatives: [], prefix: true })],
      ["a group that is none", ({ groups }) => groups.splice(0, 1, null)],
      ["more groups than a query has", ({ groups }) => groups.push(...Array(20).fill(groups[0]))],
      ["a correction that is none", ({ corrections }) => corrections.push(null)],
      ["a correction into nothing", ({ corrections }) => corrections.push({ from: "common", to: [] })],
    ])("refuses a cursor into which %s was inserted", async (_what, forge) => {
      const { nextCursor } = toPage(await read({ query: "common" }));
      const forged = JSON.parse(Buffer.from(nextCursor!, "base64url").toString()) as Forged;
      forge(forged);

      const cursor = Buffer.from(JSON.stringify(forged)).toString("base64url");

      expect(await read({ query: "common", cursor })).toEqual({ outcome: "bad_cursor" });
    });
  });
});

type Forged = { groups: unknown[]; corrections: unknown[] };

function parseGroup(...words: string[]) {
  return { alternatives: [words], prefix: true };
}

function toPage(outcome: SearchOutcome): SearchPage {
  if (outcome.outcome !== "found") throw new Error(`The search ended in ${outcome.outcome}.`);
  return outcome.page;
}

function marked(highlights: readonly Highlight[]): [string, string][] {
  return highlights.map(({ in: place, parts }) => [
    place,
    parts.map(({ text, match }) => (match ? `[${text}]` : text)).join(""),
  ]);
}
