import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { callLlmsr } from "./call-llmsr.ts";

const PROPOSAL = {
  id: "p-1",
  status: "open",
  author: "ana",
  subjects: ["orders"],
  required: [{ role: "admin", count: 1 }],
  approvals: [],
};

/** A registry with prepared answers, which records the requests. */
let server: Server;
let url: string;
let folder: string;
let asked: { request: string; body: string; header: string | undefined }[] = [];
let answer: { status: number; body: string };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "llmsr-proposals-"));
  writeFileSync(join(folder, "changes.json"), '{"changes": []}');
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    asked.push({ request: `${request.method} ${request.url}`, body, header: request.headers["x-api-key"] as string });
    response.writeHead(answer.status, { "Content-Type": "application/problem+json" }).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  asked = [];
});

const llmsr = (...args: string[]) => callLlmsr(args);

describe("llmsr propose, approve and reject", () => {
  it("opens a proposal of a file's changes, with the caller's credential", async () => {
    answer = { status: 201, body: JSON.stringify(PROPOSAL) };

    const { code, output } = await llmsr("propose", url, join(folder, "changes.json"), "--header", "X-API-Key: secret");

    expect(code).toBe(0);
    expect(asked).toEqual([{ request: "POST /api/v1/proposals", body: '{"changes":[]}', header: "secret" }]);
    expect(output).toContain("p-1 open\n  orders, by ana\n  approvals: none; required: 1 of admin\n");
  });

  it("lists open proposals, or none", async () => {
    answer = { status: 200, body: JSON.stringify({ items: [PROPOSAL] }) };
    expect((await llmsr("propose", url)).output).toContain("p-1 open");
    answer = { status: 200, body: '{"items": []}' };
    expect((await llmsr("propose", url)).output).toBe("No proposal is open.\n");
  });

  it("approves and rejects by id", async () => {
    answer = { status: 200, body: JSON.stringify({ proposal: { ...PROPOSAL, status: "applied" } }) };

    expect((await llmsr("approve", url, "p-1")).output).toContain("p-1 applied");
    await llmsr("reject", url, "p-1", "Wait.");

    expect(asked.map(({ request, body }) => [request, body])).toEqual([
      ["POST /api/v1/proposals/p-1/approve", ""],
      ["POST /api/v1/proposals/p-1/reject", '{"reason":"Wait."}'],
    ]);
  });

  it("says why the registry refuses, with exit code 5", async () => {
    answer = { status: 409, body: '{"code": "conflict", "detail": "A proposal cannot be approved by its author."}' };

    const { code, errors } = await llmsr("approve", url, "p-1");

    expect(code).toBe(5);
    expect(errors).toContain("cannot be approved by its author");
  });

  it.each([
    [["approve"], "takes the id"],
    [["approve", "http://127.0.0.1:1", "p", "q"], "takes other arguments"],
    [["approve", "http://127.0.0.1:1"], "takes the id"],
    [["propose", "http://127.0.0.1:1", "/nowhere.json"], "cannot be read"],
    [["propose", "ftp://x"], "is not a URL"],
  ] as const)("answers %j with exit code 2", async ([command, ...args], said) => {
    const { code, errors } = await llmsr(command, ...args);

    expect(code).toBe(2);
    expect(errors).toContain(said);
  });
});
