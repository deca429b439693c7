import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeSigner, printCheckpoint, printVerifier, type Signer, signNote } from "../../tlog/note.ts";
import { type LogLine, LogVerifier } from "../../tlog/verify.ts";
import { callLlmsr } from "./call-llmsr.ts";

const ENTRIES = 11;
const COVERED = 9;

let folder: string;
let signer: Signer;
const file = (name: string) => join(folder, name);

/** A log as the registry writes it. */
function makeLog(): LogLine[] {
  const lines: LogLine[] = [];
  let previous = "0".repeat(64);
  for (let seq = 1; seq <= ENTRIES; seq += 1) {
    const payload = { salt: Buffer.alloc(16, seq).toString("base64"), text: JSON.stringify({ v: 1, n: seq }) };
    const digest = createHash("sha256").update(Buffer.from(payload.salt, "base64")).update(payload.text).digest("hex");
    const header = JSON.stringify({ v: 1, seq, actor: "ana", payload_digest: digest, prev_hash: previous });
    previous = createHash("sha256").update(Uint8Array.of(0)).update(header).digest("hex");
    lines.push({ seq, header, payload: seq === 4 ? null : payload });
  }
  return lines;
}

const log = makeLog();

const audit = (...args: string[]) => callLlmsr(["audit", ...args]);

async function verifyLog(lines: readonly LogLine[], ...more: string[]) {
  writeFileSync(file("log.ndjson"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return audit("verify", "--log", file("log.ndjson"), "--checkpoint", file("checkpoint"), ...more);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "llmsr-audit-"));
  signer = await makeSigner("log.test/t", new Uint8Array(32).fill(7));
  const verifier = new LogVerifier([]);
  for (const line of log.slice(0, COVERED)) verifier.add(line);
  const text = printCheckpoint({ origin: "log.test/t", size: COVERED, root: verifier.root() });
  writeFileSync(file("checkpoint"), await signNote(text, [signer]));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("llmsr audit verify", () => {
  it("accepts an intact log, including payloads removed by hard deletes", async () => {
    const { code, output } = await verifyLog(log, "--key", printVerifier(signer.verifier));

    expect(code).toBe(0);
    expect(output).toContain("11 entries are intact; 9 of them");
    expect(output).toContain("1 payloads hard-deleted");
  });

  it.each(Array.from({ length: ENTRIES }, (_, index) => index))(
    "detects a change of entry %i's header",
    async (index) => {
      const tampered = log.map((line, at) =>
        at === index ? { ...line, header: line.header.replace('"ana"', '"eve"') } : line,
      );

      const { code } = await verifyLog(tampered);

      // No later entry and no checkpoint covers the last entry.
      expect(code).toBe(index === ENTRIES - 1 ? 0 : 1);
    },
  );

  it.each([
    [
      "a changed payload",
      (lines: LogLine[]) => Object.assign(lines[2]!.payload!, { text: "{}" }),
      "entry 3 does not match its header",
    ],
    ["a missing entry", (lines: LogLine[]) => void lines.splice(5, 1), "entry 6 is missing"],
    ["two entries in another order", (lines: LogLine[]) => void lines.splice(1, 2, lines[2]!, lines[1]!), "entry 2"],
    ["an end before the checkpoint's", (lines: LogLine[]) => void lines.splice(COVERED - 1), "ends with entry 8"],
    ["a log written anew", (lines: LogLine[]) => rewrite(lines), "do not match the checkpoint"],
  ])("detects %s", async (_, tamper, said) => {
    const lines = structuredClone(log);
    tamper(lines);

    const { code, errors } = await verifyLog(lines);

    expect(code).toBe(1);
    expect(errors.toLowerCase()).toContain(said.toLowerCase());
  });

  it("refuses a checkpoint signed by another key", async () => {
    const other = await makeSigner("log.test/t", new Uint8Array(32).fill(8));

    const { code, errors } = await verifyLog(log, "--key", printVerifier(other.verifier));

    expect(code).toBe(2);
    expect(errors).toContain("None of the given keys");
  });

  it.each([
    [["verify", "http://localhost:1", "--log", "-"], "either the URL"],
    [["verify", "--log", "/nowhere"], "cannot be read"],
    [["verify", "ftp://x"], "is not a URL"],
    [["verify", "--log", "-", "--key", "nonsense"], "is not the public key"],
    [["dance"], "llmsr audit checkpoint [URL]"],
  ])("prints its usage for %j", async (args, said) => {
    const { code, errors } = await audit(...args);

    expect(code).toBe(2);
    expect(errors).toContain(said);
  });
});

describe("llmsr audit over the network", () => {
  it.each([
    [401, 4],
    [403, 4],
    [501, 5],
    [503, 3],
  ])("exits for a %i with %i", async (status, code) => {
    const fetch = async () => new Response("no", { status });

    for (const command of ["checkpoint", "export"]) {
      expect((await callLlmsr(["audit", command, "http://localhost:1"], { fetch })).code, command).toBe(code);
    }
  });

  it("asks again for a page of the log that a registry is too busy to give", async () => {
    const answers = [
      new Response("busy", { status: 503 }),
      Response.json({ items: log }),
      Response.json({ items: [] }),
    ];
    const fetch = async () => answers.shift()!;

    const { code, output } = await callLlmsr(["audit", "download", "http://localhost:1"], { fetch });

    expect([code, output.split("\n")]).toEqual([0, expect.objectContaining({ length: ENTRIES + 1 })]);
  });

  it("follows no redirect, which would carry the key to another server", async () => {
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url);
      response.writeHead(307, { Location: "/elsewhere" }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

    const codes = [(await audit("checkpoint", url)).code, (await audit("export", url)).code];
    server.close();

    expect(codes).toEqual([3, 3]);
    expect(asked).toEqual(["/api/v1/audit/checkpoint", "/api/v1/audit/export"]);
  });

  it("exits with 3 if the registry is unreachable, the response breaks off, or the server is not a registry", async () => {
    const broken = new ReadableStream({ pull: (controller) => controller.error(new Error("cut off")) });

    expect((await audit("checkpoint", "http://127.0.0.1:9")).code).toBe(3);
    expect((await audit("export", "http://127.0.0.1:9")).code).toBe(3);
    for (const body of [broken, "<html>", "{}", "null"]) {
      const fetch = async () => new Response(body);
      expect((await callLlmsr(["audit", "download", "http://localhost:1"], { fetch })).code).toBe(3);
    }
  });
});

describe("llmsr audit export, download and checkpoint", () => {
  it("sends the filters, and prints the answer as it arrives", async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url!);
      const isLog = request.url!.startsWith("/api/v1/log");
      const items = request.url!.includes("after=0") ? log : [];
      response.end(isLog ? JSON.stringify({ items }) : "an answer\n");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

    const exported = await audit("export", url, "--actor", "key:1", "--format", "csv");
    const downloaded = await audit("download", url);
    const checkpoint = await audit("checkpoint", url);
    const verified = await audit("verify", url, "--checkpoint", file("checkpoint"));
    server.close();

    expect([exported.output, checkpoint.output]).toEqual(["an answer\n", "an answer\n"]);
    expect(asked[0]).toBe("/api/v1/audit/export?actor=key%3A1&format=csv");
    expect(downloaded.output.split("\n")).toHaveLength(ENTRIES + 1);
    expect(verified.code).toBe(0);
  });
});

/** An attacker with database access recomputes every hash after a change; only a checkpoint reveals it. */
function rewrite(lines: LogLine[]): void {
  let previous = "0".repeat(64);
  for (const line of lines) {
    const header = { ...JSON.parse(line.header), actor: "eve", prev_hash: previous };
    line.header = JSON.stringify(header);
    previous = createHash("sha256").update(Uint8Array.of(0)).update(line.header).digest("hex");
  }
}
