/** Leases in Upstash Redis over its REST API, with one command each. */
import { Redis } from "@upstash/redis/cloudflare";
import type { LeaseStore } from "./limiter.ts";

/** A key expires one minute after its own, because clocks differ. */
const KEY_SECONDS = 120;
/** Runs in the background, so no request waits; but an invocation must end. */
const DEADLINE_MS = 2_000;

/** INCRBY and EXPIRE in one command, so that no key remains without an expiry. */
const LEASE = `local sum = redis.call("INCRBY", KEYS[1], ARGV[1])
if sum == tonumber(ARGV[1]) then redis.call("EXPIRE", KEYS[1], ARGV[2]) end
return sum`;

export function redisLeases(url: string, token: string): LeaseStore {
  return {
    async lease(name, minute, tokens) {
      // Created per command: a client must not outlive the request that created it.
      const redis = new Redis({
        url,
        token,
        retry: false,
        enableAutoPipelining: false,
        enableTelemetry: false,
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
      return Number(await redis.eval(LEASE, [`limit:${name}:${minute}`], [tokens, KEY_SECONDS]));
    },
  };
}
