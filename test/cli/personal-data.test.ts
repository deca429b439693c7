import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runPersonalData } from "../../cli/personal-data.ts";

const ACTOR = `user:${"0".repeat(32)}`;
let server: Server;
let asked: { method: string; url: string; body: string; key: string }[] = [];
const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { method = "", url: path = "", headers } = request;
    asked.push({ method, url: path, body, key: String(headers["x-api-key"]) });
    response.statusCode = path.includes("missing") ? 404 : 200;
    response.end(path.includes("missing") ? '{"detail": "There is none."}' : '{"kind":"person"}\n');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => server.close());

async function run(command: "person" | "erase", ...args: string[]) {
  asked = [];
  let [output, errors] = ["", ""];
  const code = await runPersonalData(command, args, {
    print: (text) => {
      output += text;
    },
    printError: (text) => {
      errors += text;
    },
    isTerminal: false,
  });
  return { code, output, errors };
}

describe("llmsr person", () => {
  it("prints everything about a person", async () => {
    const { code, output } = await run("person", url(), ACTOR, "--header", "X-API-Key: k");

    expect([code, output]).toEqual([0, '{"kind":"person"}\n']);
    expect(asked).toEqual([
      { method: "GET", url: `/api/v1/people/user%3A${"0".repeat(32)}/export`, body: "", key: "k" },
    ]);
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

  it("reports the registry's refusal with exit code 1, and wrong arguments with 2", async () => {
    const refused = await run("erase", url(), "missing");
    expect([refused.code, refused.errors]).toEqual([1, "llmsr: There is none.\n"]);
    expect((await run("erase", url())).code).toBe(2);
    expect((await run("person", url(), "orders")).code).toBe(2);
  });
});
