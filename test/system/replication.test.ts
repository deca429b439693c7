import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seededRandom } from "../support/clock.ts";
import { type RecordView, sendUntilAnswered } from "../support/native-client.ts";
import { type PostgresqlServer, postgresqlBin, startPostgresql } from "../support/postgresql.ts";
import {
  eventually,
  freePort,
  type RegistryProcess,
  spawnRegistry,
  temporaryState,
} from "../support/registry-process.ts";

const COMMANDS = 250;
const CAUGHT_UP_WITHIN_MS = 60_000;

/** The real registry, its real consumer and scripts, and a real PostgreSQL. */
describe.skipIf(postgresqlBin() === undefined)("the read model of a running registry", () => {
  const state = temporaryState();
  let server: PostgresqlServer;
  let url: string;
  let registry: RegistryProcess;

  beforeAll(async () => {
    server = await startPostgresql();
    url = await server.createDatabase();
    await start();
  });
  afterAll(async () => {
    await registry?.stop();
    await server?.remove();
    state.remove();
  });

  async function start(): Promise<void> {
    process.env.DATABASE_URL = url;
    registry = spawnRegistry({ port: await freePort(), stateDir: state.stateDir });
    delete process.env.DATABASE_URL;
    await registry.ready();
  }

  const ask = (method: string, path: string, body?: unknown) => sendUntilAnswered(registry.url, method, path, body);
  const caughtUp = () =>
    eventually(async () => {
      const { status, body } = await ask("GET", "/read-model");
      return status === 200 && (body as { lag_entries: number }).lag_entries === 0;
    }, CAUGHT_UP_WITHIN_MS);

  it("matches the registry's API, after any commands", async () => {
    const random = seededRandom(11);
    for (let n = 0; n < COMMANDS; n += 1) await anyCommand(random, n);
    expect(await caughtUp()).toBe(true);

    const { versions, subjects } = await copied(url);

    expect(versions).toEqual(await allRecords(registry.url));
    expect(subjects).toEqual(await latestOfSubjects(registry.url));
  });

  it("catches up on its own after Postgres was unreachable during writes", async () => {
    await server.stop();
    for (let n = 0; n < 100; n += 1) {
      const { status } = await ask("POST", "/schemas", registration(`away-${n % 5}`, n));
      expect(status).toBe(201);
    }
    await server.start();

    expect(await caughtUp()).toBe(true);
    expect((await copied(url)).versions).toEqual(await allRecords(registry.url));
  });

  it("is correct after the registry was killed during replication", async () => {
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(
        Array.from({ length: 60 }, (_, n) =>
          ask("POST", "/schemas", registration(`killed-${n % 5}`, 1_000 * round + n)),
        ),
      );
      await registry.kill();
      await start();
    }
    await ask("POST", "/schemas", registration("killed-last", 1));

    expect(await caughtUp()).toBe(true);
    expect((await copied(url)).versions).toEqual(await allRecords(registry.url));
  });

  it("is compared and repaired by npm run reconcile, which resumes after Ctrl-C", async () => {
    await query(url, "UPDATE versions SET owner = 'nobody', deleted = false WHERE record_key % 3 = 0");
    await query(url, "DELETE FROM log_entries WHERE seq = 2");
    const progress = join(state.stateDir, "reconcile.json");

    const found = await runScript("reconcile", [`--state=${progress}`]);
    const stopped = await runScript("reconcile", ["--repair", `--state=${progress}`], "SIGINT");
    const repaired = await runScript("reconcile", ["--repair", `--state=${progress}`]);
    const clean = await runScript("reconcile", [`--state=${progress}`]);

    expect(found).toMatchObject({ code: 1, output: expect.stringContaining("log_entries 2") });
    expect(stopped).toMatchObject({ code: 130, output: expect.stringContaining("Stopped.") });
    expect(repaired).toMatchObject({ code: 0, output: expect.stringContaining("Resuming after") });
    expect(clean).toMatchObject({ code: 0, output: expect.stringContaining(" 0 differ") });
    expect((await copied(url)).versions).toEqual(await allRecords(registry.url));
  });

  it("is emptied and refilled by npm run rebuild, which resumes after Ctrl-C", async () => {
    await query(url, "UPDATE versions SET owner = 'nobody'");

    const stopped = await runScript("rebuild", ["--restart"], "SIGINT");
    const done = await runScript("rebuild", []);

    // A small copy may be rebuilt before the signal arrives.
    expect([0, 130]).toContain(stopped.code);
    expect(done).toMatchObject({ code: 0, output: expect.stringContaining("Rebuilt") });
    expect((await copied(url)).versions).toEqual(await allRecords(registry.url));
    expect((await runScript("reconcile", [`--state=${join(state.stateDir, "after.json")}`])).code).toBe(0);
  });

  async function anyCommand(random: () => number, n: number): Promise<void> {
    const subject = `subject-${Math.floor(random() * 6)}`;
    const kind = random();
    const records = (await ask("GET", `/subjects/${subject}/versions?deleted=true&limit=200`)).body as {
      items?: RecordView[];
    };
    const record = records.items?.[Math.floor(random() * records.items.length)];
    if (kind < 0.45 || record === undefined) {
      await ask("PUT", `/subjects/${subject}/compatibility`, { level: "NONE" });
      const body = { ...registration(subject, n), ...(random() < 0.5 ? attributes(n) : {}) };
      await ask("POST", "/schemas", random() < 0.1 ? { ...body, state: "draft" } : body);
    } else if (kind < 0.6) await ask("PATCH", `/schemas/${record.id}`, attributes(n));
    else if (kind < 0.7)
      await ask("PATCH", `/schemas/${record.id}`, { state: random() < 0.5 ? "deprecated" : "archived" });
    else if (kind < 0.75) await ask("PATCH", `/schemas/${record.id}`, { state: "active" });
    else if (kind < 0.85) await ask("DELETE", `/schemas/${record.id}${record.deleted ? "?permanent=true" : ""}`);
    else if (kind < 0.92) await ask("POST", `/schemas/${record.id}/undelete`);
    else await ask("DELETE", `/subjects/${subject}${random() < 0.5 ? "?permanent=true" : ""}`);
  }

  async function runScript(name: string, args: string[], signal?: NodeJS.Signals) {
    const child = spawn(process.execPath, [`scripts/${name}.ts`, `--url=${registry.url}`, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = collected(child);
    if (signal !== undefined) {
      await eventually(() => output().includes("Ctrl-C") || child.exitCode !== null, 30_000);
      child.kill(signal);
    }
    const [code] = (await once(child, "close")) as [number | null];
    return { code, output: output() };
  }
});

function registration(subject: string, n: number) {
  const fields = [
    { name: "id", type: "string" },
    { name: `field_${n}`, type: ["null", "string"], default: null, doc: `Number ${n}.` },
  ];
  return { subject, format: "avro", content: { type: "record", name: "Event", fields } };
}

function attributes(n: number) {
  return {
    description: `Description ${n} with "quotes", \u0000 and 漢字.`,
    tags: [`tag-${n % 4}`, "all"],
    owner: `team-${n % 3}`,
    metadata: { n, nested: { list: [1, null] } },
  };
}

type Comparable = Record<string, unknown>;

/** Both sides' view of a record, by id. */
async function allRecords(url: string): Promise<Comparable[]> {
  const records: Comparable[] = [];
  for (let cursor: string | undefined = ""; cursor !== undefined; ) {
    const more: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const { status, body } = await sendUntilAnswered(url, "GET", `/schemas?deleted=true&limit=100${more}`);
    expect(status).toBe(200);
    const page = body as { items: Comparable[]; next_cursor?: string | null };
    records.push(...page.items.map(comparable));
    cursor = page.next_cursor ?? undefined;
  }
  return records.sort(byId);
}

async function copied(url: string): Promise<{ versions: Comparable[]; subjects: Comparable[] }> {
  const versions = await query(
    url,
    `SELECT id, context, subject, semver AS version, number::int AS version_number, confluent_id::int, guid, format, state,
      deleted, description, tags, owner, role, metadata, created_by, created_at, updated_at, updated_seq::int AS seq,
      (SELECT coalesce(array_agg(tag ORDER BY tag), '{}') FROM version_tags
        WHERE version_tags.record_key = versions.record_key) AS indexed_tags,
      content::json AS content
      FROM versions`,
  );
  const subjects = await query(
    url,
    `SELECT subjects.subject, versions.id AS latest FROM subjects LEFT JOIN versions ON is_latest
      AND versions.subject_key = subjects.subject_key AND record_key = latest_key
      WHERE EXISTS (SELECT 1 FROM versions AS live WHERE live.subject_key = subjects.subject_key AND NOT live.deleted
        AND live.number IS NOT NULL) ORDER BY subjects.subject COLLATE "C"`,
  );
  return {
    versions: versions
      .map((row) => ({ ...row, created_at: iso(row.created_at), updated_at: iso(row.updated_at) }))
      .map((row) => comparable(row))
      .sort(byId),
    subjects,
  };
}

async function latestOfSubjects(url: string): Promise<Comparable[]> {
  const { body } = await sendUntilAnswered(url, "GET", "/subjects?limit=200");
  const names = (body as { items: { subject: string }[] }).items.map(({ subject }) => subject).sort();
  return Promise.all(
    names.map(async (subject) => {
      const latest = await sendUntilAnswered(url, "GET", `/subjects/${subject}/versions/latest`);
      return { subject, latest: latest.status === 200 ? (latest.body as RecordView).id : null };
    }),
  );
}

const COMPARED = [
  "id",
  "context",
  "subject",
  "version",
  "version_number",
  "confluent_id",
  "guid",
  "format",
  "state",
  "description",
  "tags",
  "owner",
  "role",
  "metadata",
  "created_by",
  "created_at",
  "updated_at",
  "seq",
];

function comparable(record: Comparable): Comparable {
  const tags = record.tags as string[];
  return {
    ...Object.fromEntries(COMPARED.map((name) => [name, stored(record[name] ?? null)])),
    deleted: record.deleted === true,
    indexed_tags: (record.indexed_tags as string[] | undefined) ?? [...new Set(tags)].sort(),
    ...(record.content === undefined ? {} : { content: record.content }),
  };
}

/** Postgres cannot store U+0000. */
function stored(value: unknown): unknown {
  return typeof value === "string" ? value.replaceAll("\0", "\ufffd") : value;
}

function iso(value: unknown): string {
  return (value as Date).toISOString();
}

function byId(a: Comparable, b: Comparable): number {
  return String(a.id) < String(b.id) ? -1 : 1;
}

async function query(url: string, text: string): Promise<Comparable[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows as Comparable[];
  } finally {
    await client.end();
  }
}

function collected(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return () => text;
}
