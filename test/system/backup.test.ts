import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runBackupCommand } from "../../scripts/backup.ts";
import { runRestore } from "../../scripts/restore.ts";
import { fillEventfully } from "../support/eventful-history.ts";
import { freePort, type RegistryProcess, spawnRegistry, temporaryState } from "../support/registry-process.ts";
import { overState, tablesAt } from "../support/stopped-registry.ts";

/**
 * Enough records for a meaningful comparison of tables and responses: every format, with successive versions and texts
 * of every size.
 */
const HISTORIES_PER_FORMAT = 5;
const VERSIONS_PER_HISTORY = 4;
/** Enough for several segments, so that a restore can be interrupted. */
const MORE_ENTRIES = 1_300;

const folder = mkdtempSync(join(tmpdir(), "registry-backup-"));
const states = [temporaryState(), temporaryState(), temporaryState()] as const;
let source: RegistryProcess;

beforeAll(async () => {
  source = await started(states[0].stateDir);
  await fillEventfully((method, path, body) => ask(source.url, method, path, body), largeSchema);
  for (const { subject, format, versions } of histories()) {
    for (const content of versions) await registered(source.url, { subject, format, content });
  }
  for (let n = 0; n < MORE_ENTRIES; n += 1) {
    const level = n % 2 === 0 ? "FULL" : "BACKWARD";
    await ask(source.url, "PUT", "/api/v1/subjects/configured/compatibility", { level });
  }
}, 300_000);

afterAll(async () => {
  await source?.stop();
  for (const state of states) state.remove();
  rmSync(folder, { recursive: true, force: true });
});

describe("a registry restored from its backup", () => {
  it("has the rows and the responses of the original, although the restore was killed and stopped on the way", async () => {
    const out = join(folder, "downloaded");
    const backup = await run(runBackupCommand, "--url", source.url, "--out", out);
    expect(backup.code, backup.output).toBe(0);
    let target = await started(states[1].stateDir);
    const { port } = new URL(target.url);
    const restore = (onText: (text: string) => void, stop?: AbortSignal) => {
      const script = (args: readonly string[], print: (text: string) => void) =>
        runRestore(
          args,
          (text) => {
            print(text);
            onText(text);
          },
          stop,
        );
      return run(script, "--from", out, "--url", target.url);
    };

    const dry = await run(runRestore, "--from", out, "--url", target.url, "--dry-run");
    const stop = new AbortController();
    const stopped = await restore((text) => {
      if (/\(\d+ %\)/.test(text)) stop.abort();
    }, stop.signal);
    const refused = await ask(target.url, "PUT", "/api/v1/compatibility", { level: "NONE" });
    let killed: Promise<void> | undefined;
    const killAndStart = async () => {
      await target.kill();
      target = await started(states[1].stateDir, Number(port));
    };
    const resumed = await restore((text) => {
      if (/\(\d+ %\)/.test(text)) killed ??= killAndStart();
    });
    await killed;
    const again = await restore(() => undefined);

    expect(dry.output).toMatch(/is empty: \d+ entries would be restored/);
    expect(stopped, stopped.output).toMatchObject({ code: 130, output: expect.stringContaining("Stopped.") });
    expect(refused).toMatchObject({ status: 503, body: { detail: expect.stringContaining("being restored") } });
    expect(resumed, resumed.output).toMatchObject({ code: 0, output: expect.stringContaining("Retrying") });
    expect(resumed.output).toMatch(/Proven: .* its digests equal the backup's/);
    expect(again.output).toMatch(/^0 entries were restored/m);

    await expectSameAnswers(source.url, target.url);
    // Both continue in the same way.
    const next = {
      subject: "orders-value",
      format: "avro",
      content: { type: "enum", name: "New", symbols: ["A"] },
      compatibility_level: "NONE",
    };
    await ask(source.url, "PUT", "/api/v1/subjects/orders-value/compatibility", { level: "NONE" });
    await ask(target.url, "PUT", "/api/v1/subjects/orders-value/compatibility", { level: "NONE" });
    const [here, there] = await Promise.all(
      [source, target].map(({ url }) => ask(url, "POST", "/api/v1/schemas", next)),
    );
    const { id: _, created_at, updated_at, ...expected } = here!.body as Record<string, unknown>;
    expect(there).toMatchObject({ status: 201, body: expected });
    await target.stop();
  }, 300_000);

  it("can be restored from the bucket of the scheduled backup, row by row", async () => {
    const run1 = await ask(source.url, "POST", "/api/v1/backup");
    expect(run1).toMatchObject({ status: 200, body: { more: false } });
    const port = Number(new URL(source.url).port);
    await source.stop();
    const copied = join(folder, "copied");
    const rows = await overState(states[0].stateDir, async (url) => {
      for (const key of (await (await fetch(`${url}/`)).json()) as string[]) {
        const path = join(copied, key);
        mkdirSync(dirname(path), { recursive: true });
        const object = await fetch(`${url}/object?key=${encodeURIComponent(key)}`);
        writeFileSync(path, new Uint8Array(await object.arrayBuffer()));
      }
      return tablesAt(url);
    });
    source = await started(states[0].stateDir, port);

    const target = await started(states[2].stateDir);
    const restored = await run(runRestore, "--from", join(copied, "default", "1"), "--url", target.url);
    await target.stop();

    expect(restored, restored.output).toMatchObject({ code: 0 });
    expect(await overState(states[2].stateDir, tablesAt)).toEqual(rows);
    expect(rows.records!.length).toBeGreaterThan(histories().length * VERSIONS_PER_HISTORY);
  }, 300_000);
});

describe("npm run backup", () => {
  it("updates a folder, and removes hard-deleted data from it", async () => {
    const out = join(folder, "kept");
    const content = (word: string) => ({ type: "enum", name: word, symbols: ["A"] });
    const word = "OnlyInTheFolder";
    const register = (name: string) =>
      ask(source.url, "POST", "/api/v1/schemas", {
        subject: "folder",
        format: "avro",
        content: content(name),
        compatibility_level: "NONE",
      });
    const erased = (await register(word)).body as { id: string };
    await run(runBackupCommand, "--url", source.url, "--out", out);
    await register("Another");

    const second = await run(runBackupCommand, "--url", source.url, "--out", out);
    expect(second, second.output).toMatchObject({ code: 0 });
    expect(inflatedFiles(out)).toContain(word);
    await ask(source.url, "DELETE", `/api/v1/schemas/${erased.id}`);
    await ask(source.url, "DELETE", `/api/v1/schemas/${erased.id}?permanent=true`);
    const third = await run(runBackupCommand, "--url", source.url, "--out", out);

    expect(third, third.output).toMatchObject({ code: 0 });
    expect(inflatedFiles(out)).not.toContain(word);
  }, 120_000);

  it("writes one file, which npm run restore verifies", async () => {
    const out = join(folder, "one.ndjson.gz");
    const backup = await run(runBackupCommand, "--url", source.url, "--out", out);
    const dry = await run(runRestore, "--from", out, "--url", source.url, "--dry-run");
    writeFileSync(out, readFileSync(out).subarray(0, -100));
    const cut = await run(runRestore, "--from", out, "--url", source.url, "--dry-run");

    expect(backup, backup.output).toMatchObject({ code: 0 });
    expect(dry, dry.output).toMatchObject({ code: 0, output: expect.stringContaining("all of them verify") });
    expect(cut, cut.output).toMatchObject({ code: 1, output: expect.stringContaining("truncated") });
  });
});

async function started(stateDir: string, port?: number): Promise<RegistryProcess> {
  const registry = spawnRegistry({ port: port ?? (await freePort()), stateDir });
  await registry.ready();
  return registry;
}

async function ask(
  url: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url + path, {
    method,
    headers: { "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? null : JSON.parse(text) };
}

type History = { subject: string; format: string; versions: unknown[] };

/** Subjects whose versions each add a field to the previous one. */
function histories(): History[] {
  return Object.entries(VERSION_OF).flatMap(([format, versionOf]) =>
    Array.from({ length: HISTORIES_PER_FORMAT }, (_, index) => ({
      subject: `${format} ${index} äöü/☃`,
      format,
      versions: Array.from({ length: VERSIONS_PER_HISTORY }, (_, version) =>
        versionOf(`T${index}`, fieldNames(index, version)),
      ),
    })),
  );
}

/** From one to thousands of fields, so that some texts are stored in rows and others in R2. */
function fieldNames(index: number, version: number): string[] {
  const before = 4 ** index;
  return Array.from({ length: before + version }, (_, field) => `field_${index}_${field}`);
}

const VERSION_OF: Readonly<Record<string, (name: string, fields: string[]) => unknown>> = {
  avro: (name, fields) => ({
    type: "record",
    name,
    doc: `${fields.length} fields: “é”, \u2028 and \ud83d\ude80`,
    fields: fields.map((field) => ({ name: field, type: "string", default: "" })),
  }),
  "json-schema": (name, fields) => ({
    title: name,
    type: "object",
    properties: Object.fromEntries(fields.map((field) => [field, { type: "string", maxLength: field.length }])),
  }),
  protobuf: (name, fields) =>
    `syntax = "proto3";\n\nmessage ${name} {\n${fields.map((field, index) => `  string ${field} = ${index + 1};\n`).join("")}}\n`,
};

async function registered(url: string, body: object): Promise<void> {
  const answer = await ask(url, "POST", "/api/v1/schemas", { ...body, compatibility_level: "NONE" });
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 201 });
}

function largeSchema(seed: string): object {
  const word = (index: number) => createHash("sha256").update(`${seed}${index}`).digest("hex").slice(0, 24);
  return { type: "enum", name: "Large", symbols: Array.from({ length: 400 }, (_, index) => `S${word(index)}_${seed}`) };
}

async function run(
  script: (args: readonly string[], print: (text: string) => void) => Promise<number>,
  ...args: string[]
): Promise<{ code: number; output: string }> {
  let output = "";
  const code = await script(args, (text) => {
    output += text;
  });
  return { code, output };
}

/** Everything that can be read about each subject, version and id, through both APIs. */
async function expectSameAnswers(one: string, other: string): Promise<void> {
  const lists = ["/subjects?deleted=true", "/contexts", "/config", "/mode", "/schemas?deleted=true", "/api/v1/rules"];
  const paths = new Set(lists);
  for (const subject of (await ask(one, "GET", "/subjects?deleted=true&subjectPrefix=:*:")).body as string[]) {
    const name = encodeURIComponent(subject);
    for (const path of [`/config/${name}`, `/mode/${name}`, `/associations/subjects/${name}`]) paths.add(path);
    paths.add(`/api/v1/subjects/${name}?deleted=true`);
    paths.add(`/api/v1/subjects/${name}/versions?deleted=true&content=text&limit=500`);
    for (const version of (await ask(one, "GET", `/subjects/${name}/versions?deleted=true`)).body as number[]) {
      paths.add(`/subjects/${name}/versions/${version}?deleted=true`);
      paths.add(`/subjects/${name}/versions/${version}/referencedby`);
    }
  }
  for (let id = 1; id < 40; id += 1) paths.add(`/schemas/ids/${id}`);
  for (let after = 0; after < MORE_ENTRIES; after += 500) paths.add(`/api/v1/log?limit=500&after=${after}`);
  for (const path of paths) {
    const [here, there] = [await ask(one, "GET", path), await ask(other, "GET", path)];
    expect(withoutRequest(there), path).toEqual(withoutRequest(here));
  }
  expect(paths.size).toBeGreaterThan(100);
}

/** A problem contains its request's id. */
function withoutRequest({ status, body }: { status: number; body: unknown }): unknown {
  return status < 400 ? { status, body } : { status, body: { ...(body as object), instance: "" } };
}

function inflatedFiles(path: string): string {
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".gz"))
    .map((name) => gunzipSync(readFileSync(join(path, name))).toString("utf8"))
    .join("");
}
