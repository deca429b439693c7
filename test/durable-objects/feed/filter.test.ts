import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import {
  MAX_SUBJECT_GLOBS,
  MAX_SUBJECTS_CHARACTERS,
  MAX_TYPE_PATTERNS,
  matchesFilter,
  parseFilter,
} from "../../../durable-objects/feed/filter.ts";
import { type FeedEvent, Ring } from "../../../durable-objects/feed/ring.ts";
import { ENTRY_TYPES } from "../../../registry/log-entry.ts";
import { matchesGlob } from "../../../schema/glob.ts";
import { seededRandom } from "../../support/clock.ts";
import { followed } from "./followed.ts";

describe("matchesGlob", () => {
  it.each([
    ["orders", "orders", true],
    ["orders", "orders-value", false],
    ["orders", "order", false],
    ["orders-*", "orders-value", true],
    ["orders-*", "orders-", true],
    ["orders-*", "orders", false],
    ["*-value", "orders-value", true],
    ["*-value", "value", false],
    ["o?ders", "orders", true],
    ["o?ders", "oders", false],
    ["*", "", true],
    ["*", "anything", true],
    ["?", "", false],
    ["*a*b*", "xxaxxbxx", true],
    ["*a*b*", "xxbxxaxx", false],
    ["*aab", "aaaab", true],
    [":.eu:*", ":.eu:orders", true],
    [":.eu:*", "orders", false],
    ["a.c", "abc", false],
    ["[ab]", "a", false],
  ])("matches %s against %s: %s", (glob, name, expected) => {
    expect(matchesGlob(glob, name)).toBe(expected);
  });

  it("agrees with a regular expression", () => {
    const random = seededRandom(3);
    const word = (letters: string, most: number) =>
      Array.from({ length: Math.floor(random() * most) }, () => letters[Math.floor(random() * letters.length)]).join(
        "",
      );
    for (let round = 0; round < 20_000; round += 1) {
      const glob = word("ab*?", 7);
      const name = word("ab", 9);
      const pattern = new RegExp(`^${glob.replaceAll("*", ".*").replaceAll("?", ".")}$`);
      expect(matchesGlob(glob, name), `${glob} and ${name}, round ${round}`).toBe(pattern.test(name));
    }
  });

  it("terminates for any number of stars", () => {
    const name = "a".repeat(513);
    const glob = `${"*a".repeat(259)}b`;

    // An algorithm that backtracks over every star would not finish.
    expect(matchesGlob(glob, name)).toBe(false);
  });
});

describe("parseFilter", () => {
  it("reads lists, families of types, and types as events spell them", () => {
    expect(parseFilter("orders-**, :.eu:* ,orders-*", "schema.*,dev.llm-schema-registry.mode.changed")).toEqual({
      ok: true,
      value: {
        subjects: ["orders-*", ":.eu:*"],
        types: [...ENTRY_TYPES.filter((type) => type.startsWith("schema.")), "mode.changed"],
      },
    });
    expect(parseFilter(undefined, undefined)).toEqual({ ok: true, value: { subjects: null, types: null } });
  });

  it.each([
    [
      "globs",
      Array(MAX_SUBJECT_GLOBS).fill("a").join(","),
      Array(MAX_SUBJECT_GLOBS + 1)
        .fill("a")
        .join(","),
    ],
    ["characters", "a".repeat(MAX_SUBJECTS_CHARACTERS), "a".repeat(MAX_SUBJECTS_CHARACTERS + 1)],
  ])("accepts the maximum of %s and no more", (_what, most, more) => {
    expect(parseFilter(most, undefined)).toMatchObject({ ok: true });
    expect(parseFilter(more, undefined)).toMatchObject({ ok: false, refusal: [{ rule: "filter" }] });
  });

  it("accepts the maximum of types and no more", () => {
    expect(parseFilter(undefined, Array(MAX_TYPE_PATTERNS).fill("schema.*").join(","))).toMatchObject({ ok: true });
    expect(
      parseFilter(
        undefined,
        Array(MAX_TYPE_PATTERNS + 1)
          .fill("schema.*")
          .join(","),
      ),
    ).toMatchObject({
      ok: false,
    });
  });

  it("reports all problems", () => {
    const parsed = parseFilter("a,,b", "nothing,schema,.*");

    expect(parsed).toMatchObject({ ok: false });
    expect((parsed as typeof parsed & { ok: false }).refusal).toHaveLength(4);
  });
});

describe("matchesFilter", () => {
  it("passes an event about several subjects for any subject filter", () => {
    const filter = { subjects: ["orders"], types: null };

    expect(matchesFilter(filter, { type: "association.changed", subject: null })).toBe(true);
    expect(matchesFilter(filter, { type: "config.changed", subject: "users" })).toBe(false);
  });

  it("applies the type filter too", () => {
    const filter = { subjects: ["orders"], types: ["schema.registered" as const] };

    expect(matchesFilter(filter, { type: "association.changed", subject: null })).toBe(false);
    expect(matchesFilter(filter, { type: "schema.registered", subject: "orders" })).toBe(true);
  });
});

describe("Ring", () => {
  it("keeps the newest events within its limits, and knows its first one", async () => {
    const { feed } = await followed();

    await runInDurableObject(feed, (_object, { storage }) => {
      const ring = new Ring(storage.sql, { events: 3, bytes: 100 });
      expect(ring.covers(0)).toBe(false);

      ring.append([1, 2, 3].map((seq) => event(seq, 10)));
      expect([ring.count, ring.covers(0)]).toEqual([3, true]);
      ring.append([event(4, 10)]);
      expect([ring.count, ring.covers(0), ring.covers(1)]).toEqual([3, false, true]);
      ring.append([event(5, 80)]);
      expect(ring.after(0, 10).map(({ seq }) => seq)).toEqual([3, 4, 5]);
      ring.append([event(6, 11)]);
      expect(ring.after(0, 10).map(({ seq }) => seq)).toEqual([5, 6]);
      ring.append([event(7, 101)]);
      expect([ring.count, ring.covers(6), ring.covers(7)]).toEqual([0, false, false]);
    });
  });

  it("is unchanged when reopened", async () => {
    const { feed } = await followed();

    await runInDurableObject(feed, (_object, { storage }) => {
      new Ring(storage.sql).append([event(8, 10), event(9, 10)]);
      const again = new Ring(storage.sql, { events: 2, bytes: 100 });

      expect([again.count, again.covers(6), again.covers(7)]).toEqual([2, false, true]);
      again.append([event(10, 81)]);
      expect(again.after(0, 10).map(({ seq }) => seq)).toEqual([9, 10]);
    });
  });
});

function event(seq: number, bytes: number): FeedEvent {
  return { seq, type: "config.changed", subject: null, text: "{}", bytes };
}
