import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeFirstKey, makeHashKey } from "../../scripts/access-vars.ts";
import { isBuilt } from "../../scripts/build.ts";
import { VAR_NAMES } from "../../workers/settings.ts";
import {
  eventually,
  freePort,
  isRunning,
  kill,
  type RegistryProcess,
  spawnRegistry,
  temporaryState,
} from "../support/registry-process.ts";

describe("isBuilt", () => {
  it("recognises the bundle of the sources and of the environment", () => {
    expect(isBuilt("local")).toBe(true);
    expect(isBuilt("production")).toBe(false);
  });
});

describe("npm start", () => {
  let state: ReturnType<typeof temporaryState>;
  let port: number;
  let registry: RegistryProcess | undefined;

  beforeEach(async () => {
    state = temporaryState();
    port = await freePort();
  });

  afterEach(async () => {
    await registry?.kill();
    registry = undefined;
    state.remove();
  });

  async function startReady(args: string[] = []): Promise<RegistryProcess> {
    registry = spawnRegistry({ port, stateDir: state.stateDir, args });
    await registry.ready();
    return registry;
  }

  it("prints the address, the documentation's address and three commands to try", async () => {
    const { output } = await startReady();

    expect(await eventually(() => output().includes(`ready at http://localhost:${port}`))).toBe(true);
    expect(output()).toContain(`http://localhost:${port}/docs`);
    expect(output().match(/^ {2}curl /gm)).toHaveLength(3);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("stops every process on %s and reports success", async (signal) => {
    const { pids, stop } = await startReady();
    const { server, runtime } = pids();

    const code = await stop(signal);

    expect(code).toBe(0);
    expect(await eventually(() => !isRunning(server) && !isRunning(runtime))).toBe(true);
  });

  it.each(["supervisor", "server"] as const)("leaves no process behind when its %s is killed", async (role) => {
    const { pids } = await startReady();
    const { supervisor, server, runtime } = pids();

    kill(pids()[role]!);

    expect(await eventually(() => ![supervisor, server, runtime].some(isRunning))).toBe(true);
  });

  it("restarts a runtime that was killed", async () => {
    const { pids, ready } = await startReady();
    const { runtime } = pids();

    kill(runtime!);

    expect(await eventually(() => pids().runtime !== undefined && pids().runtime !== runtime)).toBe(true);
    await ready();
  });

  it("ends a runtime left behind by an earlier run, and takes over its port and state", async () => {
    const { pids } = await startReady();
    const { supervisor, server, runtime } = pids();
    process.kill(supervisor, "SIGSTOP");
    kill(server!);
    kill(supervisor);
    await eventually(() => !isRunning(supervisor) && !isRunning(server));
    expect(isRunning(runtime)).toBe(true);

    // The old runtime answers until it is ended, so a response alone shows nothing.
    const second = spawnRegistry({ port, stateDir: state.stateDir });
    registry = second;

    expect(await eventually(() => !isRunning(runtime) && second.pids().runtime !== undefined)).toBe(true);
    await second.ready();
  });

  it("reports that the port is in use, and exits with 1", async () => {
    const stranger = createServer().listen(port, "127.0.0.1");
    registry = spawnRegistry({ port, stateDir: state.stateDir });

    expect(await eventually(() => registry!.output().includes(`Port ${port} is in use.`))).toBe(true);
    expect(await registry.stop()).toBe(1);
    stranger.close();
  });

  it("refuses a second registry on the same state", async () => {
    await startReady();
    const second = spawnRegistry({ port: await freePort(), stateDir: state.stateDir });

    expect(await eventually(() => second.output().includes("already running"))).toBe(true);
    expect(await second.stop()).toBe(1);
  });

  it("passes every setting of the environment to the registry", async () => {
    const hashKey = makeHashKey();
    const { key, kept } = makeFirstKey(hashKey);
    const authorization = { Authorization: `Bearer ${key}` };
    const given: Record<(typeof VAR_NAMES)[number], string> = {
      ENVIRONMENT: "staging",
      AUTH: "required",
      ACCESS_HASH_KEY: hashKey,
      FIRST_ADMINISTRATOR_KEY: kept,
      OIDC_ISSUERS: JSON.stringify([{ issuer: "https://id.example.com", audience: "registry" }]),
      CORS_ORIGINS: "https://console.example.com",
      CLIENT_ADDRESS_HEADER: "X-Real-IP",
      UPSTASH_REDIS_REST_URL: "http://127.0.0.1:1",
      UPSTASH_REDIS_REST_TOKEN: "none",
      DEFAULT_COMPATIBILITY_LEVEL: "FULL",
      CONFLUENT_API_LEVEL: "7.9",
      CONFLUENT_STALENESS_SECONDS: "5",
      REQUEST_LOG: "all",
      WEBHOOK_SIGNING_KEY: Buffer.alloc(32, "given").toString("base64"),
      WEBHOOK_ALLOWED_ORIGINS: "http://hooks.test:9000",
      WEBHOOK_RESOLVER: "http://127.0.0.1:9053/dns-query",
      CHECKPOINT_SIGNING_KEYS: Buffer.alloc(32, "checkpoint").toString("base64"),
      LOG_ORIGIN: "registry.test",
      ACCESS_RECORD_RETENTION_DAYS: "30",
      TENANT_PURGE_AFTER_DAYS: "7",
      READ_MODEL_AUDIT_DAYS: "365",
      PROMOTION_TARGETS: JSON.stringify({ next: { url: "https://next.example.com", key } }),
    };
    registry = spawnRegistry({ port, stateDir: state.stateDir, args: ["--no-database"], env: given });
    await registry.ready();
    const { url, output } = registry;
    const get = async (path: string) => (await fetch(url + path, { headers: authorization })).json();

    expect(Object.keys(given).sort()).toEqual([...VAR_NAMES].sort());
    expect(await get("/config")).toEqual({ compatibilityLevel: "FULL" });
    expect(await get("/v1/metadata/version")).toMatchObject({ version: "7.9.0" });
    expect(await eventually(() => output().includes('"route":"/v1/metadata/version"'))).toBe(true);
    const hook = { url: "http://hooks.test:9000/registry", types: ["schema.*"], enabled: false };
    const created = await fetch(`${url}/api/v1/webhooks`, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...authorization },
      body: JSON.stringify(hook),
    });
    expect(created.status).toBe(201);
  });

  it("names an invalid setting, and exits with 1", async () => {
    const env = { CONFLUENT_API_LEVEL: "newest" };
    registry = spawnRegistry({ port, stateDir: state.stateDir, args: ["--no-database"], env });
    const { output, pids, stop } = registry;

    expect(await eventually(() => !isRunning(pids().supervisor), 60_000)).toBe(true);
    // What a process has printed last may be read after it has ended.
    expect(await eventually(() => output().includes('CONFLUENT_API_LEVEL must look like 8.2, got "newest".'))).toBe(
      true,
    );
    expect(await stop()).toBe(1);
  });

  it("refuses an invalid port", async () => {
    registry = spawnRegistry({ port: 70_000, stateDir: state.stateDir });

    expect(await eventually(() => registry!.output().includes('got "70000"'))).toBe(true);
    expect(await registry.stop()).toBe(1);
  });
});
