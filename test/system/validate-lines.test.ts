import { execFileSync } from "node:child_process";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { sendUntilAnswered } from "../support/native-client.ts";
import { freePort, type RegistryProcess, spawnRegistry, temporaryState } from "../support/registry-process.ts";

const MEBIBYTE = 1024 * 1024;
const BODY_BYTES = 100 * MEBIBYTE;
/** Starts the validating isolate and fills the caches, so that growth is the body's alone. */
const FIRST_BODY_BYTES = 4 * MEBIBYTE;
/** What the runtime may grow by: the garbage between two collections, less than the body. */
const MAX_GROWTH_KIB = 80 * 1024;
const SAMPLE_EVERY_MS = 100;
const LINES_PER_CHUNK = 64;

const running: { registry: RegistryProcess; remove(): void }[] = [];

afterEach(async () => {
  for (const { registry, remove } of running.splice(0)) {
    await registry.kill();
    remove();
  }
});

function residentKib(pid: number): number {
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" }));
}

/** Lines of about a kilobyte until the body has its size; one in each chunk is invalid. */
function manyLines(bytes: number): { body: ReadableStream<Uint8Array>; lines: number } {
  const text = "x".repeat(980);
  const lines = Array.from({ length: LINES_PER_CHUNK }, (_, n) => JSON.stringify({ id: n === 0 ? "none" : n, text }));
  const chunk = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
  const chunks = Math.ceil(bytes / chunk.length);
  let left = chunks;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left === 0) controller.close();
      else controller.enqueue(chunk);
      left -= 1;
    },
  });
  return { body, lines: chunks * LINES_PER_CHUNK };
}

/** The number of lines answered, and the last one. */
async function validate(url: string, id: string, body: ReadableStream<Uint8Array>) {
  const answer = await fetch(`${url}/api/v1/schemas/${id}/validate`, {
    method: "POST",
    headers: { "Content-Type": "application/x-ndjson" },
    body,
    duplex: "half",
  } as RequestInit);
  let results = 0;
  let last = "";
  for await (const line of createInterface({ input: Readable.fromWeb(answer.body as never) })) {
    results += 1;
    last = line;
  }
  return { status: answer.status, results, last };
}

describe("POST /schemas/{id}/validate with 100 MB of NDJSON, on a served registry", () => {
  it("answers every line, in memory that does not depend on the body", { timeout: 600_000 }, async () => {
    const { stateDir, remove } = temporaryState();
    const registry = spawnRegistry({ port: await freePort(), stateDir, args: ["--no-database"] });
    running.push({ registry, remove });
    await registry.ready();
    const content = { type: "object", properties: { id: { type: "integer" } }, required: ["id"] };
    const schema = { subject: "lines", format: "json-schema", content };
    const { id } = (await sendUntilAnswered(registry.url, "POST", "/schemas", schema, "once")).body as { id: string };
    const pid = registry.pids().runtime!;
    await validate(registry.url, id, manyLines(FIRST_BODY_BYTES).body);
    const before = residentKib(pid);
    const { body, lines } = manyLines(BODY_BYTES);

    let peak = before;
    let isAnswered = false;
    const sampling = (async () => {
      while (!isAnswered) {
        peak = Math.max(peak, residentKib(pid));
        await pause(SAMPLE_EVERY_MS);
      }
    })();
    const { status, results, last } = await validate(registry.url, id, body);
    isAnswered = true;
    await sampling;

    expect(status).toBe(200);
    expect(results).toBe(lines + 1);
    expect(JSON.parse(last)).toMatchObject({
      summary: { total: lines, valid: lines - lines / LINES_PER_CHUNK, invalid: lines / LINES_PER_CHUNK, undecided: 0 },
    });
    expect(peak - before).toBeLessThan(MAX_GROWTH_KIB);
  });
});
