import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../scripts/install.mjs";
import { applyLoad, type Measured } from "../load.ts";
import type { BenchPart, Row } from "../part.ts";
import { busyShareInside, linesOfClass } from "../profile.ts";
import { fill, registration, requireAnswered } from "../schemas.ts";
import { startRegistry } from "../servers.ts";

const CONNECTIONS = 16;
/** Registrations at NONE, and the share of their time for which the single primary is busy. */
export const writes: BenchPart = {
  name: "writes",
  title: "Registrations at NONE",
  async run(bench) {
    const registry = await startRegistry({ inspect: true });
    try {
      let next = 0;
      const registerFor = async (connections: number): Promise<Measured> => {
        const from = next;
        const measured = await applyLoad({
          port: registry.port,
          connections,
          forMs: bench.quick ? 1_000 : 8_000,
          request: (n) => registration(`subject-${(from + n) % 100}`, from + n),
        });
        next = from + measured.requests;
        requireAnswered(measured);
        return measured;
      };
      await fill(bench, registry.port, { from: 0, to: 200, subjectOf: () => "warm" });
      next = 200;
      const alone = await registerFor(1);
      const together = await registerFor(CONNECTIONS);
      let profiled: Measured | undefined;
      const primary = linesOfClass(readFileSync(join(ROOT, "dist", "index.js"), "utf8"), "PrimaryObject");
      const share = await busyShareInside(await registry.inspectorUrl(), primary, async () => {
        profiled = await registerFor(CONNECTIONS);
      });
      return [
        rate("register, 1 at a time", alone),
        rate(`register, ${CONNECTIONS} at a time`, together),
        {
          what: "share of busy time inside the primary",
          value: 100 * share,
          unit: "%",
          aim: { atMost: 25 },
          note: `V8's profiler over ${profiled!.requests} registrations`,
        },
      ];
    } finally {
      await registry.stop();
    }
  },
};

function rate(what: string, { perSecond, p50Ms, p95Ms, p99Ms }: Measured): Row {
  return {
    what,
    value: perSecond,
    unit: "/s",
    note: `p50 ${p50Ms.toFixed(2)} ms, p95 ${p95Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`,
  };
}
