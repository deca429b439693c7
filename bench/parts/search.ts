import { sql } from "drizzle-orm";
import { type DatabaseAccess, readDatabase } from "../../db/client.ts";
import { searchVersions } from "../../db/search.ts";
import { DATABASES, type DatabaseKind } from "../../test/support/databases.ts";
import type { Bench, BenchPart, Row } from "../part.ts";
import { loadVersions } from "../search-data.ts";

const AIM = { atMost: 10 };

/**
 * Realistic queries: names, very common and very rare words, prefixes, two and three words, spelled correctly and not.
 */
const QUERIES: readonly { query: string; tags?: string[]; owner?: string; versions?: "all" }[] = [
  { query: "user" },
  { query: "address" },
  { query: "name" },
  { query: "id" },
  { query: "string" },
  { query: "warehouse" },
  { query: "shipping address" },
  { query: "billing invoice" },
  { query: "userEmail" },
  { query: "usr_adress" },
  { query: "payments.refund" },
  { query: "fraud score" },
  { query: "invo" },
  { query: "the parcel leaves the warehouse" },
  { query: "customer currency" },
  { query: "embeding" },
  { query: "order", tags: ["pii"] },
  { query: "prompt tokens", owner: "ml-serving" },
  { query: "conversation language", versions: "all" },
  { query: "nothinglikethis" },
];

/**
 * The latency of a search among many versions, as a multiple of a query that does nothing, through the same driver and
 * proxy.
 */
export const searchPart: BenchPart = {
  name: "search",
  title: "Search",
  async run(bench) {
    const rows: Row[] = [];
    for (const kind of DATABASES) {
      if (kind.available) rows.push(...(await measure(bench, kind)));
      else bench.progress(`${kind.name} is not here and is left out`);
    }
    return rows;
  },
};

async function measure(bench: Bench, { name, open }: DatabaseKind): Promise<Row[]> {
  const database = await open();
  try {
    const each = 10;
    const subjects = bench.quick ? 500 : 10_000;
    await loadVersions(database.access, { subjects, each, progress: (text) => bench.progress(`${name}: ${text}`) });
    const { nothing, searches, slowest } = await alternate(database.access, bench.quick ? 2 : 15);
    const what = `${name}, ${subjects * each} versions`;
    return [
      { what: `SELECT 1, ${what}, p50`, value: percentile(nothing, 0.5), unit: "ms" },
      { what: `SELECT 1, ${what}, p95`, value: percentile(nothing, 0.95), unit: "ms" },
      { what: `search, ${what}, p50`, value: percentile(searches, 0.5), unit: "ms" },
      { what: `search, ${what}, p95`, value: percentile(searches, 0.95), unit: "ms", note: `slowest: ${slowest}` },
      {
        what: `ratio of p50, ${name}`,
        value: percentile(searches, 0.5) / percentile(nothing, 0.5),
        unit: "×",
        aim: AIM,
      },
      {
        what: `ratio of p95, ${name}`,
        value: percentile(searches, 0.95) / percentile(nothing, 0.95),
        unit: "×",
        aim: AIM,
      },
    ];
  } finally {
    await database.close();
  }
}

/** Alternating, so that other load on the machine affects both alike. */
async function alternate(access: DatabaseAccess, rounds: number) {
  const nothing: number[] = [];
  const searches: number[] = [];
  const byQuery = new Map<string, number[]>();
  // The first round is a warm-up for both.
  for (let round = -1; round < rounds; round += 1) {
    for (const { query, versions = "latest", ...filters } of QUERIES) {
      const bare = await timed(() => readDatabase(access, (db) => db.execute(sql`SELECT 1`)));
      const found = await timed(() => searchVersions(access, "default", { query, versions, limit: 20, ...filters }));
      if (round < 0) continue;
      nothing.push(bare);
      searches.push(found);
      byQuery.set(query, [...(byQuery.get(query) ?? []), found]);
    }
  }
  const slowest = [...byQuery]
    .map(([query, times]) => ({ query, ms: percentile(times, 0.5) }))
    .sort((a, b) => b.ms - a.ms)
    .slice(0, 3)
    .map(({ query, ms }) => `${query} ${ms.toFixed(1)} ms`)
    .join(", ");
  return { nothing, searches, slowest };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}
