import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runPromote } from "../../cli/promote.ts";

let server: Server;
let asked: unknown[] = [];
const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const body = JSON.parse(text) as { subject: string };
    asked.push([request.method, request.url, body]);
    const isProtected = body.subject === "protected";
    response.statusCode = isProtected ? 409 : 200;
    const changes = [{ result: "registered", subject: body.subject, version: "1.0.0" }];
    response.end(JSON.stringify(isProtected ? { detail: "It waits for approval." } : { changes }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => server.close());

async function promote(...args: string[]) {
  asked = [];
  let [output, errors] = ["", ""];
  const print = (text: string) => {
    output += text;
  };
  const printError = (text: string) => {
    errors += text;
  };
  const code = await runPromote(args, { print, printError, isTerminal: false });
  return { code, output, errors };
}

describe("llmsr promote", () => {
  it("promotes to another registry or context, and prints what was made", async () => {
    const { code, output } = await promote(url(), "orders", "--to-registry", "production", "--version", "^2");

    expect([code, output]).toEqual([0, "registered orders 1.0.0\n"]);
    const body = { subject: "orders", version: "^2", to_registry: "production" };
    expect(asked).toEqual([["POST", "/api/v1/promotions", body]]);
  });

  it("exits with 1 where the target refuses, and with 2 without a target", async () => {
    const refused = await promote(url(), "protected", "--to-context", ".prod");
    expect([refused.code, refused.errors]).toEqual([1, "llmsr: It waits for approval.\n"]);
    expect((await promote(url(), "orders")).code).toBe(2);
  });
});
