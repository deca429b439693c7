import { requestBytes } from "../load.ts";
import type { BenchPart, Row } from "../part.ts";
import { registerNth } from "../schemas.ts";
import { type Server, startBaseline, startRegistry } from "../servers.ts";
import { type LoadTarget as Measurable, ratioOf, rowsOf, type Turn, takeTurns } from "../turns.ts";

type MeasuredServer = Pick<Server, "url" | "port" | "pid" | "stop">;
type Target = Measurable & { request: Buffer; source?: string };

/** Content reads compared with a Worker that responds with a constant; record and head reads next to them. */
export const reads: BenchPart = {
  name: "reads",
  title: "Reads",
  async run(bench) {
    const registry = await startRegistry();
    const withoutMemory = await startRegistry({ entry: "without-memory.ts" });
    const stale = await startRegistry({ vars: { CONFLUENT_STALENESS_SECONDS: "10" } });
    const hello = await startBaseline("hello.ts");
    const servers: MeasuredServer[] = [registry, withoutMemory, stale, hello];
    try {
      const { id } = await registerNth(registry.url, "orders", 1);
      const stored = await registerNth(withoutMemory.url, "orders", 1);
      await registerNth(stale.url, "orders", 1);
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
        {
          what: "Confluent id within a subject, strict",
          server: registry,
          request: requestBytes("GET", "/schemas/ids/1?subject=orders"),
        },
        {
          what: "Confluent latest, strict",
          server: registry,
          request: requestBytes("GET", "/subjects/orders/versions/latest"),
        },
        {
          what: "Confluent id within a subject, 10 s stale",
          server: stale,
          request: requestBytes("GET", "/schemas/ids/1?subject=orders"),
        },
        {
          what: "Confluent latest, 10 s stale",
          server: stale,
          request: requestBytes("GET", "/subjects/orders/versions/latest"),
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

/** Fails if a response came from a source other than the intended one: the measurement would be wrong. */
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

function ratios(measured: ReadonlyMap<string, readonly Turn[]>, bodyBytes: number): Row[] {
  const ratio = (what: string, to: string) => ratioOf(measured, what, to);
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
