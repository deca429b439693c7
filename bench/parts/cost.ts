import { applyLoad, requestBytes } from "../load.ts";
import type { BenchPart, Row } from "../part.ts";
import { OBJECT_GIGABYTES, OPERATIONS_A_MESSAGE, PRICES, PRICES_OF } from "../prices.ts";
import { cpuUs } from "../processes.ts";
import { registerNth, registration, requireAnswered } from "../schemas.ts";
import { type Server, startRegistry } from "../servers.ts";
import type { BilledCounts } from "../workers/counted.ts";

/** Calls of each kind. The counts are exact, so few calls are enough. */
const CALLS = 400;
const KINDS_AIM = { atMost: 18 };

type Kind = { what: string; request(n: number): Buffer; aim?: Row["aim"] };

/** The price of a million calls: operations counted at the bindings, and the CPU time of the whole server. */
export const cost: BenchPart = {
  name: "cost",
  title: `Cost of a million calls, in US dollars at Cloudflare's prices of ${PRICES_OF}`,
  async run() {
    const registry = await startRegistry({ entry: "counted.ts", vars: { CONFLUENT_STALENESS_SECONDS: "10" } });
    try {
      const { id } = await registerNth(registry.url, "orders", 1);
      const get = (path: string) => () => requestBytes("GET", path);
      const kinds: Kind[] = [
        {
          what: "register at NONE, one at a time",
          request: (n) => registration(`subject-${n % 20}`, 1_000 + n),
          aim: KINDS_AIM,
        },
        { what: "content by id, hot", request: get(`/api/v1/schemas/${id}/content`) },
        { what: "latest, strict", request: get("/api/v1/subjects/orders/versions/latest") },
        { what: "Confluent latest, 10 s stale", request: get("/subjects/orders/versions/latest") },
      ];
      const rows: Row[] = [];
      for (const kind of kinds) rows.push(await priced(registry, kind));
      return rows;
    } finally {
      await registry.stop();
    }
  },
};

async function priced({ url, port, pid }: Server, { what, request, aim }: Kind): Promise<Row> {
  const counted = async () => (await (await fetch(`${url}/counted`)).json()) as BilledCounts;
  // Warms the caches, and keeps work left over from the previous kind out of this kind's counts.
  requireAnswered(await applyLoad({ port, connections: 1, count: 20, request: (n) => request(100_000 + n) }));
  await new Promise((resolve) => setTimeout(resolve, 500));
  await counted();
  const before = cpuUs([pid]);
  requireAnswered(await applyLoad({ port, connections: 1, count: CALLS, request }));
  const cpuMs = (cpuUs([pid]) - before) / 1_000 / CALLS;
  const counts = await counted();
  const each = (count: keyof BilledCounts) => counts[count] / CALLS;
  const calls = each("objectCalls") + each("alarms");
  const parts = {
    request: PRICES.requests,
    CPU: cpuMs * PRICES.cpuMs,
    "object calls": calls * PRICES.objectCalls,
    // An upper bound: assumes that the object is active for as long as the server uses CPU.
    "object duration": calls === 0 ? 0 : (cpuMs / 1_000) * OBJECT_GIGABYTES * PRICES.gigabyteSeconds,
    "rows read": each("rowsRead") * PRICES.rowsRead,
    "rows written": each("rowsWritten") * PRICES.rowsWritten,
    KV: each("kvReads") * PRICES.kvReads + each("kvWrites") * PRICES.kvWrites,
    R2: each("r2Writes") * PRICES.r2Writes,
    queue: each("queueMessages") * OPERATIONS_A_MESSAGE * PRICES.queueOperations,
  };
  const total = Object.values(parts).reduce((sum, part) => sum + part, 0);
  const note = Object.entries(parts)
    .filter(([, part]) => part >= 0.005)
    .map(([name, part]) => `${name} ${part.toFixed(2)}`)
    .join(", ");
  return { what, value: total, unit: "$", note, ...(aim && { aim }) };
}
