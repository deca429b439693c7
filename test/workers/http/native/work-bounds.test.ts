import { beforeAll, describe, expect, it } from "vitest";
import { type ProblemBody, plainRegistry, type Registry } from "../native-calls.ts";

/** Enough that comparing one with all others exceeds the work of one request, and few enough that some fit. */
const VERSIONS = 90;
const FEW = 4;
const HARD_VERSIONS = 18;
const JSON_SCHEMA = { format: "json-schema" };
const PATIENCE_MS = 240_000;

/** Costs only its text, and is compatible with all others. */
function long(number: number): object {
  return { type: "object", description: `${number} `.repeat(300_000) };
}

/** A pair of these uses the whole budget of a comparison. */
function hard(number: number): object {
  const patterns = Array.from({ length: 1_000 }, (_, index) => [`^a${index}.*${number}$`, { type: "string" }]);
  return { patternProperties: Object.fromEntries(patterns), additionalProperties: number % 2 === 0 };
}

describe(
  "a request that would compute for more than ten seconds",
  () => {
    let registry: Registry;

    const check = (level: string, version: number | "all") =>
      registry.call("POST", "/compatibility/check", { body: { subject: "long", content: long(0), level, version } });

    beforeAll(async () => {
      registry = plainRegistry();
      await registry.register("few", long(1), { ...JSON_SCHEMA, compatibility_level: "NONE" });
      for (let number = 2; number <= FEW; number += 1) await registry.register("few", long(number), JSON_SCHEMA);
      await registry.register("long", long(1), { ...JSON_SCHEMA, compatibility_level: "NONE" });
      for (let number = 2; number <= VERSIONS; number += 1) await registry.register("long", long(number), JSON_SCHEMA);
    }, PATIENCE_MS);

    it("is decided if it computes for less", async () => {
      const decided = await registry.call("POST", "/compatibility/check", {
        body: { subject: "few", content: long(0), level: "FULL_TRANSITIVE" },
      });

      expect(decided.status, decided.text).toBe(200);
      expect(decided.body).toMatchObject({ compatible: true });
    });

    it("is refused as too complex, with the version at which it stopped, and never as incompatible", async () => {
      const refused = await check("FULL_TRANSITIVE", "all");

      expect(refused.status, refused.text).toBe(422);
      const { code, detail } = refused.body as ProblemBody;
      expect(code).toBe("too_complex");
      expect(detail).toMatch(/stopped at version \d+ of "long"/);
    });

    it("gets the same response when repeated, although some verdicts are cached", async () => {
      const [first, second] = [await check("FULL_TRANSITIVE", "all"), await check("FULL_TRANSITIVE", "all")];

      expect((first.body as ProblemBody).detail).toBe((second.body as ProblemBody).detail);
    });

    it("registers nothing and names the reason, in both APIs", async () => {
      await registry.call("PUT", "/subjects/long/compatibility", { body: { level: "FULL_TRANSITIVE" } });

      const refused = await registry.call("POST", "/schemas", { body: { subject: "long", content: long(0) } });
      const confluent = await registry.platform.fetch("/subjects/long/versions", {
        method: "POST",
        body: JSON.stringify({ schemaType: "JSON", schema: JSON.stringify(long(0)) }),
        headers: { "content-type": "application/json" },
      });

      expect(refused.status, refused.text).toBe(422);
      expect(refused.body).toMatchObject({ code: "too_complex", detail: expect.stringContaining("content") });
      expect(confluent.status).toBe(422);
      const versions = await registry.get("/subjects/long/versions");
      expect((versions.body as { versions?: unknown[]; items?: unknown[] }).versions ?? []).not.toContainEqual(
        expect.objectContaining({ version_number: VERSIONS + 1 }),
      );
    });

    it(
      "continues from the cursor in a report",
      async () => {
        const other = plainRegistry();
        for (let number = 0; number < HARD_VERSIONS; number += 1) {
          await other.register("hard", hard(number), { ...JSON_SCHEMA, compatibility_level: "NONE" });
        }
        const ends: { pairs: number; complete: boolean; next_cursor: string }[] = [];
        for (let query = ""; ; query = `?cursor=${encodeURIComponent(ends.at(-1)!.next_cursor)}`) {
          const { body, status, text } = await other.get(`/compatibility/report${query}`);
          expect(status, text).toBe(200);
          ends.push((body as typeof ends).at(-1)!);
          if (ends.at(-1)!.complete) break;
        }

        expect(ends.length).toBeGreaterThan(1);
        expect(ends.reduce((sum, { pairs }) => sum + pairs, 0)).toBe(HARD_VERSIONS - 1);
      },
      PATIENCE_MS,
    );
  },
  PATIENCE_MS,
);
