import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Bindings } from "../../../../workers/edge.ts";
import { confluentRoutes } from "../../../../workers/http/confluent/routes.ts";
import { nativeRoutes } from "../../../../workers/http/native/routes.ts";
import { rootRoutes } from "../../../../workers/http/service.ts";
import { GuardedRegistry } from "../../../support/guarded-registry.ts";

const METHODS = ["debug", "log", "info", "warn", "error"] as const;

/** A binding of which every call fails. */
function failing(name: string): never {
  const fail = () => {
    throw new Error(`${name} failed.`);
  };
  return new Proxy({}, { get: () => fail }) as never;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("logs and errors", () => {
  it("hold no part of a credential, for any request and any failure", async () => {
    const lines: string[] = [];
    for (const method of METHODS) {
      vi.spyOn(console, method).mockImplementation((...said: unknown[]) => void lines.push(said.map(String).join(" ")));
    }
    const registry = new GuardedRegistry(env as unknown as Bindings, { REQUEST_LOG: "all" });
    const key = await registry.makeKey([{ role: "reader" }]);
    const secret = key.split("_")[3]!;
    const token = `${btoa('{"alg":"none"}').replace(/=/g, "")}.${btoa('{"iss":"x","sub":"tokensecret"}').replace(/=/g, "")}.signature`;
    const password = "hunter2-password";
    const answers: string[] = [];
    const basic = (user: string, pass: string) => ({ Authorization: `Basic ${btoa(`${user}:${pass}`)}` });

    for (const headers of [
      { Authorization: `Bearer ${key}` },
      { Authorization: `Bearer ${key}x` },
      { Authorization: `Bearer ${key.replace("_default_", "_other_")}` },
      { Authorization: `Token ${key}` },
      { Authorization: `Bearer ${token}` },
      { "X-API-Key": `${secret}` },
      { "X-API-Key": key, Authorization: `Bearer ${key}` },
      basic("ana", password),
      basic(key, password),
      basic(key.split("_")[2]!, secret),
    ] as Record<string, string>[]) {
      for (const path of ["/subjects", "/api/v1/subjects/none", "/api/v1/keys", "/nothing", "/subjects/%ff"]) {
        const { text, headers: answered } = await registry.call("GET", path, { headers });
        answers.push(text, JSON.stringify([...answered]));
      }
    }
    const env_ = registry.env as { DIRECTORY: unknown };
    env_.DIRECTORY = { getByName: () => ({ resolveKey: () => Promise.reject(new Error(`lost ${key}`)) }) };
    registry.restart();
    answers.push((await registry.call("GET", "/api/v1/subjects", { key })).text);

    expect(lines.length).toBeGreaterThan(20);
    const hidden = [
      secret,
      password,
      token,
      "tokensecret",
      registry.env.ACCESS_HASH_KEY!,
      registry.env.FIRST_ADMINISTRATOR_KEY!,
    ];
    for (const text of [...lines, ...answers]) for (const part of hidden) expect(text).not.toContain(part);
  });

  it.each([
    ["answers", {}],
    [
      "fails",
      {
        PRIMARIES: failing("PRIMARIES"),
        DIRECTORY: failing("DIRECTORY"),
        CACHE: failing("CACHE"),
        TEXTS: failing("TEXTS"),
      },
    ],
  ])("hold no secret of the deployment, on any route, when it %s", async (_how, broken) => {
    const said: string[] = [];
    for (const method of METHODS) {
      vi.spyOn(console, method).mockImplementation(
        (...parts: unknown[]) => void said.push(parts.map(String).join(" ")),
      );
    }
    const secrets = {
      WEBHOOK_SIGNING_KEY: btoa("webhook-signing-key-of-32-bytes!"),
      CHECKPOINT_SIGNING_KEYS: btoa("checkpoint-signing-key-32-bytes!"),
      UPSTASH_REDIS_REST_TOKEN: "upstash-token-that-is-secret",
      DATABASE_URL: "postgres://registry:database-password@127.0.0.1:1/registry",
    };
    const registry = new GuardedRegistry(env as unknown as Bindings, {
      ...secrets,
      UPSTASH_REDIS_REST_URL: "http://127.0.0.1:1",
      REQUEST_LOG: "all",
    });
    const made = await registry.call("POST", "/api/v1/keys", {
      key: registry.admin,
      body: { name: "x", grants: [{ role: "reader" }] },
    });
    const text = made.body.key as string;
    Object.assign(registry.env, broken);

    for (const { method, path } of [...rootRoutes, ...nativeRoutes, ...confluentRoutes]) {
      const sent = path.replace("/:context/*", "/a:b/x").replaceAll(/\/:\w+(?:\{[^}]*\})?/g, "/none");
      for (const key of [registry.admin, text, `${text}0`]) {
        const body = method === "GET" || method === "DELETE" ? {} : { body: {} };
        const answer = await registry.call(method, sent, { key, ...body, ip: `198.18.0.${said.length % 250}` });
        said.push(answer.text, JSON.stringify([...answer.headers]));
      }
    }
    await registry.settled();

    const hidden = [
      registry.env.ACCESS_HASH_KEY!,
      registry.env.FIRST_ADMINISTRATOR_KEY!,
      registry.admin.split("_")[3]!,
      text.split("_")[3]!,
      secrets.WEBHOOK_SIGNING_KEY,
      secrets.CHECKPOINT_SIGNING_KEYS,
      secrets.UPSTASH_REDIS_REST_TOKEN,
      "database-password",
    ];
    expect(said.length).toBeGreaterThan(900);
    expect(hidden.filter((secret) => said.some((line) => line.includes(secret)))).toEqual([]);
  });

  it("name the key by its id, so that it can be found and revoked", async () => {
    const lines: string[] = [];
    vi.spyOn(console, "log").mockImplementation((...said: unknown[]) => void lines.push(said.map(String).join(" ")));
    const registry = new GuardedRegistry(env as unknown as Bindings, { REQUEST_LOG: "all" });
    const key = await registry.makeKey([{ role: "reader" }]);

    await registry.call("GET", "/subjects", { key });

    expect(lines.join("\n")).toContain(`"actor":"key:${key.split("_")[2]}"`);
  });
});
