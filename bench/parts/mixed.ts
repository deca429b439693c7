import { applyLoad, quantile, requestBytes } from "../load.ts";
import type { Bench, BenchPart } from "../part.ts";
import { cpuUs, memoryMiB } from "../processes.ts";
import { heapMiB } from "../profile.ts";
import { fill, registration, requireAnswered } from "../schemas.ts";
import { startRegistry } from "../servers.ts";

const CONNECTIONS = 16;
const SCHEMAS = 2_000;
const SUBJECTS = 500;
/** Per thousand requests: reads of latest and lookups, and registrations. The rest reads content by id. */
const LATEST = 9;
const WRITES = 1;
const MINUTES = { quick: 0.1, whole: 1 };
/** The edge flushes its counts with the first request after ten seconds. */
const COUNTED_AFTER_MS = 11_000;

/** The load of real serdes: nearly all content by id, some latest, few registrations, all at once. */
export const mixed: BenchPart = {
  name: "mixed",
  title: "99 % content, 0.9 % latest, 0.1 % registrations",
  async run(bench) {
    const registry = await startRegistry({ inspect: true, vars: { CONFLUENT_STALENESS_SECONDS: "10" } });
    try {
      await fill(bench, registry.port, { from: 0, to: SCHEMAS, subjectOf: (n) => `subject-${n % SUBJECTS}` });
      const content = Array.from({ length: SCHEMAS }, (_, n) => requestBytes("GET", `/schemas/ids/${n + 1}`));
      const latest = Array.from({ length: SUBJECTS }, (_, n) =>
        requestBytes("GET", `/subjects/subject-${n}/versions/latest`),
      );
      const request = (n: number): Buffer => {
        const kind = n % 1_000;
        if (kind < WRITES) return registration(`subject-${(n / 1_000) % SUBJECTS}`, 1_000_000 + n);
        // Multiplied by a prime, so that consecutive requests read schemas that are far apart.
        if (kind < WRITES + LATEST) return latest[(n * 7_919) % SUBJECTS]!;
        return content[(n * 7_919) % SCHEMAS]!;
      };
      const load = { port: registry.port, connections: CONNECTIONS, request };
      // Fills the cache first; otherwise memory would grow during the measurement.
      requireAnswered(await applyLoad({ ...load, count: 2 * SCHEMAS }));
      const minutes = bench.minutes ?? (bench.quick ? MINUTES.quick : MINUTES.whole);
      const memoryBefore = memoryMiB([registry.pid]);
      const readsBefore = await readsBySource(registry.url);
      const before = cpuUs([registry.pid]);
      const watching = watchMemory(bench, registry.pid);
      const measured = await applyLoad({
        ...load,
        request: (n) => request(2 * SCHEMAS + n),
        forMs: minutes * 60_000,
        kindOf: (n) => (n % 1_000 < WRITES ? "write" : "read"),
      });
      requireAnswered(measured);
      const cpu = (cpuUs([registry.pid]) - before) / measured.requests;
      const memory = watching.stop();
      const p95 = (kind: string) => quantile(measured.latenciesMs.get(kind) ?? [], 0.95);
      return [
        { what: "requests", value: measured.perSecond, unit: "/s", note: `${measured.requests} in ${minutes} minutes` },
        { what: "CPU of the server", value: cpu, unit: "µs a request" },
        { what: "p95 of reads", value: p95("read"), unit: "ms", aim: { atMost: 10 } },
        { what: "p95 of registrations", value: p95("write"), unit: "ms", aim: { atMost: 100 } },
        {
          what: "reads from memory or KV",
          value: cachedShare(readsBefore, await readsBySource(registry.url)),
          unit: "%",
          aim: { atLeast: 95 },
        },
        { what: "memory of workerd before", value: memoryBefore, unit: "MiB" },
        { what: "memory of workerd, half-way", value: memory.halfWay, unit: "MiB" },
        { what: "memory of workerd at the end", value: memory.atEnd, unit: "MiB" },
        {
          what: "heap of the isolate, after a collection",
          value: await heapMiB(registry),
          unit: "MiB",
          aim: { atMost: 64 },
        },
      ];
    } finally {
      await registry.stop();
    }
  },
};

const MEMORY_EVERY_MS = 2_000;

/** Samples the memory of workerd while a load runs: a leak still grows in the second half. */
function watchMemory(bench: Bench, pid: number): { stop(): { halfWay: number; atEnd: number } } {
  const samples: number[] = [];
  const timer = setInterval(() => {
    samples.push(memoryMiB([pid]));
    if (samples.length % 30 === 0) bench.progress(`${Math.round(samples.at(-1)!)} MiB`);
  }, MEMORY_EVERY_MS);
  return {
    stop: () => {
      clearInterval(timer);
      samples.push(memoryMiB([pid]));
      return { halfWay: samples[Math.floor(samples.length / 2)]!, atEnd: samples.at(-1)! };
    },
  };
}

/** The registry's own count of reads, by the source of the response. */
async function readsBySource(url: string): Promise<Map<string, number>> {
  await new Promise((resolve) => setTimeout(resolve, COUNTED_AFTER_MS));
  await (await fetch(`${url}/subjects`)).arrayBuffer();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const page = await (await fetch(`${url}/metrics`)).text();
  const reads = new Map<string, number>();
  for (const [, source, count] of page.matchAll(/^registry_reads_total\{[^}]*source="(\w+)"[^}]*\} (\d+)/gm)) {
    reads.set(source!, (reads.get(source!) ?? 0) + Number(count));
  }
  return reads;
}

function cachedShare(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): number {
  const grown = (source: string) => (after.get(source) ?? 0) - (before.get(source) ?? 0);
  const all = [...after.keys()].reduce((sum, source) => sum + grown(source), 0);
  return (100 * (grown("memory") + grown("kv"))) / all;
}
