import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { AddressProblem, networkProblem, parseAddress } from "../../cli/address.ts";
import { callRegistry } from "../../scripts/registry-calls.ts";

describe("parseAddress", () => {
  it.each([
    ["http://localhost:8080", [], "http://localhost:8080", {}],
    ["https://host/registry/", ["X-Team: a: b "], "https://host/registry", { "X-Team": "a: b" }],
    ["https://ana:p%40ss@host", [], "https://host", { Authorization: `Basic ${btoa("ana:p@ss")}` }],
    ["https://ana:p@host", ["authorization: Bearer t"], "https://host", { authorization: "Bearer t" }],
  ])("reads %s with %j", (text, given, url, headers) => {
    expect(parseAddress(text, given)).toEqual({ url, headers });
  });

  it.each([
    ["localhost:8080", []],
    ["ftp://host", []],
    ["http://host", ["Authorization"]],
    ["http://host", ["a b: c"]],
    ["http://a%:secret@host", []],
  ])("refuses %s with %j", (text, headers) => {
    expect(() => parseAddress(text, headers)).toThrow(AddressProblem);
  });

  it("does not quote credentials that it cannot decode", () => {
    expect(() => parseAddress("http://a:secret%@host", [])).toThrow(/^(?!.*secret)/);
  });
});

describe("networkProblem", () => {
  it("describes fetch's error codes in words", async () => {
    const error = await fetch("http://no-such-host.invalid").catch((thrown: unknown) => thrown);

    expect(networkProblem(error)).toMatch(/^(?:there is no such host|the host's name cannot be resolved)/);
    expect(networkProblem(Object.assign(new Error("odd"), { code: "EODD" }))).toBe("odd");
  });
});

describe("callRegistry", () => {
  it("sends the address's headers and its own headers", async () => {
    const seen: object[] = [];
    const server = createServer((incoming, outgoing) => {
      seen.push({ url: incoming.url, user: incoming.headers.authorization, type: incoming.headers["content-type"] });
      outgoing.end("{}");
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;

    await callRegistry(parseAddress(`http://a:b@127.0.0.1:${port}`, []), "/backup", {
      method: "POST",
      headers: { "Content-Type": "application/gzip" },
      body: "x",
    });
    server.close();

    expect(seen).toEqual([{ url: "/api/v1/backup", user: `Basic ${btoa("a:b")}`, type: "application/gzip" }]);
  });
});
