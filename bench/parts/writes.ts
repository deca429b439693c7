import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLocalDatabase } from "../../scripts/database/local.ts";
import { ROOT } from "../../scripts/install.mjs";
import { applyLoad, requestBytes } from "../load.ts";
import type { Bench, BenchPart, Row } from "../part.ts";
import { countFsyncs, cpuUs } from "../processes.ts";
import { busyShareInside, linesOfClass } from "../profile.ts";
import { avroSchema, fill, registration, requireAnswered } from "../schemas.ts";
import { type Server, startRegistry } from "../servers.ts";
import { type LoadTarget, ratioOf, rowsOf, takeTurns } from "../turns.ts";

const CONNECTIONS = 16;
const SUBJECTS = 100;
/** Registrations under strace, which slows them: only the syncs are counted. */
const TRACED = 200;
const PROFILED = 2_000;

/** Registrations at NONE, alone and together, with and without the read model that follows them. */
export const writes: BenchPart = {
  name: "writes",
  title: "Registrations at NONE",
  async run(bench) {
    const stateDir = mkdtempSync(join(tmpdir(), "registry-bench-database-"));
    const database = await startLocalDatabase({ stateDir, url: undefined });
    await database.ready;
    const followed = await startRegistry({ vars: database.vars });
    const registry = await startRegistry({ inspect: true });
    try {
      for (const { port } of [registry, followed])
        await fill(bench, port, { from: 0, to: 200, subjectOf: () => "warm" });
      const alone = newVersions("register, 1 at a time", registry, 1, 1);
      const together = newVersions(`register, ${CONNECTIONS} at a time`, registry, CONNECTIONS, 2);
      const targets = [
        alone,
        together,
        newVersions(`register, ${CONNECTIONS} at a time, with the read model`, followed, CONNECTIONS, 1),
        { what: "register what is known, strict", server: registry, request: confluentRegistration("known", 1) },
        { what: "change a config", server: registry, connections: 1, request: configChange },
      ];
      const measured = await takeTurns(bench, targets);
      return [
        ...targets.flatMap(({ what }) => rowsOf(what, measured.get(what)!)),
        { what: "together / alone", value: ratioOf(measured, together.what, alone.what), unit: "×" },
        await insideOf(registry),
        ...(await fsyncsOf(bench, registry)),
      ];
    } finally {
      await registry.stop();
      await followed.stop();
      await database.close();
      rmSync(stateDir, { recursive: true, force: true });
    }
  },
};

/** Every target has its own schemas, because known content is not written again. */
function newVersions(what: string, server: Server, connections: number, series: number): LoadTarget {
  const base = series * 10_000_000;
  return { what, server, connections, request: (n) => registration(`subject-${series}-${n % SUBJECTS}`, base + n) };
}

function confluentRegistration(subject: string, n: number): Buffer {
  return requestBytes(
    "POST",
    `/subjects/${subject}/versions`,
    JSON.stringify({ schema: JSON.stringify(avroSchema(n)) }),
  );
}

function configChange(n: number): Buffer {
  return requestBytes(
    "PUT",
    "/config/configured",
    JSON.stringify({ compatibility: n % 2 === 0 ? "FULL" : "BACKWARD" }),
  );
}

/** The primary's share, by the profiler, of the whole server's CPU time. */
async function insideOf(server: Server): Promise<Row> {
  const { port, pid } = server;
  const primary = linesOfClass(readFileSync(join(ROOT, "dist", "index.js"), "utf8"), "PrimaryObject");
  let cpu = 0;
  const share = await busyShareInside(await server.inspectorUrl(), primary, async () => {
    const before = cpuUs([pid]);
    const load = { port, connections: CONNECTIONS, count: PROFILED };
    requireAnswered(
      await applyLoad({ ...load, request: (n) => registration(`profiled-${n % SUBJECTS}`, 80_000_000 + n) }),
    );
    cpu = (cpuUs([pid]) - before) / PROFILED;
  });
  const note = `${(100 * share).toFixed(0)} % of ${cpu.toFixed(0)} µs, while the profiler runs`;
  return { what: "CPU of a commit inside the primary", value: share * cpu, unit: "µs", note };
}

async function fsyncsOf(bench: Bench, { port, pid }: Server): Promise<Row[]> {
  const rows: Row[] = [];
  for (const connections of [1, CONNECTIONS]) {
    const base = 90_000_000 + connections * 1_000_000;
    const counted = await countFsyncs(pid, async () => {
      const load = { port, connections, count: TRACED };
      requireAnswered(await applyLoad({ ...load, request: (n) => registration(`traced-${n % SUBJECTS}`, base + n) }));
    });
    if (counted === undefined) bench.progress("no file syncs: strace is missing or may not attach");
    else {
      rows.push({
        what: `file syncs of a registration, ${connections} at a time`,
        value: counted / TRACED,
        unit: "",
        note: "some are the simulator's, for its alarms",
      });
    }
  }
  return rows;
}
