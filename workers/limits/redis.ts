/** Leases in Upstash Redis, by its REST API: one command for each. */
import { Redis } from "@upstash/redis/cloudflare";
import type { LeaseStore } from "./limiter.ts";

/** A key outlives its minute by one, for clocks that differ. */
const KEY_SECONDS = 120;
/** Beside an answer, so nobody waits; but an invocation must end. */
const DEADLINE_MS = 2_000;

/** INCRBY and EXPIRE as one command, so that no key is left without an end. */
const LEASE = `local sum = redis.call("INCRBY", KEYS[1], ARGV[1])
if sum == tonumber(ARGV[1]) then redis.call("EXPIRE", KEYS[1], ARGV[2]) end
return sum`;

export function redisLeases(url: string, token: string): LeaseStore {
  return {
    async lease(name, minute, tokens) {
      // Made for each command: a client must not live longer than the request that made it.
      const redis = new Redis({
        url,
        token,
        retry: false,
        enableTelemetry: false,
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
      return Number(await redis.eval(LEASE, [`limit:${name}:${minute}`], [tokens, KEY_SECONDS]));
    },
  };
}
