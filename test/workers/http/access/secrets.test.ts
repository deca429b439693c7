import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Bindings } from "../../../../workers/edge.ts";
import { GuardedRegistry } from "../../../support/guarded-registry.ts";

const METHODS = ["debug", "log", "info", "warn", "error"] as const;

afterEach(() => {
  vi.restoreAllMocks();
});

describe("logs and errors", () => {
  it("hold no part of a credential, whatever is sent and whatever fails", async () => {
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

  it("name the key by its id, so that it can be found and revoked", async () => {
    const lines: string[] = [];
    vi.spyOn(console, "log").mockImplementation((...said: unknown[]) => void lines.push(said.map(String).join(" ")));
    const registry = new GuardedRegistry(env as unknown as Bindings, { REQUEST_LOG: "all" });
    const key = await registry.makeKey([{ role: "reader" }]);

    await registry.call("GET", "/subjects", { key });

    expect(lines.join("\n")).toContain(`"actor":"key:${key.split("_")[2]}"`);
  });
});
