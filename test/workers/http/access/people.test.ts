import { env } from "cloudflare:workers";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { PRIMARY_DEADLINE_MS } from "../../../../durable-objects/primary/client.ts";
import { type LogLine, LogVerifier } from "../../../../tlog/verify.ts";
import type { Bindings } from "../../../../workers/edge.ts";
import { MAX_ERASURES } from "../../../../workers/http/access/admission.ts";
import { GuardedRegistry } from "../../../support/guarded-registry.ts";
import { distantPrimaries, readSlowly } from "../../../support/slow-reader.ts";

const ISSUER = "https://id.example.com/";
type Line = { kind: string; [field: string]: unknown };

let registry: GuardedRegistry;
let privateKey: Awaited<ReturnType<typeof generateKeyPair>>["privateKey"];

beforeAll(async () => {
  const pair = await generateKeyPair("ES256", { extractable: true });
  privateKey = pair.privateKey;
  const keys = [{ ...(await exportJWK(pair.publicKey)), kid: "k", alg: "ES256" }];
  vi.spyOn(globalThis, "fetch").mockImplementation(async () => Response.json({ keys }));
  const issuer = { issuer: ISSUER, audience: "registry", jwks_uri: `${ISSUER}keys`, roles: { admins: "admin" } };
  const bindings = env as unknown as Bindings;
  const vars = { OIDC_ISSUERS: JSON.stringify([issuer]), PRIMARIES: distantPrimaries(bindings.PRIMARIES) };
  registry = new GuardedRegistry(bindings, vars);
});
afterAll(() => {
  vi.restoreAllMocks();
});

/** A new isolate, as after the minute for which a credential is remembered. */
async function signIn(subject: string): Promise<{ token: string; actor: string }> {
  registry.restart();
  const claims = { roles: ["admins"], name: `Name of ${subject}`, email: `${subject}@example.com` };
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: "ES256", kid: "k" })
    .setIssuer(ISSUER)
    .setAudience("registry")
    .setSubject(subject)
    .setExpirationTime(Math.floor(registry.clock.now() / 1_000) + 600)
    .sign(privateKey);
  const { status, body, text } = await registry.call("GET", "/api/v1/me", { key: token });
  expect(status, text).toBe(200);
  return { token, actor: body.actor as string };
}

async function linesOf(actor: string): Promise<Line[]> {
  const { status, text } = await registry.call("GET", `/api/v1/people/${actor}/export`, { key: registry.admin });
  expect(status, text).toBe(200);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
}

async function withHistory(subject: string) {
  const person = await signIn(subject);
  const schema = { subject: `of-${subject}`, format: "avro", content: { type: "record", name: "A", fields: [] } };
  const { status } = await registry.call("POST", "/api/v1/schemas", { key: person.token, body: schema });
  expect(status).toBe(201);
  const grants = { key: registry.admin, body: { grants: [{ role: "reader" }] } };
  await registry.call("PUT", `/api/v1/grants/${encodeURIComponent(`user:${subject}`)}`, grants);
  return person;
}

function erase(actor: string, headers: Record<string, string> = {}) {
  return registry.call("DELETE", `/api/v1/people/${actor}`, { key: registry.admin, headers });
}

describe("GET /people/{actor}/export", () => {
  it("gives a person all of their own data, and nothing about others", async () => {
    const { actor } = await withHistory("ana");
    await withHistory("ben");

    const lines = await linesOf(actor);

    expect(lines[0]).toMatchObject({ kind: "person", actor, issuer: ISSUER, subject: "ana", erased_at: null });
    expect(lines[1]).toMatchObject({ kind: "grants", principal: "user:ana" });
    const [entry] = lines.filter(({ kind }) => kind === "entry");
    expect(entry).toMatchObject({ type: "schema.registered", subject: "of-ana", payload: { v: expect.anything() } });
    expect(JSON.stringify(lines)).not.toMatch(/ben/);
  });

  it("continues as long as the client reads, however slowly", async () => {
    const { actor, token } = await signIn("kim");
    const content = { type: "record", name: "A", fields: [] };
    for (let set = 0; set < 6; set += 1) {
      const changes = Array.from({ length: 200 }, (_, index) => ({
        operation: "register",
        subject: `kim-${set}-${index}`,
        format: "avro",
        content,
      }));
      const made = await registry.call("POST", "/api/v1/change-sets", { key: token, body: { changes } });
      expect(made.status, made.text).toBe(200);
    }
    const response = await registry.fetch("GET", `/api/v1/people/${actor}/export`, { key: registry.admin });

    const text = await readSlowly(response.body!, 2 * PRIMARY_DEADLINE_MS);

    expect(text.split("\n").filter((line) => line.includes('"kind":"entry"')).length).toBeGreaterThan(1_200);
  });

  it("is 404 for an unknown pseudonym, and for another tenant", async () => {
    const { actor } = await signIn("ann");
    const { admin } = await registry.makeTenant();

    const unknown = await registry.call("GET", `/api/v1/people/user:${"0".repeat(32)}/export`, { key: registry.admin });
    const foreign = await registry.call("GET", `/api/v1/people/${actor}/export`, { key: admin });

    expect([unknown.status, foreign.status]).toEqual([404, 404]);
  });
});

describe("DELETE /people/{actor}", () => {
  it("destroys who is behind the pseudonym, and leaves the log verifiable", async () => {
    const { actor } = await withHistory("cleo");
    const before = await logOf();

    const { status, body } = await erase(actor);

    expect(status).toBe(200);
    expect(body).toEqual({
      actor,
      issuer: null,
      subject: null,
      name: null,
      last_seen_at: null,
      erased_at: expect.stringMatching(/^20/),
    });
    const lines = await linesOf(actor);
    expect(lines[0]).toMatchObject({ kind: "person", actor, name: null, erased_at: body.erased_at });
    expect(lines.filter(({ kind }) => kind === "entry")).toHaveLength(1);
    const changes = await registry.call("GET", "/api/v1/access/changes?limit=1000", { key: registry.admin });
    const grants = await registry.call("GET", "/api/v1/grants?limit=1000", { key: registry.admin });
    const people = await registry.call("GET", "/api/v1/people?limit=1000", { key: registry.admin });
    const named = [JSON.stringify(lines[0]), changes.text, grants.text, people.text].join();
    expect(named).not.toMatch(/user:cleo|Name of cleo|cleo@/);
    expect(changes.text).toContain("person.erased");
    const after = await logOf();
    expect(after.slice(0, before.length)).toEqual(before);
    const verifier = new LogVerifier([]);
    for (const entry of after) expect(verifier.add(entry)).toBeUndefined();
    expect(verifier.finish()).toBeUndefined();
  });

  it("changes nothing the second time, and answers a repeat as the first time", async () => {
    const { actor } = await withHistory("dora");
    const first = await erase(actor, { "Idempotency-Key": "once" });

    expect((await erase(actor, { "Idempotency-Key": "once" })).body).toEqual(first.body);
    expect((await erase(actor)).body).toEqual(first.body);
  });

  it("gives an erased user who signs in again a new pseudonym without the grants", async () => {
    const { actor } = await withHistory("eve");
    await erase(actor);

    const again = await signIn("eve");

    expect(again.actor).not.toBe(actor);
    expect((await linesOf(again.actor)).filter(({ kind }) => kind !== "person")).toEqual([]);
    expect((await linesOf(actor))[0]).toMatchObject({ subject: null });
  });

  it(`lets in a person who was erased ${MAX_ERASURES} times, and not after one more`, async () => {
    for (let time = 0; time < MAX_ERASURES; time += 1) await erase((await signIn("fay")).actor);
    const last = await signIn("fay");
    expect((await erase(last.actor)).status).toBe(200);
    registry.restart();

    expect((await registry.call("GET", "/api/v1/me", { key: last.token })).status).toBe(401);
  });

  it("is refused to those who may not administer users", async () => {
    const { actor } = await signIn("gil");
    const key = await registry.makeKey([{ role: "developer" }]);

    expect((await registry.call("DELETE", `/api/v1/people/${actor}`, { key })).status).toBe(403);
  });
});

async function logOf(): Promise<LogLine[]> {
  const { body } = await registry.call("GET", "/api/v1/log?after=0&limit=500", { key: registry.admin });
  return body.items as LogLine[];
}
