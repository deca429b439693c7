/**
 * The sequences of test/model against a registry in workerd, whose log is then replicated into Postgres: both must have
 * the same rows.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LogPage, PROTOCOL_VERSION } from "../../../registry/rpc.ts";
import { type Runtime, startRuntime } from "../../../scripts/runtime.ts";
import type { Bindings } from "../../../workers/edge.ts";
import { FIRST_SLICE, type Reconciled, reconcileSlice } from "../../../workers/registry/read-model/reconcile.ts";
import { replicate } from "../../../workers/registry/read-model/replicate.ts";
import { sequences } from "../../model/commands.ts";
import { RegistryState } from "../../model/registry-state.ts";
import { World } from "../../model/world.ts";
import { PGLITE, type TestDatabase } from "../../support/databases.ts";
import { freePort, temporaryState } from "../../support/registry-process.ts";

const RUNS = 40;
const SEED = 20_261_130;
let tenants = 0;

describe("the read model of any sequence of calls", () => {
  const state = temporaryState();
  const distDir = mkdtempSync(join(tmpdir(), "registry-sequences-worker-"));
  let database: TestDatabase;
  let runtime: Runtime;
  let url: string;

  beforeAll(async () => {
    database = await PGLITE.open();
    await build({
      entryPoints: ["test/db/projection/sequences-worker.ts"],
      outfile: join(distDir, "index.js"),
      bundle: true,
      format: "esm",
      target: "es2024",
      external: ["cloudflare:workers", "node:*"],
      logLevel: "error",
    });
    const port = await freePort();
    runtime = await startRuntime({ host: "127.0.0.1", port, stateDir: state.stateDir, distDir });
    url = `http://127.0.0.1:${port}`;
  });
  afterAll(async () => {
    await runtime?.dispose();
    await database?.close();
    state.remove();
    rmSync(distDir, { recursive: true, force: true });
  });

  it("equals the primary's state", { timeout: 240_000 }, async () => {
    const property = fc.asyncProperty(sequences, async (commands) => {
      const tenant = `sequence-${tenants++}`;
      const primary = primaryAt(url, tenant);
      const world = new World({
        fetch: (path, init) => fetch(`${url}${path}`, { ...init, headers: { ...init.headers, "X-Tenant": tenant } }),
        lastSeq: async () =>
          (await primary.readLog({ v: PROTOCOL_VERSION, after: Number.MAX_SAFE_INTEGER, limit: 1 })).asOf.seq,
        replayState: () => primary.replayState({}),
      });
      try {
        await fc.asyncModelRun(() => ({ model: new RegistryState(), real: world }), commands);
        const bindings = bindingsOf(database, primary);
        await replicate(bindings, tenant);
        expect(await discrepancies(bindings, tenant)).toEqual([]);
      } catch (error) {
        throw world.explained(error);
      }
    });

    await fc.assert(property, { numRuns: RUNS, seed: SEED });
  });

  it("keeps the dialect of each record if one text is read in two", async () => {
    const tenant = `sequence-${tenants++}`;
    for (const dialect of ["draft-07", "2020-12"]) {
      const response = await fetch(`${url}/api/v1/schemas`, {
        method: "POST",
        headers: { "X-Tenant": tenant, "Content-Type": "application/json" },
        body: JSON.stringify({ subject: dialect, format: "json-schema", content: { type: "string" }, dialect }),
      });
      expect(response.status).toBe(201);
    }
    const bindings = bindingsOf(database, primaryAt(url, tenant));

    await replicate(bindings, tenant);

    expect(await discrepancies(bindings, tenant)).toEqual([]);
  });
});

type RemotePrimary = {
  readLog(args: unknown): Promise<LogPage>;
  read(args: unknown): Promise<unknown>;
  replayState(args: unknown): Promise<{ current: unknown; replayed: unknown }>;
};

/** The primary's methods over HTTP, with bytes as bytes. */
function primaryAt(url: string, tenant: string): RemotePrimary {
  const ask = async <T>(verb: keyof RemotePrimary, args: unknown): Promise<T> => {
    const response = await fetch(`${url}/primary/${verb}`, {
      method: "POST",
      headers: { "X-Tenant": tenant },
      body: JSON.stringify(args),
    });
    return JSON.parse(await response.text(), (_key, value) =>
      typeof value?.$bytes === "string" ? Uint8Array.from(Buffer.from(value.$bytes, "base64")) : value,
    );
  };
  return {
    readLog: (args) => ask("readLog", args),
    read: (args) => ask("read", args),
    replayState: (args) => ask("replayState", args),
  };
}

function bindingsOf({ access }: TestDatabase, primary: RemotePrimary): Bindings {
  const follower = { getByName: () => ({ nudge: async () => undefined }) };
  return {
    ...access,
    PRIMARIES: { getByName: () => primary },
    FEEDS: follower,
    WEBHOOKS: follower,
    // The texts of these sequences are short, so none is in R2.
    TEXTS: { get: async () => null },
  } as unknown as Bindings;
}

/** The differences between the copy and the primary, row by row. */
async function discrepancies(bindings: Bindings, tenant: string): Promise<unknown[]> {
  const found: unknown[] = [];
  for (let from: Reconciled["next"] = FIRST_SLICE; from !== null; ) {
    const slice = await reconcileSlice(bindings, tenant, { from, repair: false, now: Date.now });
    found.push(...slice.discrepancies);
    from = slice.next;
  }
  return found;
}
