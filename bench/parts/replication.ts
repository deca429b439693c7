/** How fast the log reaches Postgres: during a burst of writes, and from the start as in a rebuild. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLocalDatabase } from "../../scripts/database/local.ts";
import { postgresqlBin, startPostgresql } from "../../test/support/postgresql.ts";
import { applyLoad } from "../load.ts";
import type { Bench, BenchPart, Row } from "../part.ts";
import { fill, registration, requireAnswered } from "../schemas.ts";
import { startRegistry } from "../servers.ts";

const BURST = 5_000;
const CONNECTIONS = 16;
const LOOK_EVERY_MS = 250;
const CAUGHT_UP_WITHIN_MS = 300_000;

type Status = { seq: number; primary_seq: number; lag_entries: number; lag_seconds: number; rebuild: string | null };
type Rebuild = { phase: string | null; applied: number };

export const replication: BenchPart = {
  name: "replication",
  title: "From the log to Postgres",
  async run(bench) {
    const rows: Row[] = [];
    rows.push(...(await onDatabase(bench, "PGlite", async () => ({ url: undefined, close: async () => undefined }))));
    if (postgresqlBin() === undefined) {
      bench.progress("no PostgreSQL 15 or newer on this machine: measured on PGlite only");
      return rows;
    }
    rows.push(
      ...(await onDatabase(bench, "PostgreSQL", async () => {
        const server = await startPostgresql();
        return { url: await server.createDatabase(), close: () => server.remove() };
      })),
    );
    return rows;
  },
};

async function onDatabase(
  bench: Bench,
  name: string,
  open: () => Promise<{ url: string | undefined; close(): Promise<void> }>,
): Promise<Row[]> {
  const burst = bench.quick ? BURST / 10 : BURST;
  const server = await open();
  const stateDir = mkdtempSync(join(tmpdir(), "registry-bench-database-"));
  const database = await startLocalDatabase({ stateDir, url: server.url });
  try {
    await database.ready;
    const registry = await startRegistry({ vars: database.vars });
    try {
      await fill(bench, registry.port, { from: 0, to: 100, subjectOf: () => "warm" });
      await caughtUp(registry.url);

      const began = performance.now();
      const lags: Status[] = [];
      const watching = new AbortController();
      const watched = watch(registry.url, lags, watching.signal);
      const load = { port: registry.port, connections: CONNECTIONS, count: burst };
      const written = await applyLoad({ ...load, request: (n) => registration(`burst-${n % 100}`, 100 + n) });
      requireAnswered(written);
      const writtenMs = performance.now() - began;
      await caughtUp(registry.url);
      const replicatedMs = performance.now() - began;
      watching.abort();
      await watched;

      const rebuilt = await rebuild(registry.url);
      return [
        {
          what: `${name}: entries/s while ${burst} registrations arrive, until the last is there`,
          value: (burst / replicatedMs) * 1_000,
          unit: "/s",
          note: `written in ${seconds(writtenMs)}, replicated ${seconds(replicatedMs - writtenMs)} after the last`,
        },
        {
          what: `${name}: longest lag meanwhile`,
          value: Math.max(0, ...lags.map(({ lag_entries }) => lag_entries)),
          unit: "entries",
          note: `${Math.max(0, ...lags.map(({ lag_seconds }) => lag_seconds)).toFixed(2)} s, looked at every ${LOOK_EVERY_MS} ms`,
        },
        {
          what: `${name}: entries/s of a rebuild`,
          value: (rebuilt.applied / rebuilt.ms) * 1_000,
          unit: "/s",
          ...(name === "PostgreSQL" ? { aim: { atLeast: 1_000 } } : {}),
          note: `${rebuilt.applied} entries in ${seconds(rebuilt.ms)}`,
        },
      ];
    } finally {
      await registry.stop();
    }
  } finally {
    await database.close();
    await server.close();
    rmSync(stateDir, { recursive: true, force: true });
  }
}

async function watch(url: string, lags: Status[], stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    // PGlite has one session, so a long transaction may block readers.
    await status(url).then(
      (seen) => lags.push(seen),
      () => undefined,
    );
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

async function caughtUp(url: string): Promise<void> {
  const until = performance.now() + CAUGHT_UP_WITHIN_MS;
  while (performance.now() < until) {
    const seen = await status(url).catch(() => undefined);
    if (seen && seen.primary_seq > 0 && seen.lag_entries === 0) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS / 5));
  }
  throw new Error(`Postgres has not caught up within ${CAUGHT_UP_WITHIN_MS} ms.`);
}

async function rebuild(url: string): Promise<{ applied: number; ms: number }> {
  let applied = 0;
  let ms = 0;
  for (let restart = true; ; restart = false) {
    const began = performance.now();
    const slice = await ask<Rebuild>(url, "/read-model/rebuild", { restart });
    // Emptying is excluded from the measurement.
    if (slice.applied > 0) ms += performance.now() - began;
    applied += slice.applied;
    if (slice.phase === null) return { applied, ms };
  }
}

function status(url: string): Promise<Status> {
  return ask<Status>(url, "/read-model");
}

async function ask<T>(url: string, path: string, body?: unknown): Promise<T> {
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(`${url}/api/v1${path}`, { ...init, headers: { "Content-Type": "application/json" } });
  if (!response.ok) throw new Error(`${path} gives ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}
