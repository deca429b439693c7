import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type PostgresqlServer, postgresqlBin, startPostgresql } from "../support/postgresql.ts";
import {
  eventually,
  freePort,
  type RegistryProcess,
  spawnRegistry,
  temporaryState,
} from "../support/registry-process.ts";
import { caughtUp, FOLLOWS_WITHIN_MS, type Page, register, search, subjectsOf } from "./searching.ts";

function avro(name: string, fields: readonly string[]): object {
  return { type: "record", name, fields: fields.map((field) => ({ name: field, type: "string" })) };
}

describe("search in a registry that npm start started", () => {
  let state: ReturnType<typeof temporaryState>;
  let registry: RegistryProcess | undefined;

  beforeEach(() => {
    state = temporaryState();
  });

  afterEach(async () => {
    await registry?.kill();
    registry = undefined;
    state.remove();
  });

  async function start(options: { args?: string[]; env?: Record<string, string> } = {}): Promise<RegistryProcess> {
    registry = spawnRegistry({ port: await freePort(), stateDir: state.stateDir, ...options });
    await registry.ready();
    return registry;
  }

  it("finds registered versions, even with misspelt words, by GET and by POST", async () => {
    const { url } = await start();
    await register(url, { subject: "user_address", format: "avro", content: avro("A", ["street"]), tags: ["pii"] });
    await register(url, { subject: "order", format: "avro", content: avro("O", ["shippingAddress"]) });
    expect(await caughtUp(url)).toBe(true);

    const byGet = await search(url, { q: "usr_adress" });
    const byPost = await fetch(`${url}/api/v1/search`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ query: "address", filters: { tag: ["pii"] } }),
    });

    expect(subjectsOf(byGet)).toEqual(["user_address"]);
    expect(subjectsOf((await byPost.json()) as Page)).toEqual(["user_address"]);
    expect(byPost.headers.get("X-Registry-Seq")).toBe("1.2.2");
    expect(subjectsOf(await search(url, { q: "shipping address" }))).toEqual(["order"]);
  });

  it("has the same contents after a power cut, and the schemas added later", async () => {
    const first = await start();
    for (let at = 0; at < 20; at += 1) {
      await register(first.url, { subject: `kept-${at}`, format: "avro", content: avro("K", [`field${at}`]) });
    }
    // The database may still be opening, which is answered with 503.
    const isSomeFound = () =>
      search(first.url, { q: "kept" }).then(
        ({ total }) => total > 0,
        () => false,
      );
    expect(await eventually(isSomeFound, FOLLOWS_WITHIN_MS)).toBe(true);
    await first.kill();

    const { url, output } = await start();

    expect(await caughtUp(url)).toBe(true);
    expect((await search(url, { q: "kept" })).total).toBe(20);
    expect(output()).not.toContain("refilled from the log");
  });

  it("opens no database before the first write or search", async () => {
    const { url } = await start();
    const files = join(state.stateDir, "postgres");

    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    expect((await fetch(`${url}/subjects`)).status).toBe(200);
    expect(existsSync(files)).toBe(false);

    expect(await eventually(() => search(url, { q: "a" }).then(Boolean, () => false), FOLLOWS_WITHIN_MS)).toBe(true);
    expect(existsSync(files)).toBe(true);
  });

  it("refills its read model if its files do not open", async () => {
    const first = await start();
    await register(first.url, { subject: "survivor", format: "avro", content: avro("S", ["a"]) });
    expect(await caughtUp(first.url)).toBe(true);
    await first.stop();
    writeFileSync(join(state.stateDir, "postgres", "global", "pg_control"), "nothing");

    const { url, output } = await start();

    expect(await caughtUp(url)).toBe(true);
    expect(await eventually(() => output().includes("refilled from the log"), FOLLOWS_WITHIN_MS)).toBe(true);
    expect(subjectsOf(await search(url, { q: "survivor" }))).toEqual(["survivor"]);
  });

  it("works without a database, and reports that search does not", async () => {
    const { url } = await start({ args: ["--no-database"] });

    expect(await register(url, { subject: "a", format: "avro", content: avro("A", ["a"]) })).toBe(201);
    const response = await fetch(`${url}/api/v1/search?q=a`);

    expect(response.status).toBe(501);
    expect(await response.json()).toMatchObject({
      code: "not_configured",
      detail: expect.stringContaining("DATABASE_URL"),
    });
  });

  it.skipIf(postgresqlBin() === undefined)("uses the server in DATABASE_URL, and survives its absence", async () => {
    const server: PostgresqlServer = await startPostgresql();
    try {
      const { url } = await start({ env: { DATABASE_URL: await server.createDatabase() } });
      await register(url, { subject: "on-a-server", format: "avro", content: avro("A", ["a"]) });
      expect(await caughtUp(url)).toBe(true);
      expect(subjectsOf(await search(url, { q: "server" }))).toEqual(["on-a-server"]);

      await server.stop();
      expect(await register(url, { subject: "meanwhile", format: "avro", content: avro("B", ["b"]) })).toBe(201);
      const away = await fetch(`${url}/api/v1/search?q=server`);
      expect(away.status).toBe(503);
      expect(await away.json()).toMatchObject({ code: "not_ready" });

      await server.start();
      expect(await eventually(async () => (await fetch(`${url}/api/v1/search?q=server`)).ok)).toBe(true);
      expect(existsSync(join(state.stateDir, "postgres"))).toBe(false);
    } finally {
      await registry?.kill();
      await server.remove();
    }
  });
});
