import { applyLoad, type Measured, median, requestBytes } from "../load";
import type { Bench, Part, Row } from "../part";
import { register, requireAnswered } from "../schemas";
import { type Server, startBaseline, startRegistry } from "../servers";

const CONNECTIONS = 16;

type MeasuredServer = Pick<Server, "url" | "port" | "stop">;
type Target = { what: string; server: MeasuredServer; request: Buffer; source?: string };

/** Content reads against a Worker that answers a constant, record and head reads beside them. */
export const reads: Part = {
  name: "reads",
  title: "Reads",
  async run(bench) {
    const registry = await startRegistry();
    const withoutMemory = await startRegistry({ entry: "without-memory.ts" });
    const hello = await startBaseline("hello.ts");
    const servers: MeasuredServer[] = [registry, withoutMemory, hello];
    try {
      const { id } = await register(registry.url, "orders", 1);
      const stored = await register(withoutMemory.url, "orders", 1);
      const content = `/api/v1/schemas/${id}/content`;
      const body = await (await fetch(registry.url + content)).text();
      const constant = await startBaseline("constant.ts", body);
      servers.push(constant);

      const targets: Target[] = [
        { what: "hello", server: hello, request: requestBytes("GET", "/") },
        { what: "constant body, same router", server: constant, request: requestBytes("GET", content) },
        { what: "content, from memory", server: registry, request: requestBytes("GET", content), source: "memory" },
        {
          what: "content, from KV",
          server: withoutMemory,
          request: requestBytes("GET", `/api/v1/schemas/${stored.id}/content`),
          source: "kv",
        },
        {
          what: "record by id, strong",
          server: registry,
          request: requestBytes("GET", `/api/v1/schemas/${id}`),
          source: "primary",
        },
        {
          what: "latest of a subject, strong",
          server: registry,
          request: requestBytes("GET", "/api/v1/subjects/orders/versions/latest"),
          source: "primary",
        },
      ];
      for (const target of targets) await requireSource(target);
      const measured = await takeTurns(bench, targets);
      return [...targets.flatMap(({ what }) => rowsOf(what, measured.get(what)!)), ...ratios(measured, body.length)];
    } finally {
      for (const server of servers) await server.stop();
    }
  },
};

/** A read that comes from elsewhere than it says would measure something else. */
async function requireSource({ what, server, request, source }: Target): Promise<void> {
  if (source === undefined) return;
  const path = request.toString("latin1").split(" ")[1]!;
  let found: string | null = null;
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const response = await fetch(server.url + path);
    await response.arrayBuffer();
    found = response.headers.get("X-Registry-Source");
    if (found === source) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`"${what}" is answered from ${found}, not from ${source}.`);
}

/** Short slices in turn, so that whatever else the machine does meets all targets alike. */
async function takeTurns(bench: Bench, targets: readonly Target[]): Promise<Map<string, Measured[]>> {
  const slices = bench.quick ? 3 : 9;
  const sliceMs = bench.quick ? 300 : 1_000;
  const measured = new Map<string, Measured[]>();
  // The first turn warms up and is thrown away.
  for (let slice = -1; slice < slices; slice += 1) {
    for (const { what, server, request } of targets) {
      const one = await applyLoad({
        port: server.port,
        connections: CONNECTIONS,
        forMs: sliceMs,
        request: () => request,
      });
      requireAnswered(one);
      if (slice >= 0) measured.set(what, [...(measured.get(what) ?? []), one]);
    }
  }
  return measured;
}

function rowsOf(what: string, slices: readonly Measured[]): Row[] {
  const of = (pick: (one: Measured) => number) => median(slices.map(pick));
  return [
    {
      what,
      value: of(({ perSecond }) => perSecond),
      unit: "/s",
      note: `p50 ${ms(of(({ p50Ms }) => p50Ms))}, p95 ${ms(of(({ p95Ms }) => p95Ms))}, p99 ${ms(of(({ p99Ms }) => p99Ms))}`,
    },
  ];
}

function ratios(measured: ReadonlyMap<string, readonly Measured[]>, bodyBytes: number): Row[] {
  const ratio = (what: string, to: string) =>
    median(measured.get(what)!.map(({ perSecond }, slice) => perSecond / measured.get(to)![slice]!.perSecond));
  return [
    {
      what: "content from memory / constant body",
      value: ratio("content, from memory", "constant body, same router"),
      unit: "×",
      aim: { atLeast: 0.8 },
      note: `${bodyBytes} bytes`,
    },
    { what: "content from memory / hello", value: ratio("content, from memory", "hello"), unit: "×" },
    {
      what: "content from KV / constant body",
      value: ratio("content, from KV", "constant body, same router"),
      unit: "×",
    },
    {
      what: "strong record / constant body",
      value: ratio("record by id, strong", "constant body, same router"),
      unit: "×",
    },
  ];
}

function ms(value: number): string {
  return `${value.toFixed(2)} ms`;
}
