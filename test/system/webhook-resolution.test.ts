import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  MAX_RESOLUTION_BYTES,
  parseResolver,
  RESOLUTION_FRESH_MS,
  Resolution,
} from "../../durable-objects/webhooks/resolution.ts";
import { sendUntilAnswered } from "../support/native-client.ts";
import { freePort, type RegistryProcess, spawnRegistry, temporaryState } from "../support/registry-process.ts";

type DnsRecord = { name: string; type: number; TTL: number; data: string };
type Question = { name: string; type: number };
type Reaction = (question: Question, response: ServerResponse, request: IncomingMessage) => void;

const TYPES: Readonly<Record<string, number>> = { A: 1, AAAA: 28 };
const PUBLIC = "8.8.4.4";
const PUBLIC_IPV6 = "2606:4700:4700::1111";

/** A DNS-over-HTTPS server with JSON answers, in the form of https://developers.cloudflare.com/1.1.1.1/encryption/dns-over-https/make-api-requests/dns-json/. */
class DnsServer {
  asked: Question[] = [];
  reaction: Reaction = answering([]);
  readonly #server: Server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, "http://dns.test");
    const question = { name: searchParams.get("name") ?? "", type: TYPES[searchParams.get("type") ?? ""] ?? 0 };
    if (pathname !== "/dns-query" || request.headers.accept !== "application/dns-json") {
      response.writeHead(415).end();
      return;
    }
    this.asked.push(question);
    this.reaction(question, response, request);
  });

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/dns-query`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** Records of both types; a question gets those of its own type, and every alias. */
function answering(records: readonly (readonly [type: number, data: string])[], more: object = {}): Reaction {
  return ({ name, type }, response) => {
    const answer = records
      .filter(([own]) => own === type || own === 5)
      .map(([own, data]): DnsRecord => ({ name, type: own, TTL: 60, data }));
    const body = {
      Status: 0,
      TC: false,
      RD: true,
      RA: true,
      AD: false,
      CD: false,
      Question: [{ name, type }],
      ...(answer.length === 0 ? {} : { Answer: answer }),
      ...more,
    };
    response.writeHead(200, { "Content-Type": "application/dns-json" }).end(JSON.stringify(body));
  };
}

const dns = new DnsServer();
beforeAll(() => dns.listen());
afterAll(() => dns.close());
beforeEach(() => {
  dns.asked = [];
  dns.reaction = answering([]);
});

let now = 0;
const problemOf = (host: string, resolution = new Resolution()) =>
  resolution.problem(`https://${host}/hook`, dns.address, { send: (url, init) => fetch(url, init), nowMs: now });

describe("the resolution of a webhook's host", () => {
  it.each<[string, readonly [number, string][]]>([
    ["an IPv4 address", [[1, PUBLIC]]],
    ["an IPv6 address", [[28, PUBLIC_IPV6]]],
    [
      "both, behind an alias",
      [
        [5, "edge.acme.dev."],
        [1, PUBLIC],
        [28, PUBLIC_IPV6],
      ],
    ],
  ])("finds no problem in %s that is public, and asks for both types", async (_what, records) => {
    dns.reaction = answering(records);

    expect(await problemOf("hooks.acme.dev")).toBeUndefined();
    expect(dns.asked.map(({ name, type }) => `${name} ${type}`).sort()).toEqual([
      "hooks.acme.dev 1",
      "hooks.acme.dev 28",
    ]);
  });

  it.each([
    [1, "127.0.0.1"],
    [1, "10.1.2.3"],
    [1, "172.16.0.1"],
    [1, "192.168.1.1"],
    [1, "169.254.169.254"],
    [1, "100.64.0.1"],
    [1, "0.0.0.0"],
    [1, "224.0.0.1"],
    [1, "255.255.255.255"],
    [28, "::1"],
    [28, "::"],
    [28, "fe80::1"],
    [28, "fc00::1"],
    [28, "fd12:3456::1"],
    [28, "::ffff:10.0.0.1"],
    [28, "::ffff:7f00:1"],
    [28, "::10.0.0.1"],
    [28, "64:ff9b::a00:1"],
    [28, "2002:a00:1::1"],
    [28, "2001:db8::1"],
    [28, "ff02::1"],
    [1, "not an address"],
    [28, "fe80::1%eth0"],
  ])("refuses type %i with %s, also next to a public address", async (type, address) => {
    dns.reaction = answering([
      [1, PUBLIC],
      [28, PUBLIC_IPV6],
      [type, address],
    ]);

    expect(await problemOf("hooks.acme.dev")).toBe(
      `hooks.acme.dev resolves to ${address}, which is not a public address.`,
    );
  });

  it.each<[string, Reaction, RegExp]>([
    ["does not exist", answering([], { Status: 3 }), /has no address/],
    ["has no address", answering([]), /has no address/],
    ["its servers fail for", answering([[1, PUBLIC]], { Status: 2 }), /could not be resolved: .*code 2/],
    ["is refused", answering([[1, PUBLIC]], { Status: 5 }), /could not be resolved: .*code 5/],
    ["was answered in part", answering([[1, PUBLIC]], { TC: true }), /could not be resolved/],
    ["the resolver fails for", (_q, response) => response.writeHead(503).end("busy"), /answers 503/],
    [
      "the resolver redirects",
      (_q, response) => response.writeHead(302, { Location: "http://127.0.0.1:1/" }).end(),
      /answers 302/,
    ],
    ["is answered as a page", (_q, response) => response.writeHead(200).end("<html>"), /is not JSON/],
    ["is answered with null", (_q, response) => response.writeHead(200).end("null"), /is not JSON/],
    ["is answered with text", answering([], { Answer: "8.8.8.8" }), /not a list/],
    [
      "is answered without end",
      (_q, response) => response.writeHead(200).end("x".repeat(MAX_RESOLUTION_BYTES + 1)),
      /larger than 65536 bytes/,
    ],
    ["breaks the connection", (_q, _response, request) => request.socket.destroy(), /could not be resolved/],
    ["is never answered", () => undefined, /no answer within 3 s/],
    [
      "is answered for IPv4 alone",
      (question, response, request) =>
        question.type === 1 ? answering([[1, PUBLIC]])(question, response, request) : response.writeHead(500).end(),
      /answers 500/,
    ],
  ])("refuses a name that %s", async (_what, reaction, said) => {
    dns.reaction = reaction;

    expect(await problemOf("hooks.acme.dev")).toMatch(said);
  });

  it("accepts the largest answer", async () => {
    dns.reaction = (question, response) => {
      const text = JSON.stringify({
        Status: 0,
        Answer: [{ type: question.type, data: question.type === 1 ? PUBLIC : PUBLIC_IPV6 }],
      });
      response.writeHead(200).end(text.padEnd(MAX_RESOLUTION_BYTES));
    };

    expect(await problemOf("hooks.acme.dev")).toBeUndefined();
  });

  it("does not resolve addresses, which were checked literally", async () => {
    expect(await problemOf(PUBLIC)).toBeUndefined();
    expect(await problemOf(`[${PUBLIC_IPV6}]`)).toBeUndefined();
    expect(dns.asked).toEqual([]);
  });

  it("asks again after half a minute, so that a name that moves is noticed", async () => {
    const resolution = new Resolution();
    dns.reaction = answering([[1, PUBLIC]]);
    expect(await problemOf("hooks.acme.dev", resolution)).toBeUndefined();
    dns.reaction = answering([[1, "10.0.0.1"]]);

    now += RESOLUTION_FRESH_MS - 1;
    const before = await problemOf("hooks.acme.dev", resolution);
    now += 1;
    const after = await problemOf("hooks.acme.dev", resolution);

    expect(before).toBeUndefined();
    expect(after).toContain("10.0.0.1");
  });

  it("forgets a failure of the resolver at once", async () => {
    const resolution = new Resolution();
    dns.reaction = (_question, response) => response.writeHead(500).end();
    expect(await problemOf("hooks.acme.dev", resolution)).toContain("500");
    dns.reaction = answering([[1, PUBLIC]]);

    expect(await problemOf("hooks.acme.dev", resolution)).toBeUndefined();
  });
});

describe("parseResolver", () => {
  it.each(["https://cloudflare-dns.com/dns-query", "http://127.0.0.1:9053/dns-query", "http://localhost/x"])(
    "accepts %s",
    (address) => {
      expect(parseResolver(address)).toBe(address);
    },
  );

  it.each(["cloudflare-dns.com", "http://dns.acme.dev/", "https://dns.acme.dev/?a=b", "ftp://127.0.0.1/"])(
    "refuses %s",
    (address) => {
      expect(() => parseResolver(address)).toThrow("WEBHOOK_RESOLVER");
    },
  );

  it("does without", () => {
    expect([parseResolver(undefined), parseResolver("")]).toEqual([undefined, undefined]);
  });
});

describe("a registry with WEBHOOK_RESOLVER", () => {
  const state = temporaryState();
  let registry: RegistryProcess;

  beforeAll(async () => {
    registry = spawnRegistry({
      port: await freePort(),
      stateDir: state.stateDir,
      args: ["--no-database"],
      env: { WEBHOOK_RESOLVER: dns.address },
    });
    await registry.ready();
  });

  afterAll(async () => {
    await registry.stop();
    state.remove();
  });

  it("sends nothing to a name that resolves to a private address, and says why", async () => {
    dns.reaction = answering([[1, "169.254.169.254"]]);
    const created = await sendUntilAnswered(registry.url, "POST", "/webhooks", { url: "https://hooks.acme.dev/in" });
    const { id } = created.body as { id: string };

    const tested = await sendUntilAnswered(registry.url, "POST", `/webhooks/${id}/test`);

    expect(dns.asked.map(({ name }) => name)).toContain("hooks.acme.dev");
    expect(JSON.stringify(tested.body)).toContain(
      "Not sent: hooks.acme.dev resolves to 169.254.169.254, which is not a public address.",
    );
  });
});
