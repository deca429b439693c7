import { applyLoad, quantile, requestBytes } from "../load.ts";
import type { BenchPart } from "../part.ts";
import { cpuUs, memoryMiB } from "../processes.ts";
import { fill, registration } from "../schemas.ts";
import { startRegistry } from "../servers.ts";

const CONNECTIONS = 16;
const SCHEMAS = 2_000;
const SUBJECTS = 500;
/** In a thousand: latest and lookups, and registrations; the rest reads content by id. */
const LATEST = 9;
const WRITES = 1;
const RUN_MS = { quick: 5_000, whole: 60_000 };

/** The load of real serdes: nearly all content by id, some latest, few registrations, all at once. */
export const mixed: BenchPart = {
  name: "mixed",
  title: "99 % content, 0.9 % latest, 0.1 % registrations",
  async run(bench) {
    const registry = await startRegistry({ vars: { CONFLUENT_STALENESS_SECONDS: "10" } });
    try {
      await fill(bench, registry.port, { from: 0, to: SCHEMAS, subjectOf: (n) => `subject-${n % SUBJECTS}` });
      const content = Array.from({ length: SCHEMAS }, (_, n) => requestBytes("GET", `/schemas/ids/${n + 1}`));
      const latest = Array.from({ length: SUBJECTS }, (_, n) =>
        requestBytes("GET", `/subjects/subject-${n}/versions/latest`),
      );
      const request = (n: number): Buffer => {
        const kind = n % 1_000;
        if (kind < WRITES) return registration(`subject-${(n / 1_000) % SUBJECTS}`, 1_000_000 + n);
        // Multiplied by a prime, so that neighbours are not asked for one after the other.
        if (kind < WRITES + LATEST) return latest[(n * 7_919) % SUBJECTS]!;
        return content[(n * 7_919) % SCHEMAS]!;
      };
      const memoryBefore = memoryMiB([registry.pid]);
      const before = cpuUs([registry.pid]);
      const load = { port: registry.port, connections: CONNECTIONS, request };
      const measured = await applyLoad({
        ...load,
        forMs: bench.quick ? RUN_MS.quick : RUN_MS.whole,
        kindOf: (n) => (n % 1_000 < WRITES ? "write" : "read"),
      });
      if (measured.refused > 0) throw new Error(`Refused: ${measured.firstRefusal}`);
      const cpu = (cpuUs([registry.pid]) - before) / measured.requests;
      const p95 = (kind: string) => quantile(measured.latenciesMs.get(kind) ?? [], 0.95);
      return [
        { what: "requests", value: measured.perSecond, unit: "/s", note: `${measured.requests} in all` },
        { what: "CPU of the server", value: cpu, unit: "µs a request" },
        { what: "p95 of reads", value: p95("read"), unit: "ms", aim: { atMost: 10 } },
        { what: "p95 of registrations", value: p95("write"), unit: "ms", aim: { atMost: 100 } },
        { what: "memory of workerd before", value: memoryBefore, unit: "MiB" },
        { what: "memory of workerd after", value: memoryMiB([registry.pid]), unit: "MiB" },
      ];
    } finally {
      await registry.stop();
    }
  },
};
