/** Measures targets in alternation, so that other load on the machine affects them alike. */
import { applyLoad, type Measured, median } from "./load.ts";
import type { Bench, Row } from "./part.ts";
import { cpuUs } from "./processes.ts";
import { requireAnswered } from "./schemas.ts";
import type { Server } from "./servers.ts";

const CONNECTIONS = 16;

export type LoadTarget = {
  what: string;
  server: Pick<Server, "url" | "port" | "pid">;
  /** The same bytes each time, or the n-th request's; n keeps counting across turns. */
  request: Buffer | ((n: number) => Buffer);
  connections?: number;
};

export type Turn = Measured & { cpuUsEach: number };

/** Alternates in short slices, so that other load on the machine affects all targets alike. */
export async function takeTurns(bench: Bench, targets: readonly LoadTarget[]): Promise<Map<string, Turn[]>> {
  const slices = bench.quick ? 3 : 9;
  const sliceMs = bench.quick ? 300 : 1_000;
  const measured = new Map<string, Turn[]>();
  const sent = new Map<string, number>();
  // The first turn is a warm-up and is discarded.
  for (let slice = -1; slice < slices; slice += 1) {
    for (const { what, server, request, connections = CONNECTIONS } of targets) {
      const from = sent.get(what) ?? 0;
      const before = cpuUs([server.pid]);
      const one = await applyLoad({
        port: server.port,
        connections,
        forMs: sliceMs,
        request: (n) => (typeof request === "function" ? request(from + n) : request),
      });
      const cpuUsEach = (cpuUs([server.pid]) - before) / one.requests;
      requireAnswered(one);
      sent.set(what, from + one.requests);
      if (slice >= 0) measured.set(what, [...(measured.get(what) ?? []), { ...one, cpuUsEach }]);
    }
  }
  return measured;
}

export function rowsOf(what: string, slices: readonly Turn[]): Row[] {
  const of = (pick: (one: Turn) => number) => median(slices.map(pick));
  return [
    {
      what,
      value: of(({ perSecond }) => perSecond),
      unit: "/s",
      note: `p50 ${ms(of(({ p50Ms }) => p50Ms))}, p95 ${ms(of(({ p95Ms }) => p95Ms))}, p99 ${ms(of(({ p99Ms }) => p99Ms))}`,
    },
    { what: `${what}: CPU of the server`, value: of(({ cpuUsEach }) => cpuUsEach), unit: "µs a request" },
  ];
}

/** The ratio of two targets' rates, slice by slice. */
export function ratioOf(measured: ReadonlyMap<string, readonly Turn[]>, what: string, to: string): number {
  return median(measured.get(what)!.map(({ perSecond }, slice) => perSecond / measured.get(to)![slice]!.perSecond));
}

/** The ratio of the CPU time that a request of two targets takes, slice by slice. */
export function cpuRatioOf(measured: ReadonlyMap<string, readonly Turn[]>, what: string, to: string): number {
  return median(measured.get(what)!.map(({ cpuUsEach }, slice) => cpuUsEach / measured.get(to)![slice]!.cpuUsEach));
}

function ms(value: number): string {
  return `${value.toFixed(2)} ms`;
}
