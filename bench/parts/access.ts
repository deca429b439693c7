/** The cost of authentication and rate limiting for a read from memory: the same Worker with and without them, in turns. */
import { makeFirstKey, makeHashKey } from "../../scripts/access-vars.ts";
import { requestBytes } from "../load.ts";
import type { BenchPart } from "../part.ts";
import { registerNth } from "../schemas.ts";
import { startRegistry } from "../servers.ts";
import { cpuRatioOf, ratioOf, rowsOf, takeTurns } from "../turns.ts";

/** The highest limit a key may have, because a load generator exceeds any realistic one. */
const REQUESTS_PER_MINUTE = 10_000_000;

export const access: BenchPart = {
  name: "access",
  title: "Authentication and limits",
  async run(bench) {
    const hashKey = makeHashKey();
    const { key: admin, kept } = makeFirstKey(hashKey);
    const open = await startRegistry();
    const guarded = await startRegistry({
      vars: { AUTH: "required", ACCESS_HASH_KEY: hashKey, FIRST_ADMINISTRATOR_KEY: kept },
    });
    try {
      const made = await fetch(`${guarded.url}/api/v1/keys`, {
        method: "POST",
        headers: { "X-API-Key": admin, "Content-Type": "application/json" },
        body: JSON.stringify({
          name: "bench",
          grants: [{ role: "service" }],
          requests_per_minute: REQUESTS_PER_MINUTE,
        }),
      });
      const { key } = (await made.json()) as { key: string };
      const { id } = await registerNth(open.url, "orders", 1);
      const stored = await registerNth(guarded.url, "orders", 1, { "X-API-Key": key });
      const request = (of: string, headers: Record<string, string> = {}) =>
        requestBytes("GET", `/api/v1/schemas/${of}/content`, undefined, headers);
      const targets: Parameters<typeof takeTurns>[1] = [
        { what: "content, without credentials", server: open, request: request(id) },
        {
          what: "content, with a key",
          server: guarded,
          request: request(stored.id, { Authorization: `Bearer ${key}` }),
        },
      ];
      const measured = await takeTurns(bench, targets);
      return [
        ...targets.flatMap(({ what }) => rowsOf(what, measured.get(what)!)),
        {
          what: "with a key / without credentials",
          value: ratioOf(measured, targets[1]!.what, targets[0]!.what),
          unit: "×",
          aim: { atLeast: 0.9 },
        },
        {
          what: "with a key / without credentials: CPU of the server",
          value: cpuRatioOf(measured, targets[1]!.what, targets[0]!.what),
          unit: "×",
          aim: { atMost: 1.1 },
        },
      ];
    } finally {
      await open.stop();
      await guarded.stop();
    }
  },
};
