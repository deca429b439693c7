import { applyLoad, requestBytes } from "../load.ts";
import type { Bench, BenchPart, Row } from "../part.ts";
import { memoryMiB } from "../processes.ts";
import { heapMiB } from "../profile.ts";
import { requireAnswered } from "../schemas.ts";
import { startRegistry } from "../servers.ts";

const CONNECTIONS = 8;
const SUBJECTS = 500;
const PROGRESS_EVERY = 5_000;
/** Reads of all contents in turn: most come from the simulator's KV, whose isolates and files grow with them. */
const READS_AFTER = 1_000;
const WORKERD_AIM = { atMost: 350 };
const HEAP_AIM = { atMost: 64 };

/** The memory of workerd with many small schemas, and with fewer large ones. */
export const memory: BenchPart = {
  name: "memory",
  title: "Memory",
  async run(bench) {
    return [
      ...(await filledWith(bench, { count: 20_000, kB: 1 })),
      ...(await filledWith(bench, { count: 2_000, kB: 10 })),
    ];
  },
};

async function filledWith(bench: Bench, sizes: { count: number; kB: number }): Promise<Row[]> {
  const { kB } = sizes;
  const count = bench.quick ? sizes.count / 20 : sizes.count;
  const registry = await startRegistry({ inspect: true });
  const { port, pid } = registry;
  try {
    const empty = memoryMiB([pid]);
    for (let from = 0; from < count; from += PROGRESS_EVERY) {
      const step = { port, connections: CONNECTIONS, count: Math.min(PROGRESS_EVERY, count - from) };
      requireAnswered(await applyLoad({ ...step, request: (n) => registrationOfSize(from + n, kB) }));
      bench.progress(`${from + step.count} schemas of ${kB} kB: ${Math.round(memoryMiB([pid]))} MiB`);
    }
    const filled = memoryMiB([pid]);
    const read = (n: number) => requestBytes("GET", `/schemas/ids/${1 + ((n * 7_919) % count)}`);
    requireAnswered(await applyLoad({ port, connections: CONNECTIONS, count: READS_AFTER, request: read }));
    const what = `${count.toLocaleString("en-GB")} schemas of ${kB} kB`;
    return [
      { what: `workerd, empty, before ${what}`, value: empty, unit: "MiB" },
      { what: `workerd, ${what}`, value: filled, unit: "MiB", aim: WORKERD_AIM },
      { what: `workerd, ${what}, of which ${READS_AFTER} were read`, value: memoryMiB([pid]), unit: "MiB" },
      {
        what: `heap of the isolate, ${what}`,
        value: await heapMiB(registry),
        unit: "MiB",
        aim: HEAP_AIM,
      },
    ];
  } finally {
    await registry.stop();
  }
}

/** A record of the given size, whose fields have documentation as in real schemas. */
function registrationOfSize(n: number, kB: number): Buffer {
  const doc = `What field of schema ${n} means to the service that writes it, in a sentence of about a hundred letters.`;
  const fields = Array.from({ length: Math.round(kB * 6) }, (_, at) => ({
    name: `field_${n}_${at}`,
    type: "string",
    doc,
  }));
  const schema = JSON.stringify({ type: "record", name: "Event", namespace: "bench", fields });
  return requestBytes("POST", `/subjects/subject-${n % SUBJECTS}/versions`, JSON.stringify({ schema }));
}
