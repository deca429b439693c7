import { execFileSync } from "node:child_process";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parseDataText } from "../../schema/data-text.ts";
import { jsonData } from "../../schema/json/data.ts";
import { parseJsonSchema } from "../../schema/json/parse/parse.ts";
import { lintSchema } from "../../schema/projection/lint.ts";
import { PROFILES } from "../../schema/projection/profiles.ts";
import { applyLoad, median, requestBytes } from "../load.ts";
import type { Bench, BenchPart, Row } from "../part.ts";
import { type Server, startBaseline, startRegistry } from "../servers.ts";
import { ratioOf, rowsOf, takeTurns } from "../turns.ts";

const FIELDS = 20;
const SCHEMA = {
  type: "object",
  properties: Object.fromEntries(
    Array.from({ length: FIELDS }, (_, index) => [
      `field_${index}`,
      index % 2 === 0 ? { type: "integer", minimum: 0 } : { type: "string", minLength: 1, maxLength: 200 },
    ]),
  ),
  required: ["field_0", "field_1"],
  additionalProperties: false,
};
/** About 1 kB. */
const VALUE = Object.fromEntries(
  Array.from({ length: FIELDS }, (_, index) => [`field_${index}`, index % 2 === 0 ? index : "x".repeat(75)]),
);
const LINE = `${JSON.stringify(VALUE)}\n`;

/** Validation over HTTP next to a Worker that only parses the value, and lines next to ajv in Node. */
export const validation: BenchPart = {
  name: "validation",
  title: "Validation",
  async run(bench) {
    const registry = await startRegistry();
    const interpreting = await startRegistry({ withoutLoader: true });
    const parsing = await startBaseline("parse-json.ts");
    try {
      const { id } = await register(registry, "values", SCHEMA);
      const { id: interpretedId } = await register(interpreting, "values", SCHEMA);
      const body = JSON.stringify({ data: VALUE });
      const validate = {
        what: "validate 1 kB, warm",
        server: registry,
        request: post(`/schemas/${id}/validate`, body),
      };
      const parse = { what: "only parse 1 kB", server: parsing, request: requestBytes("POST", "/", body) };
      const measured = await takeTurns(bench, [validate, parse]);
      return [
        ...[validate, parse].flatMap(({ what }) => rowsOf(what, measured.get(what)!)),
        {
          what: "validate against only parse",
          value: ratioOf(measured, validate.what, parse.what),
          unit: "",
          aim: { atLeast: 0.7 },
        },
        await coldRow(registry, bench),
        ...(await lineRows(bench, { registry, id, interpreting, interpretedId })),
        ...engineRows(bench),
        await memoryRow(registry, bench),
        ...(await hostileRows(registry, id, bench)),
        lintRow(bench),
      ];
    } finally {
      for (const server of [registry, interpreting, parsing]) await server.stop();
    }
  },
};

function post(path: string, body: string): Buffer {
  return requestBytes("POST", `/api/v1${path}`, body);
}

async function register({ url }: Pick<Server, "url">, subject: string, content: object): Promise<{ id: string }> {
  return send(`${url}/api/v1/schemas`, JSON.stringify({ subject, format: "json-schema", content }));
}

async function send<T>(url: string, body: string, mediaType = "application/json"): Promise<T> {
  const response = await fetch(url, { method: "POST", headers: { "Content-Type": mediaType }, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`POST ${url} gives ${response.status}: ${text.slice(0, 300)}`);
  return (mediaType.includes("ndjson") ? text : JSON.parse(text)) as T;
}

/** The first validation of a schema that this isolate has never seen. */
async function coldRow({ url }: Server, { quick }: Bench): Promise<Row> {
  const times: number[] = [];
  for (let round = 0; round < (quick ? 5 : 30); round += 1) {
    const { id } = await register({ url }, `cold-${round}`, { ...SCHEMA, title: `${round}` });
    const began = performance.now();
    await send(`${url}/api/v1/schemas/${id}/validate`, JSON.stringify({ data: VALUE }));
    times.push(performance.now() - began);
  }
  return { what: "first validation of a schema, median", value: median(times), unit: "ms", aim: { atMost: 150 } };
}

type Servers = { registry: Server; id: string; interpreting: Server; interpretedId: string };

async function lineRows(bench: Bench, { registry, id, interpreting, interpretedId }: Servers): Promise<Row[]> {
  const megabytes = bench.quick ? 4 : 100;
  const lines = LINE.repeat(Math.ceil((megabytes * 1_000_000) / LINE.length));
  const ajv = new Ajv2020({ strict: false }).compile(SCHEMA);
  const inNode = rateOf(lines.length, () => {
    for (const line of lines.split("\n")) if (line !== "" && !ajv(JSON.parse(line))) throw new Error("invalid");
  });
  const over = async (server: Server, schemaId: string) => {
    const url = `${server.url}/api/v1/schemas/${schemaId}/validate?only=invalid`;
    await send(url, LINE.repeat(100), "application/x-ndjson");
    const began = performance.now();
    const text = await send<string>(url, lines, "application/x-ndjson");
    bench.progress(text.trim().slice(0, 200));
    return lines.length / 1_000 / (performance.now() - began);
  };
  const compiled = await over(registry, id);
  const interpreted = await over(interpreting, interpretedId);
  return [
    { what: `NDJSON of ${megabytes} MB, ajv in Node`, value: inNode, unit: "MB/s" },
    { what: `NDJSON of ${megabytes} MB, interpreted`, value: interpreted, unit: "MB/s" },
    { what: `NDJSON of ${megabytes} MB, compiled`, value: compiled, unit: "MB/s" },
    {
      what: "NDJSON, the better of the two against ajv in Node",
      value: Math.max(compiled, interpreted) / inNode,
      unit: "",
    },
    { what: "workerd after it", value: residentMegabytes(registry.pid), unit: "MB" },
  ];
}

function rateOf(bytes: number, work: () => void): number {
  const began = performance.now();
  work();
  return bytes / 1_000 / (performance.now() - began);
}

/** The cost of the engines alone, in this process. */
function engineRows({ quick }: Bench): Row[] {
  const model = modelOf(SCHEMA);
  const ajv = new Ajv2020({ strict: false }).compile(SCHEMA);
  const text = LINE.trim();
  const rounds = quick ? 20_000 : 200_000;
  const micros = (work: () => void) => {
    for (let round = 0; round < rounds / 10; round += 1) work();
    const before = process.cpuUsage();
    for (let round = 0; round < rounds; round += 1) work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / rounds;
  };
  return [
    { what: "JSON.parse of 1 kB", value: micros(() => JSON.parse(text)), unit: "µs of CPU" },
    { what: "parseDataText of 1 kB", value: micros(() => parseDataText(text)), unit: "µs of CPU" },
    {
      what: "the interpreter on 1 kB",
      value: micros(() => jsonData.validate(model, VALUE, { formats: true })),
      unit: "µs of CPU",
    },
    { what: "ajv on 1 kB", value: micros(() => ajv(VALUE)), unit: "µs of CPU" },
  ];
}

function modelOf(schema: object) {
  const source = { text: JSON.stringify(schema), references: [] };
  const parsed = parseJsonSchema(source, { strictness: "stored", defaultDialect: "2020-12" });
  if (!parsed.ok) throw new Error("The benchmark's own schema is not valid.");
  return parsed.value.model;
}

/** Validates against many schemas in turn, to show that the cache of models is bounded. */
async function memoryRow(registry: Server, { quick }: Bench): Promise<Row> {
  const { url, pid } = registry;
  const count = quick ? 50 : 1_000;
  const before = residentMegabytes(pid);
  for (let index = 0; index < count; index += 1) {
    const { id } = await register({ url }, `many-${index}`, { ...SCHEMA, title: `many ${index}` });
    await send(`${url}/api/v1/schemas/${id}/validate`, JSON.stringify({ data: VALUE }));
  }
  const value = residentMegabytes(pid) - before;
  return { what: `growth of workerd over ${count} schemas`, value, unit: "MB", aim: { atMost: 128 } };
}

/** Values that exhaust a validation's budget, one kind after the other. */
const HOSTILE: readonly { format: string; content: unknown; data: unknown }[] = [
  {
    format: "json-schema",
    content: {
      items: { anyOf: Array.from({ length: 100 }, (_, index) => ({ required: [`p${index}`], type: "object" })) },
    },
    data: Array.from({ length: 100_000 }, () => ({})),
  },
  {
    format: "json-schema",
    content: { items: { pattern: "(x+x+)+y" } },
    data: Array.from({ length: 20_000 }, () => "x".repeat(40)),
  },
  {
    format: "json-schema",
    content: { uniqueItems: true },
    data: Array.from({ length: 100_000 }, (_, index) => ({ a: index })),
  },
  {
    format: "avro",
    content: { type: "array", items: { type: "map", values: "int" } },
    data: Array.from({ length: 140_000 }, () => ({})),
  },
];

/** Reads of other clients while hostile validations run without a pause. */
async function hostileRows(registry: Server, id: string, { quick }: Bench): Promise<Row[]> {
  const { port } = registry;
  const requests: Buffer[] = [];
  for (const [index, { data, ...schema }] of HOSTILE.entries()) {
    const body = JSON.stringify({ subject: `hostile-${index}`, ...schema });
    const { id: hostileId } = await send<{ id: string }>(`${registry.url}/api/v1/schemas`, body);
    requests.push(post(`/schemas/${hostileId}/validate`, JSON.stringify({ data })));
  }
  const forMs = quick ? 3_000 : 20_000;
  const read = requestBytes("GET", `/api/v1/schemas/${id}/content`);
  const [reads, hostile] = await Promise.all([
    applyLoad({ port, connections: 1, forMs, request: () => read }),
    applyLoad({ port, connections: 1, forMs, request: (n) => requests[n % requests.length]! }),
  ]);
  const note = `beside ${hostile.requests} hostile validations, p50 ${hostile.p50Ms.toFixed(0)} ms`;
  return [
    { what: "reads while hostile validations run, p99", value: reads.p99Ms, unit: "ms", note, aim: { atMost: 250 } },
  ];
}

function residentMegabytes(pid: number): number {
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) / 1_000;
}

function lintRow({ quick }: Bench): Row {
  const model = modelOf(SCHEMA);
  const rounds = quick ? 20 : 200;
  const began = performance.now();
  for (let round = 0; round < rounds; round += 1) lintSchema(model, PROFILES);
  const value = rounds / ((performance.now() - began) / 1_000);
  return { what: `lints of a schema for ${PROFILES.length} profiles`, value, unit: "/s", aim: { atLeast: 100 } };
}
