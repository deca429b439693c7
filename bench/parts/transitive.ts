import { applyLoad } from "../load.ts";
import type { BenchPart, Row } from "../part.ts";
import { cpuUs } from "../processes.ts";
import { fill, registration, requireAnswered } from "../schemas.ts";
import { startRegistry } from "../servers.ts";

const DEPTHS = [10, 100, 300];
const PER_DEPTH = 30;

/** The cost of registering a version that is compared with all earlier ones, as their number grows. */
export const transitive: BenchPart = {
  name: "transitive",
  title: "Registrations at BACKWARD_TRANSITIVE",
  async run(bench) {
    const registry = await startRegistry({ vars: { DEFAULT_COMPATIBILITY_LEVEL: "BACKWARD_TRANSITIVE" } });
    try {
      const rows: Row[] = [];
      for (const [index, depth] of DEPTHS.slice(0, bench.quick ? 2 : undefined).entries()) {
        const subject = `depth-${depth}`;
        const base = (index + 1) * 1_000_000;
        const load = { port: registry.port, connections: 1 };
        await fill(bench, registry.port, { from: base, to: base + depth, subjectOf: () => subject });
        const before = cpuUs([registry.pid]);
        const measured = await applyLoad({
          ...load,
          count: PER_DEPTH,
          request: (n) => registration(subject, base + depth + n),
        });
        requireAnswered(measured);
        const cpu = (cpuUs([registry.pid]) - before) / PER_DEPTH;
        const note = `p50 ${measured.p50Ms.toFixed(1)} ms, p95 ${measured.p95Ms.toFixed(1)} ms`;
        const what = `version ${depth + 1} to ${depth + PER_DEPTH}`;
        rows.push(
          { what, value: measured.perSecond, unit: "/s", note },
          { what: `${what}: CPU of the server`, value: cpu, unit: "µs a request" },
        );
      }
      return rows;
    } finally {
      await registry.stop();
    }
  },
};
