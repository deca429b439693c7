import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeFirstKey, makeHashKey } from "../../scripts/access-vars.ts";
import { Limiter } from "../../workers/limits/limiter.ts";
import { redisLeases } from "../../workers/limits/redis.ts";
import { type RedisServer, redisProgram, startRedis } from "../support/redis.ts";
import {
  eventually,
  freePort,
  type RegistryProcess,
  spawnRegistry,
  temporaryState,
} from "../support/registry-process.ts";

const program = redisProgram();

describe.skipIf(program === undefined)("limits over Redis", () => {
  let redis: RedisServer;
  let registry: RegistryProcess | undefined;
  const state = temporaryState();

  beforeAll(async () => {
    redis = await startRedis(program!);
  });

  afterAll(async () => {
    await registry?.kill();
    await redis.stop();
    state.remove();
  });

  it("sum the leases of a minute, and expire with it", async () => {
    const leases = redisLeases(redis.url, redis.token);

    expect(await leases.lease("sum", 7, 10)).toBe(10);
    expect(await leases.lease("sum", 7, 5)).toBe(15);
    expect(await leases.lease("sum", 8, 5)).toBe(5);
    expect(await redis.command("TTL", "limit:sum:7")).toBeGreaterThan(60);
  });

  it("are shared by isolates, at one command a second for each", async () => {
    const before = redis.asked.length;
    const isolates = [new Limiter(), new Limiter()];
    const store = redisLeases(redis.url, redis.token);
    const nowMs = 60_000 * 1_000;
    let allowed = 0;
    for (let second = 0; second < 30; second += 1) {
      for (const limiter of isolates) {
        const work: Promise<unknown>[] = [];
        const by = {
          store,
          nowMs: nowMs + second * 1_000,
          waitUntil: (promise: Promise<unknown>) => void work.push(promise),
        };
        for (let request = 0; request < 5; request += 1) allowed += Number(limiter.take("shared", 100, by).isAllowed);
        await Promise.all(work);
      }
    }

    expect(allowed).toBeGreaterThanOrEqual(80);
    expect(allowed).toBeLessThanOrEqual(110);
    expect(redis.asked.length - before).toBeLessThanOrEqual(60);
  });

  it("are counted in Redis by a registry, which continues if Redis stops", async () => {
    const hashKey = makeHashKey();
    const { key, kept } = makeFirstKey(hashKey);
    const env = {
      AUTH: "required",
      ACCESS_HASH_KEY: hashKey,
      FIRST_ADMINISTRATOR_KEY: kept,
      UPSTASH_REDIS_REST_URL: redis.url,
      UPSTASH_REDIS_REST_TOKEN: redis.token,
    };
    registry = spawnRegistry({ port: await freePort(), stateDir: state.stateDir, args: ["--no-database"], env });
    await registry.ready();
    const get = async () => fetch(`${registry!.url}/subjects`, { headers: { "X-API-Key": key } });
    const before = redis.asked.length;

    expect((await get()).headers.get("X-RateLimit-Limit")).toBe("10000");
    expect(await eventually(() => redis.asked.slice(before).some((words) => words[0]?.toLowerCase() === "eval"))).toBe(
      true,
    );
    await redis.stop();
    for (let turn = 0; turn < 5; turn += 1) expect((await get()).status).toBe(200);
  });
});
