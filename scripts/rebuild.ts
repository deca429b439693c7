// `npm run rebuild`: empties the read model of a running registry, refills it from the log and invalidates KV. Needed
// if derived data changes, or if the read model follows a different log.
import { parseArgs } from "node:util";
import { parseAddress } from "../cli/address.ts";
import { ask, pause, progressLine, runToExitCode, stopSignal } from "./operate.ts";
import { ADDRESS_OPTIONS, ADDRESS_USAGE } from "./registry-calls.ts";

const USAGE = `npm run rebuild [-- options]

${ADDRESS_USAGE}
                     (by default REGISTRY_URL, else http://localhost:8080)
  --restart          begins anew where a rebuild is under way; without it that one goes on

Exit code: 0 the copy is rebuilt, 2 it could not be, 130 stopped.`;

type Status = { rebuild: "emptying" | "filling" | null };
type Progress = {
  phase: "emptying" | "filling" | null;
  deleted: number;
  applied: number;
  seq: number;
  primary_seq: number;
  problem: string | null;
};

/** A failing entry is retried automatically, or parked. */
const FAILING_PAUSE_MS = 2_000;

const { values } = parseArgs({
  options: {
    ...ADDRESS_OPTIONS,
    url: { type: "string", default: process.env.REGISTRY_URL || "http://localhost:8080" },
    restart: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) console.log(USAGE);
else await runToExitCode(main);

async function main(): Promise<number> {
  const stopping = stopSignal();
  const show = progressLine();
  const registry = parseAddress(values.url, values.header);
  const { rebuild } = await ask<Status>(registry, "GET", "/read-model");
  if (rebuild !== null && !values.restart) console.error(`A rebuild is in progress (${rebuild}) and continues.`);
  else console.error("Rebuilding. Ctrl-C stops after a step; the same command resumes.");
  let restart = rebuild === null || values.restart;
  let deleted = 0;
  for (;;) {
    const progress = await ask<Progress>(registry, "POST", "/read-model/rebuild", { restart });
    restart = false;
    deleted += progress.deleted;
    if (progress.phase === null) {
      console.log(`\nRebuilt: the copy holds the log up to entry ${progress.seq}.`);
      return 0;
    }
    show(
      progress.phase === "emptying"
        ? `emptying: ${deleted} rows deleted`
        : `filling: ${progress.seq} of ${progress.primary_seq} entries`,
    );
    if (progress.problem === "diverged")
      throw new Error("The copy still follows a different log; start over with --restart.");
    if (stopping.aborted) {
      console.error("\nStopped. The same command resumes.");
      return 130;
    }
    if (progress.problem === "failing") await pause(FAILING_PAUSE_MS);
  }
}
