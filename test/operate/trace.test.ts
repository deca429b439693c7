import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PostgresqlServer, postgresqlBin, startPostgresql } from "../support/postgresql.ts";
import {
  eventually,
  freePort,
  type RegistryProcess,
  spawnRegistry,
  temporaryState,
} from "../support/registry-process.ts";

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER_SPAN = "00f067aa0ba902b7";

type Line = { message: string; trace_id?: string; span_id?: string; [field: string]: unknown };

describe.skipIf(postgresqlBin() === undefined)("one trace, over a real PostgreSQL", () => {
  let server: PostgresqlServer;
  let database: pg.Client;
  let registry: RegistryProcess;
  let state: ReturnType<typeof temporaryState>;
  let answered: string[];

  beforeAll(async () => {
    server = await startPostgresql();
    const url = await server.createDatabase();
    state = temporaryState();
    registry = spawnRegistry({
      port: await freePort(),
      stateDir: state.stateDir,
      env: { DATABASE_URL: url, REQUEST_LOG: "writes" },
    });
    await registry.ready();
    database = new pg.Client({ connectionString: url });
    await database.connect();
    expect(await eventually(async () => (await tables()).includes("log_entries"), 60_000)).toBe(true);
    // The connections that write into the copy, from the server's own view.
    await database.query(`
      CREATE TABLE writers (name text);
      CREATE FUNCTION note_writer() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO writers VALUES (current_setting('application_name')); RETURN NULL; END $$;
      CREATE TRIGGER note_writer AFTER INSERT ON log_entries FOR EACH STATEMENT EXECUTE FUNCTION note_writer();
    `);

    // The initial replication must be finished, or it would be the one to write.
    expect(await eventually(async () => (await cronRuns()) > 0, 60_000), registry.output()).toBe(true);

    const response = await fetch(`${registry.url}/api/v1/schemas`, {
      method: "POST",
      headers: { "Content-Type": "application/json", traceparent: `00-${TRACE_ID}-${CALLER_SPAN}-01` },
      body: JSON.stringify({ subject: "orders", format: "avro", content: '"string"' }),
    });
    expect(response.status).toBe(201);
    answered = response.headers.get("traceparent")!.split("-");
    expect(await eventually(() => linesOf("Replicated").length > 0, 60_000), registry.output()).toBe(true);
  });

  afterAll(async () => {
    await database?.end();
    await registry?.stop();
    await server?.remove();
    state?.remove();
  });

  it("is in the response with the edge's span", () => {
    expect(answered[1]).toBe(TRACE_ID);
    expect(answered[2]).not.toBe(CALLER_SPAN);
  });

  it("covers edge, primary, queue and Postgres, with a separate span at each hop", async () => {
    const [edge, primary, consumer] = ["Request", "Commit", "Replicated"].map((message) => linesOf(message)[0]);
    const { rows } = await database.query<{ name: string }>("SELECT name FROM writers");

    expect([edge?.trace_id, primary?.trace_id, consumer?.trace_id]).toEqual([TRACE_ID, TRACE_ID, TRACE_ID]);
    expect(edge?.span_id).toBe(answered[2]);
    expect(new Set([CALLER_SPAN, edge?.span_id, primary?.span_id, consumer?.span_id]).size).toBe(4);
    expect(rows.map(({ name }) => name)).toEqual([`trace 00-${TRACE_ID}-${consumer?.span_id}-01`]);
  });

  /** Lines of the trace; the cron's own replication belongs to none. */
  function linesOf(message: string): Line[] {
    return registry
      .output()
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Line)
      .filter((line) => line.message === message && line.trace_id === TRACE_ID);
  }

  async function cronRuns(): Promise<number> {
    const page = await (await fetch(`${registry.url}/metrics`)).text();
    return Number(/^registry_cron_runs_total\{outcome="done"\} (\d+)$/m.exec(page)?.[1] ?? 0);
  }

  async function tables(): Promise<string[]> {
    const { rows } = await database.query<{ tablename: string }>("SELECT tablename FROM pg_tables");
    return rows.map(({ tablename }) => tablename);
  }
});
