import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callLlmsr } from "../cli/call-llmsr.ts";
import { freePort, type RegistryProcess, spawnRegistry, temporaryState } from "../support/registry-process.ts";

const states = [temporaryState(), temporaryState()];
let source: RegistryProcess;
let target: RegistryProcess;

beforeAll(async () => {
  [source, target] = (await Promise.all(
    states.map(async ({ stateDir }) => {
      const registry = spawnRegistry({ port: await freePort(), stateDir });
      await registry.ready();
      return registry;
    }),
  )) as [RegistryProcess, RegistryProcess];
});
afterAll(async () => {
  await Promise.all([source?.stop(), target?.stop()]);
  for (const state of states) state.remove();
});

async function send(method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(source.url + path, {
    method,
    headers: { "Content-Type": "application/json" },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  expect(response.status, path).toBe(200);
  return response.json();
}

const named = (name: string, ...fields: object[]) => JSON.stringify({ type: "record", name, fields });

async function fillSource(): Promise<void> {
  const references = [{ name: "Base", subject: "z-base", version: 1 }];
  await send("POST", "/subjects/z-base/versions", { schema: named("Base") });
  const top = named("Top", { name: "base", type: "Base" });
  await send("POST", "/subjects/a-top/versions", { schema: top, references });
  for (let n = 0; n < 30; n += 1) {
    const metadata = { properties: { n: String(n) } };
    await send("POST", "/subjects/many/versions", { schema: named("Many"), metadata });
  }
  await send("DELETE", "/subjects/many/versions/3");
  await send("DELETE", "/subjects/many/versions/3?permanent=true");
  await send("DELETE", "/subjects/many/versions/7");
  await send("POST", "/subjects/:.other:base/versions", { schema: named("Base"), metadata: { sensitive: ["x"] } });
  const local = [{ name: "Base", subject: "base", version: 1 }];
  await send("POST", "/subjects/:.other:top/versions", { schema: top, references: local });
  await send("POST", "/subjects/json/versions", { schemaType: "JSON", schema: '{"type":"object"}' });
  await send("PUT", "/config/many", { compatibility: "FULL_TRANSITIVE", normalize: true });
  await send("PUT", "/mode/json", { mode: "READONLY" });
  await send("DELETE", "/subjects/a-top");
  // The default context is listed first and references a later one, which references it.
  await send("POST", "/subjects/crossing/versions", {
    schema: named("Crossing", { name: "base", type: "Base" }),
    references: [{ name: "Base", subject: ":.other:base", version: 1 }],
  });
  await send("POST", "/subjects/:.other:back/versions", {
    schema: named("Back", { name: "crossing", type: "Crossing" }),
    references: [{ name: "Crossing", subject: ":.:crossing", version: 1 }],
  });
  await send("PUT", "/config", { compatibility: "FULL" });
  await send("PUT", "/config/:.__GLOBAL:", { compatibility: "FORWARD" });
  await send("PUT", "/config/:.other:", { compatibilityGroup: "major" });
  await send("PUT", "/config/nickname", { alias: "many" });
  await send("PUT", "/mode/:.other:", { mode: "READONLY" });
}

/** Lets some writes through and then none, like a broken connection. */
async function breakingProxy(writes: number): Promise<{ url: string; close(): Promise<void> }> {
  let left = writes;
  const server = createServer((incoming, outgoing) => {
    if (incoming.method === "POST") left -= 1;
    if (left < 0) return incoming.socket.destroy();
    const { method, url, headers } = incoming;
    const passed = httpRequest(target.url + url, { method: method!, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(passed);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function llmsrImport(...args: string[]): Promise<{ code: number; output: string }> {
  const { code, output, errors } = await callLlmsr(["import", ...args]);
  return { code, output: output + errors };
}

describe("llmsr import", () => {
  it("copies a registry with its ids, resumes after an interruption, and verifies the copy", async () => {
    await fillSource();
    const proxy = await breakingProxy(10);

    const broken = await llmsrImport("--from", source.url, "--to", proxy.url);
    await proxy.close();
    const half = await llmsrImport("--from", source.url, "--to", target.url, "--verify-only");
    const resumed = await llmsrImport("--from", source.url, "--to", target.url);
    const again = await llmsrImport("--from", source.url, "--to", target.url);

    expect(broken).toMatchObject({
      code: 3,
      output: expect.stringMatching(/failed: the connection was closed/),
    });
    expect(half).toMatchObject({ code: 1, output: expect.stringMatching(/is missing/) });
    expect(resumed, resumed.output).toMatchObject({ code: 0, output: expect.stringMatching(/0 differ/) });
    const here = [...resumed.output.matchAll(/(\d+) of them already present/g)].map(([, count]) => Number(count));
    expect(here.reduce((sum, count) => sum + count)).toBe(10);
    expect(again, again.output).toMatchObject({ code: 0, output: expect.not.stringMatching(/copied/) });
    const read = async (path: string) => (await fetch(target.url + path)).json();
    expect(await read("/subjects/many/versions?deletedAsNegative=true")).toEqual(
      Array.from({ length: 30 }, (_, index) => index + 1)
        .filter((version) => version !== 3)
        .map((version) => (version === 7 ? -7 : version)),
    );
    expect(await read("/config/many")).toEqual({ compatibilityLevel: "FULL_TRANSITIVE", normalize: true });
    expect(await read("/mode/json")).toEqual({ mode: "READONLY" });
    expect(await read("/mode")).toEqual({ mode: "READWRITE" });
    expect(await read("/mode/:.other:")).toEqual({ mode: "READONLY" });
    expect(await read("/config")).toEqual({ compatibilityLevel: "FULL" });
    expect(await read("/config/:.__GLOBAL:")).toEqual({ compatibilityLevel: "FORWARD" });
    expect(await read("/config/:.other:")).toEqual({ compatibilityGroup: "major" });
    expect(await read("/config/nickname")).toEqual({ alias: "many" });
    expect(await read("/contexts")).toEqual([".", ".other"]);
  });

  it("leaves the target's modes as they were when it is interrupted", async () => {
    const interrupt = new AbortController();
    const state = temporaryState();
    const other = spawnRegistry({ port: await freePort(), stateDir: state.stateDir });
    await other.ready();
    const interrupting: typeof fetch = (input, init) => {
      if (init?.method === "POST") interrupt.abort();
      return fetch(input, init);
    };

    const args = ["import", "--from", source.url, "--to", other.url];
    const { code, errors } = await callLlmsr(args, { fetch: interrupting, signal: interrupt.signal });
    const mode = await (await fetch(`${other.url}/mode`)).json();
    await other.stop();
    state.remove();

    expect([code, errors]).toEqual([130, "llmsr: interrupted\n"]);
    expect(mode).toEqual({ mode: "READWRITE" });
  });

  it("reports the differences", async () => {
    await fetch(`${target.url}/subjects/many/versions/9`, { method: "DELETE" });

    const { code, output } = await llmsrImport("--from", source.url, "--to", target.url, "--verify-only");

    expect(code).toBe(1);
    expect(output).toContain("many version 9 has a different deleted: true instead of false");
  });

  it("reports settings that differ", async () => {
    await fetch(`${target.url}/config/nickname`, { method: "DELETE" });

    const { code, output } = await llmsrImport("--from", source.url, "--to", target.url, "--verify-only");

    expect(code).toBe(1);
    expect(output).toContain('config of nickname is not set instead of {"alias":"many"}');
  });

  it("explains what to do if the target holds different content under an id", async () => {
    const { stateDir, remove } = temporaryState();
    const other = spawnRegistry({ port: await freePort(), stateDir });
    await other.ready();
    await fetch(`${other.url}/subjects/elsewhere/versions`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ schema: '"long"' }),
    });

    const { code, output } = await llmsrImport("--from", source.url, "--to", other.url);
    await other.stop();
    remove();

    expect(code).toBe(1);
    expect(output).toMatch(/z-base version 1 with id 1 cannot be copied\..*\n.*import into an empty registry/);
  });

  it.each([
    ["a page that is not a registry", (url: string) => `${url}/docs`, 1, /is not a schema registry/],
    ["a port without a server", async () => `http://127.0.0.1:${await freePort()}`, 3, /nothing listens there/],
    ["a host that does not exist", () => "http://no-such-host.invalid", 3, /no such host|cannot be resolved/],
  ])("fails on %s", async (_, from, expected, why) => {
    const { code, output } = await llmsrImport("--from", await from(source.url), "--to", target.url);

    expect([code, output]).toEqual([expected, expect.stringMatching(why)]);
  });

  it("sends the user and the password of a URL, and headers", async () => {
    const seen: (string | undefined)[] = [];
    const server = createServer((incoming, outgoing) => {
      seen.push(incoming.headers.authorization);
      outgoing.writeHead(401).end("{}");
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;

    const byUrl = await llmsrImport("--from", `http://ana:p%40ss@${host}`, "--to", target.url);
    await llmsrImport("--from", `http://${host}`, "--from-header", "authorization: Bearer t", "--to", target.url);
    server.close();

    expect(seen).toEqual([`Basic ${Buffer.from("ana:p@ss").toString("base64")}`, "Bearer t"]);
    expect(byUrl).toMatchObject({ code: 4, output: expect.stringContaining("answered 401") });
  });

  it("requires a source", async () => {
    expect(await llmsrImport("--to", target.url)).toMatchObject({ code: 2 });
    expect(await llmsrImport("--nonsense")).toMatchObject({ code: 2 });
    expect(await llmsrImport("--from", "localhost")).toMatchObject({
      code: 2,
      output: expect.stringMatching(/is not a URL/),
    });
    expect(await llmsrImport("--from", source.url, "--from-header", "x")).toMatchObject({ code: 2 });
  });
});
