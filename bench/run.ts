/** Entry of `npm run bench`: runs the chosen parts and prints a table and one line of JSON. */
import { writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { build, isBuilt } from "../scripts/build.ts";
import { type Bench, type BenchPart, meets, type Row } from "./part.ts";
import { access } from "./parts/access.ts";
import { bundle } from "./parts/bundle.ts";
import { cost } from "./parts/cost.ts";
import { feed } from "./parts/feed.ts";
import { growth } from "./parts/growth.ts";
import { memory } from "./parts/memory.ts";
import { mixed } from "./parts/mixed.ts";
import { peers } from "./parts/peers.ts";
import { reads } from "./parts/reads.ts";
import { replication } from "./parts/replication.ts";
import { science } from "./parts/science.ts";
import { searchPart } from "./parts/search.ts";
import { serdes } from "./parts/serdes.ts";
import { start } from "./parts/start.ts";
import { storage } from "./parts/storage.ts";
import { transitive } from "./parts/transitive.ts";
import { validation } from "./parts/validation.ts";
import { writes } from "./parts/writes.ts";
import { writeBenchmarksPage } from "./report.ts";

/** The parts in docs/benchmarks.md; together they take a quarter of an hour. */
const FULL: readonly BenchPart[] = [
  science,
  bundle,
  reads,
  access,
  serdes,
  writes,
  transitive,
  cost,
  mixed,
  start,
  memory,
  growth,
  peers,
];
const PARTS: readonly BenchPart[] = [...FULL, storage, feed, replication, searchPart, validation];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    minutes: { type: "string" },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

if (values.help) {
  console.log(`npm run bench -- [part …] [--quick] [--json <file>] [--minutes <n>: how long the mixed load lasts]
npm run bench -- --full     everything that docs/benchmarks.md has, and writes it: on a machine that does nothing else
`);
  for (const { name, title } of PARTS) console.log(`  ${name.padEnd(16)} ${title}`);
} else {
  await main();
}

async function main(): Promise<void> {
  const chosen = positionals.length > 0 ? positionals.map(partNamed) : values.full ? FULL : PARTS;
  const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
  if (minutes !== undefined && !(minutes > 0))
    throw new Error(`--minutes is a number above 0, got "${values.minutes}".`);
  const bench: Bench = { quick: values.quick, minutes, progress: (text) => console.error(`  ${text}`) };
  if (!isBuilt()) await build();
  const results: { part: string; rows: Row[] }[] = [];
  const tables: string[] = [];
  const [loadBefore] = loadavg();
  for (const part of chosen) {
    console.error(`${part.title} …`);
    // A part that fails does not discard the results of the others.
    const rows = await part.run(bench).catch((error: unknown): Row[] => {
      console.error(error);
      process.exitCode = 1;
      return [{ what: `failed: ${error instanceof Error ? error.message : error}`, value: Number.NaN, unit: "" }];
    });
    results.push({ part: part.name, rows });
    const text = table(part.title, rows);
    tables.push(text);
    console.log(text);
  }
  const json = JSON.stringify({
    at: new Date().toISOString(),
    quick: values.quick,
    node: process.version,
    machine: { cpus: cpus().length, model: cpus()[0]?.model, memoryGiB: Math.round(totalmem() / 1_024 ** 3) },
    results,
  });
  if (values.full) writeBenchmarksPage(tables, { loadBefore: loadBefore!, quick: values.quick });
  if (values.json === undefined) console.log(json);
  else writeFileSync(values.json, `${json}\n`);
}

function partNamed(name: string): BenchPart {
  const part = PARTS.find((candidate) => candidate.name === name);
  if (part === undefined) {
    throw new Error(`There is no part "${name}"; there are ${PARTS.map((candidate) => candidate.name).join(", ")}.`);
  }
  return part;
}

function table(title: string, rows: readonly Row[]): string {
  const width = Math.max(0, ...rows.map(({ what }) => what.length));
  const lines = rows.map((row) => {
    const verdict = { true: "  good", false: "  MISSED", undefined: "" }[String(meets(row)) as "true"];
    const aim =
      row.aim === undefined ? "" : `  (aim ${"atLeast" in row.aim ? `≥ ${row.aim.atLeast}` : `≤ ${row.aim.atMost}`})`;
    const note = row.note === undefined ? "" : `  ${row.note}`;
    return `  ${row.what.padEnd(width)}  ${number(row.value).padStart(12)} ${row.unit}${aim}${verdict}${note}`;
  });
  return `\n${title}\n${lines.join("\n")}\n`;
}

function number(value: number): string {
  if (Number.isNaN(value)) return "";
  if (value >= 1_000) return Math.round(value).toLocaleString("en-GB");
  return value.toPrecision(3);
}
