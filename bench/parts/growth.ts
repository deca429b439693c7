import { applyLoad, median, requestBytes } from "../load.ts";
import type { Bench, BenchPart, Row } from "../part.ts";
import { cpuUs } from "../processes.ts";
import { fill, registration, requireAnswered } from "../schemas.ts";
import { residentMiB, type Server, startRegistry } from "../servers.ts";

const CONNECTIONS = 8;
/** Schemas that are read in turn: few enough that their contents stay in memory. */
const HOT = 200;
const READ_FOR_MS = 2_000;
const FILLED_WITH = { quick: 1_000, whole: 10_000 };
const AIM = { atMost: 1.5 };

/** Whether anything slows down as a subject or the registry grows, and how much memory the runtime then uses. */
export const growth: BenchPart = {
  name: "growth",
  title: "Growth",
  async run(bench) {
    const registry = await startRegistry();
    try {
      return [...(await versionsOfOneSubject(bench, registry)), ...(await schemasInAll(bench, registry))];
    } finally {
      await registry.stop();
    }
  },
};

async function versionsOfOneSubject(bench: Bench, server: Server): Promise<Row[]> {
  const { port } = server;
  const many = bench.quick ? FILLED_WITH.quick : FILLED_WITH.whole;
  await fill(bench, port, { from: 0, to: 10, subjectOf: () => "small" });
  await fill(bench, port, { from: 0, to: many, subjectOf: () => "large" });
  const small: number[] = [];
  const large: number[] = [];
  const perTurn = bench.quick ? 50 : 100;
  // Each measured registration makes the small subject larger, so every turn uses a new small subject.
  for (let turn = 0; turn < (bench.quick ? 3 : 7); turn += 1) {
    const subject = `small-${turn}`;
    await fill(bench, port, { from: 0, to: 10, subjectOf: () => subject });
    small.push(await registrationUs(server, subject, 1_000_000 + turn * perTurn, perTurn));
    large.push(await registrationUs(server, "large", 2_000_000 + turn * perTurn, perTurn));
  }
  return [
    { what: "register, 10 versions in the subject: CPU of the server", value: median(small), unit: "µs" },
    { what: `register, ${many} versions in the subject: CPU of the server`, value: median(large), unit: "µs" },
    { what: "ratio", value: median(large) / median(small), unit: "×", aim: AIM },
  ];
}

/** CPU time, because other load on the machine hardly affects it. */
async function registrationUs({ port, pid }: Server, subject: string, from: number, count: number): Promise<number> {
  const before = cpuUs([pid]);
  const measured = await applyLoad({ port, connections: 1, count, request: (n) => registration(subject, from + n) });
  requireAnswered(measured);
  return (cpuUs([pid]) - before) / count;
}

async function schemasInAll(bench: Bench, registry: Server): Promise<Row[]> {
  const [few, many] = bench.quick ? [500, 5_000] : [1_000, 20_000];
  const subjectOf = (n: number) => `subject-${n % 1_000}`;
  const base = 10_000_000;
  await fill(bench, registry.port, { from: base, to: base + few, subjectOf });
  const before = await readSome(registry, subjectOf);
  const rssBefore = residentMiB(registry.pid);
  await fill(bench, registry.port, { from: base + few, to: base + many, subjectOf });
  const after = await readSome(registry, subjectOf);
  const rows: Row[] = [];
  for (const kind of ["content", "record", "latest"] as const) {
    const what = { content: "content from memory", record: "record, strong", latest: "latest, strong" }[kind];
    rows.push(
      { what: `${what}, ${few} schemas: CPU of the server`, value: before[kind], unit: "µs" },
      { what: `${what}, ${many} schemas: CPU of the server`, value: after[kind], unit: "µs" },
      { what: "ratio", value: after[kind] / before[kind], unit: "×", aim: AIM },
    );
  }
  rows.push(
    { what: `memory of workerd, ${few} schemas`, value: rssBefore, unit: "MiB" },
    { what: `memory of workerd, ${many} schemas`, value: residentMiB(registry.pid), unit: "MiB" },
  );
  return rows;
}

/** Reads some hundred schemas repeatedly: their contents are in memory, their records in the primary. */
async function readSome(
  { url, port, pid }: Server,
  subjectOf: (n: number) => string,
): Promise<Record<"content" | "record" | "latest", number>> {
  const subjects = Array.from({ length: HOT }, (_, n) => subjectOf(n));
  const ids: string[] = [];
  for (const subject of subjects) {
    const response = await fetch(`${url}/api/v1/subjects/${subject}/versions/1`);
    if (!response.ok) throw new Error(`Reading a version gives ${response.status}: ${await response.text()}`);
    ids.push(((await response.json()) as { id: string }).id);
  }
  const measure = async (paths: readonly string[], connections: number): Promise<number> => {
    const requests = paths.map((path) => requestBytes("GET", path));
    const load = { port, connections, request: (n: number) => requests[n % HOT]! };
    await applyLoad({ ...load, count: 2 * HOT });
    const cpuBefore = cpuUs([pid]);
    const measured = await applyLoad({ ...load, forMs: READ_FOR_MS });
    requireAnswered(measured);
    return (cpuUs([pid]) - cpuBefore) / measured.requests;
  };
  return {
    content: await measure(
      ids.map((id) => `/api/v1/schemas/${id}/content`),
      CONNECTIONS,
    ),
    record: await measure(
      ids.map((id) => `/api/v1/schemas/${id}`),
      1,
    ),
    latest: await measure(
      subjects.map((subject) => `/api/v1/subjects/${subject}/versions/latest`),
      1,
    ),
  };
}
