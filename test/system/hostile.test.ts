/**
 * No request blocks those of other clients: while hostile requests run, another client keeps reading. A read is charged with
 * the processor time of workerd's main thread between its request and its response, because that is the work it had to
 * wait for; the time on the wall also contains what other processes of the machine do.
 */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  conjoinedAlternatives,
  type HostilePair,
  hugeDigits,
  hugeExponents,
  manyAvroBranches,
  manyAvroDefaults,
  manyAvroRecords,
  manyChanges,
  manyConjoined,
  manyDependents,
  manyDivisors,
  manyFields,
  manyListed,
  manyMaps,
  manyMessages,
  manyPatterns,
  nestedReferences,
  taggedObjects,
  untaggedObjects,
} from "../support/hostile-schemas.ts";
import { sendTo } from "../support/native-client.ts";
import { freePort, type RegistryProcess, spawnRegistry, temporaryState } from "../support/registry-process.ts";
import { sharedHostilePairs } from "../support/shared-hostile-schemas.ts";
import { COUNTS_THREADS, mainThreadMs } from "../support/thread-time.ts";

/** The processor time of a fixed computation on the machine that the bounds are for. */
const NOMINAL_MS = 48;

/**
 * How much slower this machine is at the moment, at least 1: processor time is compared, processors differ, and two that
 * share a core slow each other down.
 */
function slowness(): number {
  const text = JSON.stringify(Array.from({ length: 200_000 }, (_, index) => ({ index, name: `n${index}` })));
  const costs = Array.from({ length: 5 }, () => {
    const { user } = process.cpuUsage();
    JSON.parse(text);
    return (process.cpuUsage().user - user) / 1_000;
  });
  return Math.max(1, costs.toSorted((one, other) => one - other)[2]! / NOMINAL_MS);
}

/** The first use of an input's code compiles it, which a registry that has been running for a while has behind it. */
const WHILE_COLD = 1.6;
/** Of reads from memory, 99 in 100. */
const MEMORY_READ_MS = 250 * WHILE_COLD;
/** Of reads that ask the primary. */
const STRICT_READ_MS = 500 * WHILE_COLD;
/** Between two reads of one kind. */
const READ_EVERY_MS = 10;
/** The registry is idle once its main thread uses less than this in IDLE_WINDOW_MS. */
const IDLE_MS = 5;
const IDLE_WINDOW_MS = 50;
const IDLE_WITHIN_MS = 10_000;
const WARM_UP_READS = 10;

const OWN: readonly HostilePair[] = [
  ...hugeExponents(),
  hugeDigits(9_000),
  conjoinedAlternatives(30),
  manyPatterns(1_000),
  taggedObjects(200),
  manyChanges(25_000),
  manyConjoined(10_000),
  manyListed(40_000, (index) => index, "integers"),
  manyDependents(8_000),
  manyDivisors(100, 3_000),
  untaggedObjects(3_000),
  manyFields(33_000),
  manyMaps(15_000),
  manyMessages(14_000),
  manyAvroRecords(10_000),
  manyAvroDefaults(12_000),
  manyAvroBranches(12_000),
];

const SHARED = await sharedHostilePairs();

describe.skipIf(!COUNTS_THREADS)("another client's reads", () => {
  const state = temporaryState();
  let registry: RegistryProcess | undefined;
  let runtime = 0;
  let memoryPath = "";
  let strictPath = "";

  beforeAll(async () => {
    registry = spawnRegistry({ port: await freePort(), stateDir: state.stateDir });
    await registry.ready();
    runtime = registry.pids().runtime!;
    const record = await send("POST", "/api/v1/schemas", {
      subject: "quiet",
      format: "avro",
      content: { type: "record", name: "Quiet", fields: [] },
    });
    memoryPath = `/schemas/ids/${record.confluent_id}`;
    strictPath = `/api/v1/schemas/${record.id}`;
    await send("PUT", "/api/v1/compatibility", { level: "NONE" });
    for (let count = 0; count < WARM_UP_READS; count += 1) {
      await readMs(memoryPath);
      await readMs(strictPath);
    }
  });

  afterAll(async () => {
    await registry?.kill();
    state.remove();
  });

  async function send(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const sent = await sendTo(registry!.url + path, method, body);
    if ("lost" in sent) throw new Error(`${method} ${path}: ${sent.lost}`);
    return sent.body as Record<string, unknown>;
  }

  /** The main thread's work between request and response. */
  async function readMs(path: string): Promise<number> {
    const before = mainThreadMs(runtime);
    const response = await fetch(registry!.url + path);
    await response.text();
    expect(response.status).toBe(200);
    return mainThreadMs(runtime) - before;
  }

  /** Earlier requests may have left work behind, such as the projection of what they registered. */
  async function idle(): Promise<void> {
    const until = Date.now() + IDLE_WITHIN_MS;
    for (let before = mainThreadMs(runtime); Date.now() < until; before = mainThreadMs(runtime)) {
      await pause(IDLE_WINDOW_MS);
      if (mainThreadMs(runtime) - before < IDLE_MS) return;
    }
  }

  async function expectReadsDuring(attack: () => Promise<unknown>): Promise<void> {
    await idle();
    const slownessBefore = slowness();
    let isOver = false;
    const attacking = attack().finally(() => {
      isOver = true;
    });
    const readUntilOver = async (path: string) => {
      const costs: number[] = [];
      do {
        costs.push(await readMs(path));
        await pause(READ_EVERY_MS);
      } while (!isOver);
      return costs;
    };
    const [memory, strict] = await Promise.all([readUntilOver(memoryPath), readUntilOver(strictPath), attacking]);

    const slower = Math.max(slownessBefore, slowness());
    expect(percentile(memory, 0.99), "reads from memory").toBeLessThan(MEMORY_READ_MS * slower);
    expect(Math.max(...strict), "strict reads").toBeLessThan(STRICT_READ_MS * slower);
  }

  if (SHARED.length === 0) it.skip("continue while the shared pairs are compared");

  it.each([...OWN, ...SHARED])("continue while $name is compared", async ({ format, reader, writer }) => {
    const side = (text: string) => ({ format, content: contentOf(format, text) });
    const body = (policy: string) =>
      `{"policy":"${policy}","reader":${sideText(side(reader))},"writer":${sideText(side(writer))}}`;
    const policies = format === "protobuf" ? ["semantic", "buf_file"] : ["semantic", "strict"];

    for (const policy of policies) {
      await expectReadsDuring(() => postText("/api/v1/compatibility/check", body(policy)));
    }
  });

  it.each([manyChanges(25_000), manyMaps(15_000), manyAvroDefaults(12_000)])(
    "continue while both sides of $name are registered",
    async ({ name, format, reader, writer }) => {
      const subject = name.replaceAll(" ", "-");
      for (const text of [writer, reader]) {
        const body = `{"subject":"${subject}","format":"${format}","content":${contentOf(format, text)}}`;
        await expectReadsDuring(() => postText("/api/v1/schemas", body));
      }
      await expectReadsDuring(() => postText(`/api/v1/subjects/${subject}/diff?from=1&to=latest`));
    },
  );

  it.each([
    ["many properties", manyChanges(25_000).writer],
    ["many tagged objects", taggedObjects(3_000).writer],
    ["many nested references", nestedReferences(5_000)],
  ])("continue while a schema of %s is projected", async (_, content) => {
    await expectReadsDuring(() => postText("/api/v1/lint", `{"content":${content}}`));
    await expectReadsDuring(() => postText("/api/v1/project", `{"content":${content},"profile":"openai-strict"}`));
  });

  it("continue while values are validated", async () => {
    const content = { type: "array", items: { anyOf: Array.from({ length: 300 }, (_, minimum) => ({ minimum })) } };
    await send("POST", "/api/v1/schemas", { subject: "values", format: "json-schema", content });
    const items = Array.from({ length: 300 }, () => Array.from({ length: 100 }, (_, index) => -index));

    await expectReadsDuring(() => send("POST", "/api/v1/validate", { subject: "values", items }));
    await expectReadsDuring(() => send("POST", "/api/v1/validate", { subject: "values", data: items.flat() }));
  });

  it("continue while many versions are registered together and deleted", async () => {
    const registrations = Array.from({ length: 200 }, (_, index) => ({
      subject: "many",
      format: "avro",
      content: { type: "record", name: "R", fields: [{ name: `f${index}`, type: "int" }] },
    }));
    const changes = registrations.map((registration, index) => ({
      ...registration,
      operation: "register",
      subject: `together-${index}`,
    }));

    await expectReadsDuring(() => send("POST", "/api/v1/change-sets", { changes }));
    await expectReadsDuring(async () => {
      for (const body of registrations) await send("POST", "/api/v1/schemas", body);
    });
    await expectReadsDuring(() => send("DELETE", "/api/v1/subjects/many"));
    await expectReadsDuring(() => send("DELETE", "/api/v1/subjects/many?permanent=true"));
  });

  async function postText(path: string, body?: string): Promise<void> {
    const response = await fetch(registry!.url + path, {
      method: body === undefined ? "GET" : "POST",
      headers: { "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body }),
    });
    await response.arrayBuffer();
    expect(response.status).toBeLessThan(500);
    expect(response.status).not.toBe(400);
  }
});

/** Schemas in JSON are sent as they are written, because their numbers may exceed a double. */
function contentOf(format: HostilePair["format"], text: string): string {
  return format === "protobuf" ? JSON.stringify(text) : text;
}

function sideText({ format, content }: { format: string; content: string }): string {
  return `{"format":"${format}","content":${content}}`;
}

function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * part) - 1]!;
}
