/** What a client refuses before it asks anything, and how its parts behave by themselves. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { Cache } from "../src/engine/cache.ts";
import { systemClock } from "../src/engine/clock.ts";
import { MAX_CACHE_ENTRIES } from "../src/engine/constants.ts";
import { newestToken, parseToken } from "../src/engine/token.ts";
import { isRegistryError, SchemaRegistry } from "../src/index.ts";
import { describeUserAgent } from "../src/user-agent.ts";
import { fromZod } from "../src/zod.ts";

/** An address of this machine at which nothing listens. */
let nowhere: string;
beforeAll(async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  nowhere = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.close();
});

describe("new SchemaRegistry", () => {
  it.each([
    ["localhost:8080", {}],
    ["not a url", {}],
    ["ftp://localhost", {}],
    ["http://localhost", { timeoutMs: 0 }],
    ["http://localhost", { timeoutMs: Number.NaN }],
    ["http://localhost", { attemptTimeoutMs: -1 }],
    ["http://localhost", { maxAttempts: 0 }],
    ["http://localhost", { maxAttempts: 1.5 }],
    ["http://localhost", { cache: { headLifetimeMs: 300_001 } }],
    ["http://localhost", { app: "billing\n2" }],
    ["http://localhost", { app: "x".repeat(65) }],
  ])("refuses %s with %o", (url, options) => {
    expect(() => new SchemaRegistry(url, options)).toThrow(expect.objectContaining({ code: "configuration_error" }));
  });

  it("takes an app of 64 characters and a head lifetime of five minutes", () => {
    expect(
      new SchemaRegistry("https://r.test/base/", { app: "x".repeat(64), cache: { headLifetimeMs: 300_000 } }).token,
    ).toBeUndefined();
  });

  it("refuses a call's limit or token that is none", async () => {
    const registry = new SchemaRegistry(nowhere);

    for (const call of [{ timeoutMs: -1 }, { minToken: "1.2" }, { minToken: "1.2.3" }]) {
      await expect(registry.health(call)).rejects.toMatchObject({ code: "configuration_error" });
    }
  });

  it("says that nothing was sent where no connection was made", async () => {
    const registry = new SchemaRegistry(nowhere, { maxAttempts: 1 });

    const error = await registry.health().catch((caught: unknown) => caught);

    expect(error).toMatchObject({ name: "ConnectionLost", mayHaveBeenSent: false });
    expect(isRegistryError(error)).toBe(true);
  });

  it("gives an expired answer at the caller's own timeout while the registry is slow", async () => {
    const answers = [Promise.resolve(Response.json({ id: "0192-a" })), new Promise<Response>(() => {})];
    const registry = new SchemaRegistry("http://registry.test", {
      cache: { headLifetimeMs: 0 },
      fetch: () => answers.shift() as Promise<Response>,
    });
    await registry.latest("o");

    expect(await registry.latest("o", { timeoutMs: 50 })).toEqual({ id: "0192-a" });
    expect(registry.cacheStats().stale).toBe(1);
  });

  it("survives a metrics hook that throws", async () => {
    const lines: string[] = [];
    const registry = new SchemaRegistry(nowhere, {
      maxAttempts: 1,
      debug: (line) => lines.push(line),
      onEvent: () => {
        throw new Error("mine");
      },
    });

    await expect(registry.health()).rejects.toMatchObject({ code: "connection_lost" });
    await expect(registry.health()).rejects.toMatchObject({ code: "connection_lost" });
    expect(lines.filter((line) => line.includes("hook"))).toHaveLength(1);
  });

  it("shares its cache, token and breaker with copies that have other options", async () => {
    const registry = new SchemaRegistry(nowhere, { maxAttempts: 1, breaker: { failures: 2 } });
    const copy = registry.withOptions({ timeoutMs: 1_000 });
    await registry.health().catch(() => {});
    await copy.health().catch(() => {});

    expect(registry.cacheStats().breaker).toBe("open");
    await registry.close();
  });

  it("warns once of a key that crosses the network in plain text", () => {
    const lines: string[] = [];
    new SchemaRegistry("http://registry.test", { apiKey: "llmsr_default_k1_s", debug: (line) => lines.push(line) });
    new SchemaRegistry("http://127.0.0.1", { apiKey: "llmsr_default_k1_s", debug: (line) => lines.push(line) });

    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain("llmsr_");
  });
});

describe("systemClock", () => {
  it("ends a wait when it is cancelled", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error("enough")), 5);

    await expect(systemClock.sleep(60_000, stop.signal)).rejects.toThrow("enough");
    await expect(systemClock.sleep(60_000, stop.signal)).rejects.toThrow("enough");
    await systemClock.sleep(1);
    expect(systemClock.wallMs()).toBeGreaterThan(0);
  });
});

describe("Cache", () => {
  const entry = (bytes: number) => ({
    value: 1,
    etag: undefined,
    token: undefined,
    storedAtMs: 0,
    lifetimeMs: 1,
    bytes,
    subject: "s",
    staleUntilMs: 0,
  });

  it("holds 1,000 entries and drops the oldest for one more", () => {
    const cache = new Cache();
    for (let i = 0; i < MAX_CACHE_ENTRIES; i++) cache.store(`k${i}`, entry(1));
    expect(cache.describe().entries).toBe(MAX_CACHE_ENTRIES);
    expect(cache.read("k0")).toBeDefined();

    cache.store("one more", entry(1));

    expect(cache.describe().entries).toBe(MAX_CACHE_ENTRIES);
    expect(cache.read("k1")).toBeUndefined();
    expect(cache.read("k0")).toBeDefined();
  });

  it("holds its bytes and refuses an entry larger than all of them", () => {
    const cache = new Cache(10, 100);
    cache.store("a", entry(60));
    cache.store("b", entry(40));
    expect(cache.describe()).toMatchObject({ entries: 2, bytes: 100 });

    cache.store("c", entry(1));
    cache.store("d", entry(101));

    expect(cache.read("a")).toBeUndefined();
    expect(cache.read("d")).toBeUndefined();
    cache.forgetSubject("s");
    expect(cache.describe()).toMatchObject({ entries: 0, bytes: 0 });
  });
});

describe("newestToken", () => {
  it.each([
    [undefined, "1.100.40", "1.100.40"],
    ["1.100.40", "1.99.99", "1.100.40"],
    ["1.9.0", "1.10.0", "1.10.0"],
    ["1.100.100", "1.100.40", "1.100.40"],
    ["1.500.20", "2.3.0", "2.3.0"],
  ])("of %s and %s keeps %s", (held, incoming, kept) => {
    expect(newestToken(parseToken(held), parseToken(incoming)!).text).toBe(kept);
  });

  it.each(["", "1.2", "1.2.3", "a.b.c", "1.1234567890123456.0", "-1.2.0"])("reads no token from %o", (text) => {
    expect(parseToken(text)).toBeUndefined();
  });
});

describe("describeUserAgent", () => {
  it("names client, runtime and program", () => {
    expect(describeUserAgent("billing/2.1")).toMatch(
      /^llm-schema-registry-typescript\/\d+\.\d+\.\d+ node\/\d+\.\d+\.\d+ \((?:linux|darwin|windows|other); (?:x86_64|aarch64|other)\) billing\/2\.1$/,
    );
  });
});

describe("fromZod", () => {
  it("gives the schema of what a type accepts", () => {
    const type = z.object({ id: z.string(), count: z.number().int().default(1) });

    expect(fromZod(type).content).toMatchObject({
      type: "object",
      properties: { id: { type: "string" } },
      required: ["id"],
    });
  });
});
