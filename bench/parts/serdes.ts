import { requestBytes } from "../load.ts";
import type { BenchPart, Row } from "../part.ts";
import { avroSchema } from "../schemas.ts";
import { type Server, startBaseline, startRegistry } from "../servers.ts";
import { type LoadTarget, ratioOf, rowsOf, takeTurns } from "../turns.ts";

const CONSTANT = "constant body";

/**
 * The calls of Kafka serializers, strict and with the staleness recommended for production, compared with a Worker that
 * responds with a constant.
 */
export const serdes: BenchPart = {
  name: "serdes",
  title: "Calls of Kafka serdes",
  async run(bench) {
    const strict = await startRegistry();
    const relaxed = await startRegistry({ vars: { CONFLUENT_STALENESS_SECONDS: "10" } });
    const servers: Pick<Server, "stop">[] = [strict, relaxed];
    try {
      const schema = JSON.stringify({ schema: JSON.stringify(avroSchema(1)) });
      const { id, guid } = await register(strict.url, schema);
      await register(relaxed.url, schema);
      const path = `/schemas/ids/${id}`;
      const body = await (await fetch(strict.url + path)).text();
      const constant = await startBaseline("constant.ts", body);
      servers.push(constant);
      const calls: readonly (readonly [string, Buffer])[] = [
        ["by id", requestBytes("GET", path)],
        ["by guid", requestBytes("GET", `/schemas/guids/${guid}`)],
        ["by id under a subject", requestBytes("GET", `${path}?subject=orders-value`)],
        ["lookup of known content", requestBytes("POST", "/subjects/orders-value", schema)],
        ["registration of known content", requestBytes("POST", "/subjects/orders-value/versions", schema)],
        ["latest", requestBytes("GET", "/subjects/orders-value/versions/latest")],
        ["version by number", requestBytes("GET", "/subjects/orders-value/versions/1")],
      ];
      const targets: LoadTarget[] = [
        { what: CONSTANT, server: constant, request: requestBytes("GET", "/api/v1/schemas/1/content") },
        ...calls.map(([what, request]) => ({ what, server: strict, request })),
        ...calls.slice(2).map(([what, request]) => ({ what: `${what}, 10 s stale`, server: relaxed, request })),
      ];
      const measured = await takeTurns(bench, targets);
      const ratios = targets
        .slice(1)
        .map(
          ({ what }): Row => ({ what: `${what} / ${CONSTANT}`, value: ratioOf(measured, what, CONSTANT), unit: "×" }),
        );
      return [...targets.flatMap(({ what }) => rowsOf(what, measured.get(what)!)), ...ratios];
    } finally {
      for (const server of servers) await server.stop();
    }
  },
};

async function register(url: string, body: string): Promise<{ id: number; guid: string }> {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(`${url}/subjects/orders-value/versions`, { method: "POST", headers, body });
  if (!response.ok) throw new Error(`Registering gives ${response.status}: ${await response.text()}`);
  return (await response.json()) as { id: number; guid: string };
}
