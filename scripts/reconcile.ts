// `npm run reconcile`: compares the read model of a running registry with its log; --repair corrects differences. For search
// results that seem wrong, after parked entries, and as an audit.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Address, parseAddress } from "../cli/address.ts";
import { ROOT } from "./install.mjs";
import { ask, pause, progressLine, runToExitCode, stopSignal } from "./operate.ts";
import { ADDRESS_OPTIONS, ADDRESS_USAGE } from "./registry-calls.ts";

const USAGE = `npm run reconcile [-- options]

${ADDRESS_USAGE}
                     (by default REGISTRY_URL, else http://localhost:8080)
  --repair           corrects differences
  --restart          starts over; without it a stopped run resumes
  --state <file>     file for its progress (.reconcile.json)

Exit code: 0 no differences (left), 1 differences, 2 an error or unsettled rows, 130 stopped.`;

type Discrepancy = { table: string; key: string; subject: string | null; problem: string; columns: string[] };
type Slice = {
  table: string;
  compared: number;
  discrepancies: Discrepancy[];
  repaired: boolean;
  unsettled: number;
  next: string | null;
};
type Progress = {
  url: string;
  repair: boolean;
  after: string | null;
  compared: number;
  found: number;
  repaired: number;
  unsettled: number;
};

/** Times a slice is retried that is unsettled because the log grows. */
const UNSETTLED_RETRIES = 5;
const UNSETTLED_PAUSE_MS = 1_000;

const { values } = parseArgs({
  options: {
    ...ADDRESS_OPTIONS,
    url: { type: "string", default: process.env.REGISTRY_URL || "http://localhost:8080" },
    repair: { type: "boolean", default: false },
    restart: { type: "boolean", default: false },
    state: { type: "string", default: join(ROOT, ".reconcile.json") },
    help: { type: "boolean", default: false },
  },
});
if (values.help) console.log(USAGE);
else await runToExitCode(main);

async function main(): Promise<number> {
  const registry = parseAddress(values.url, values.header);
  const stopping = stopSignal();
  const show = progressLine();
  const progress = begin(registry);
  console.error("Comparing. Ctrl-C stops after a step; the same command resumes.");
  do {
    const slice = await settledSlice(registry, progress, stopping);
    progress.compared += slice.compared;
    progress.found += slice.discrepancies.length;
    progress.unsettled += slice.unsettled;
    if (slice.repaired) progress.repaired += slice.discrepancies.length;
    for (const found of slice.discrepancies) console.log(`${describe(found)}${slice.repaired ? ": repaired" : ""}`);
    progress.after = slice.next;
    if (progress.after !== null) writeFileSync(values.state, JSON.stringify(progress));
    show(`${slice.table}: ${progress.compared} rows compared, ${progress.found} differ`);
    if (stopping.aborted && progress.after !== null) {
      console.error("\nStopped. The same command resumes; --restart starts over.");
      return 130;
    }
  } while (progress.after !== null);
  rmSync(values.state, { force: true });
  const { compared, found, repaired, unsettled } = progress;
  console.log(`\n${compared} rows compared, ${found} differ, ${repaired} repaired, ${unsettled} unsettled.`);
  if (found > repaired) return 1;
  return unsettled > 0 ? 2 : 0;
}

function begin(registry: Address): Progress {
  const { repair, restart, state } = values;
  // Without the password, which must not be in the file.
  const { url } = registry;
  const fresh: Progress = { url, repair, after: null, compared: 0, found: 0, repaired: 0, unsettled: 0 };
  if (restart || !existsSync(state)) return fresh;
  const known = JSON.parse(readFileSync(state, "utf8")) as Progress;
  if (known.url !== url || known.repair !== repair) return fresh;
  console.error(`Resuming after ${known.compared} rows; --restart starts over.`);
  return known;
}

async function settledSlice(registry: Address, { repair, after }: Progress, stopping: AbortSignal): Promise<Slice> {
  for (let attempt = 1; ; attempt += 1) {
    const slice = await ask<Slice>(registry, "POST", "/read-model/reconcile", { after, repair });
    if (slice.unsettled === 0 || attempt === UNSETTLED_RETRIES || stopping.aborted) return slice;
    // Repaired rows are not found again, so they are printed now.
    for (const found of slice.repaired ? slice.discrepancies : []) console.log(`${describe(found)}: repaired`);
    await pause(UNSETTLED_PAUSE_MS);
  }
}

function describe({ table, key, subject, problem, columns }: Discrepancy): string {
  const what = columns.length === 0 ? "" : ` (${columns.join(", ")})`;
  return `${table} ${key}${subject === null ? "" : ` of ${subject}`}: ${problem}${what}`;
}
