import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callLlmsr } from "./call-llmsr.ts";

const ACTOR = `user:${"0".repeat(32)}`;
let server: Server;
let asked: { method: string; url: string; body: string; key: string; authorization: string | undefined }[] = [];
const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { method = "", url: path = "", headers } = request;
    asked.push({ method, url: path, body, key: String(headers["x-api-key"]), authorization: headers.authorization });
    response.statusCode = path.includes("missing") ? 404 : path.includes("forbidden") ? 403 : 200;
    if (response.statusCode >= 400) response.setHeader("Content-Type", "application/problem+json");
    response.end(
      path.includes("missing") ? '{"code": "not_found", "detail": "There is none."}' : '{"kind":"person"}\n',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => server.close());

function run(command: "person" | "erase", ...args: string[]) {
  asked = [];
  return callLlmsr([command, ...args]);
}

describe("llmsr person", () => {
  it("prints everything about a person", async () => {
    const { code, output } = await run("person", url(), ACTOR, "--header", "X-API-Key: k");

    expect([code, output]).toEqual([0, '{"kind":"person"}\n']);
    expect(asked).toMatchObject([
      { method: "GET", url: `/api/v1/people/user%3A${"0".repeat(32)}/export`, body: "", key: "k" },
    ]);
  });

  it("prints the answer as it arrives, and exits with 3 if it is cut off", async () => {
    let pulls = 0;
    const cut = new ReadableStream({
      pull(controller) {
        pulls += 1;
        if (pulls === 1) controller.enqueue(new TextEncoder().encode("first\n"));
        else controller.error(new Error("cut off"));
      },
    });

    const answer = await callLlmsr(["person", ACTOR], { fetch: async () => new Response(cut) });

    expect(answer).toMatchObject({ code: 3, output: "first\n", errors: expect.stringContaining("cut off") });
  });
});

describe("llmsr erase", () => {
  it("erases a person, or a version with its reason", async () => {
    expect((await run("erase", url(), ACTOR)).code).toBe(0);
    expect(asked).toMatchObject([{ method: "DELETE", url: `/api/v1/people/user%3A${"0".repeat(32)}` }]);
    expect((await run("erase", url(), "01932f3e", "--reason", "Asked for.")).code).toBe(0);
    expect(asked).toMatchObject([
      { method: "POST", url: "/api/v1/schemas/01932f3e/erase", body: '{"reason":"Asked for."}' },
    ]);
  });

  it("exits with 5 for the registry's refusal, with 4 without permission, and with 2 for wrong arguments", async () => {
    const refused = await run("erase", url(), "missing");
    expect([refused.code, refused.errors]).toEqual([5, expect.stringContaining("There is none.")]);
    expect((await run("erase", url(), "forbidden")).code).toBe(4);
    expect((await run("erase", url())).code).toBe(2);
    expect((await run("person", url(), "orders")).code).toBe(2);
    expect((await run("person", url(), ACTOR, "--reason", "r")).code).toBe(2);
  });

  it("exits with 3 if the registry cannot be reached", async () => {
    expect((await run("person", "http://127.0.0.1:9", ACTOR)).code).toBe(3);
  });

  it("takes the registry and its key from the environment", async () => {
    asked = [];
    const env = { LLMSR_URL: url(), LLMSR_KEY: "secret", XDG_CONFIG_HOME: "/nowhere" };

    await callLlmsr(["erase", ACTOR], { env });
    await callLlmsr(["person", ACTOR], { env });

    expect(asked.map(({ authorization }) => authorization)).toEqual(["Bearer secret", "Bearer secret"]);
  });
});
