import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callLlmsr } from "./call-llmsr.ts";

const REFUSALS: Readonly<Record<string, { status: number; code: string; detail: string }>> = {
  protected: { status: 409, code: "protected", detail: "It waits for approval." },
  breaking: { status: 409, code: "incompatible_schema", detail: "It breaks." },
  forbidden: { status: 403, code: "forbidden", detail: "No." },
};

let server: Server;
let asked: unknown[] = [];
const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const body = JSON.parse(text) as { subject: string };
    asked.push([request.method, request.url, body]);
    const refusal = REFUSALS[body.subject];
    response.statusCode = refusal?.status ?? 200;
    response.setHeader("Content-Type", refusal === undefined ? "application/json" : "application/problem+json");
    const changes = [{ result: "registered", subject: body.subject, version: "1.0.0" }];
    response.end(JSON.stringify(refusal ?? { changes }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => server.close());

function promote(...args: string[]) {
  asked = [];
  return callLlmsr(["promote", ...args]);
}

describe("llmsr promote", () => {
  it("promotes to another registry or context, and prints the registered versions", async () => {
    const { code, output } = await promote(url(), "orders", "--to-registry", "production", "--version", "^2");

    expect([code, output]).toEqual([0, "registered orders 1.0.0\n"]);
    const body = { subject: "orders", version: "^2", to_registry: "production" };
    expect(asked).toEqual([["POST", "/api/v1/promotions", body]]);
  });

  it("takes the registry and the context from the environment", async () => {
    asked = [];
    const env = { LLMSR_URL: url(), LLMSR_CONTEXT: "dev", XDG_CONFIG_HOME: "/nowhere" };

    const { code } = await callLlmsr(["promote", "orders", "--to-context", ".prod"], { env });

    expect(code).toBe(0);
    expect(asked).toMatchObject([["POST", "/api/v1/promotions", { subject: ":.dev:orders", to_context: ".prod" }]]);
  });

  it("exits with 5 if the target refuses, with 1 if it is incompatible, and with 2 without a target", async () => {
    const refused = await promote(url(), "protected", "--to-context", ".prod");
    expect([refused.code, refused.errors]).toEqual([5, expect.stringContaining("It waits for approval.")]);
    expect((await promote(url(), "breaking", "--to-context", ".prod")).code).toBe(1);
    expect((await promote(url(), "forbidden", "--to-context", ".prod")).code).toBe(4);
    expect((await promote("http://127.0.0.1:9", "orders", "--to-context", ".prod")).code).toBe(3);
    expect((await promote(url(), "orders")).code).toBe(2);
  });
});
