import type { Server } from "node:http";
import { exportJWK, generateKeyPair } from "jose";
import Provider from "oidc-provider";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeFirstKey, makeHashKey } from "../../scripts/access-vars.ts";
import { freePort, type RegistryProcess, spawnRegistry, temporaryState } from "../support/registry-process.ts";

/** A real issuer on this machine. What its tokens say is what a test's client is called. */
describe("tokens of a real OIDC issuer", () => {
  const state = temporaryState();
  let registry: RegistryProcess;
  let issuer: string;
  let server: Server;
  let adminKey: string;

  beforeAll(async () => {
    const port = await freePort();
    issuer = `http://127.0.0.1:${port}`;
    const { privateKey } = await generateKeyPair("ES256", { extractable: true });
    const client = (id: string) => ({
      client_id: id,
      client_secret: `${id}-secret`,
      grant_types: ["client_credentials"],
      id_token_signed_response_alg: "ES256",
      redirect_uris: [],
      response_types: [],
    });
    const provider = new Provider(issuer, {
      clients: ["engineers", "platform", "platform-mfa", "tea"].map(client),
      jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: "k1", alg: "ES256", use: "sig" }] },
      features: {
        clientCredentials: { enabled: true },
        devInteractions: { enabled: false },
        resourceIndicators: {
          enabled: true,
          defaultResource: () => "urn:registry",
          getResourceServerInfo: (_ctx: unknown, resource: string) => ({
            scope: "",
            audience: resource === "urn:registry" ? "registry" : "somebody else",
            accessTokenFormat: "jwt",
            jwt: { sign: { alg: "ES256" } },
          }),
        },
      },
      extraTokenClaims: (_ctx: unknown, token: { clientId?: string }) => ({
        groups: [String(token.clientId).replace("-mfa", "")],
        ...(token.clientId?.endsWith("-mfa") ? { amr: ["mfa"] } : {}),
      }),
    } as never);
    server = provider.listen(port, "127.0.0.1");

    const hashKey = makeHashKey();
    const { key, kept } = makeFirstKey(hashKey);
    adminKey = key;
    const issuers = [
      {
        issuer,
        audience: "registry",
        roles_claim: "groups",
        roles: { engineers: "developer", platform: "admin" },
        administrators_need: { amr: ["mfa"] },
      },
    ];
    registry = spawnRegistry({
      port: await freePort(),
      stateDir: state.stateDir,
      args: ["--no-database"],
      env: {
        AUTH: "required",
        ACCESS_HASH_KEY: hashKey,
        FIRST_ADMINISTRATOR_KEY: kept,
        OIDC_ISSUERS: JSON.stringify(issuers),
      },
    });
    await registry.ready();
  });

  afterAll(async () => {
    await registry?.kill();
    server?.close();
    state.remove();
  });

  async function tokenOf(client: string, resource?: string): Promise<string> {
    const response = await fetch(`${issuer}/token`, {
      method: "POST",
      headers: { Authorization: `Basic ${Buffer.from(`${client}:${client}-secret`).toString("base64")}` },
      body: new URLSearchParams({ grant_type: "client_credentials", ...(resource === undefined ? {} : { resource }) }),
    });
    const { access_token: token, ...rest } = (await response.json()) as { access_token?: string };
    if (token === undefined) throw new Error(JSON.stringify(rest));
    return token;
  }

  const call = (path: string, token: string, init: RequestInit = {}) =>
    fetch(`${registry.url}${path}`, {
      ...init,
      headers: { Authorization: `Bearer ${token}`, ...(init.body ? { "Content-Type": "application/json" } : {}) },
    });

  it("give the roles that the settings map from their groups", async () => {
    const me = await (await call("/api/v1/me", await tokenOf("engineers"))).json();

    expect(me).toMatchObject({ tenant: "default", type: "token", actor: expect.stringMatching(/^user:[0-9a-f]{32}$/) });
    expect((me as { permissions: string[] }).permissions).toContain("schema:delete");
    expect((me as { permissions: string[] }).permissions).not.toContain("admin:users");
  });

  it("cannot administer without a second factor", async () => {
    const body = JSON.stringify({ name: "by token", grants: [{ role: "reader" }] });
    const create = async (client: string) => call("/api/v1/keys", await tokenOf(client), { method: "POST", body });

    const refused = await create("platform");
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain("mfa");
    expect((await create("platform-mfa")).status).toBe(201);
  });

  it("get their group's grants within a minute and without a deployment", async () => {
    const before = await call("/subjects", await tokenOf("tea"));
    const granted = await fetch(`${registry.url}/api/v1/grants/group:tea`, {
      method: "PUT",
      headers: { "X-API-Key": adminKey, "Content-Type": "application/json" },
      body: JSON.stringify({ grants: [{ role: "reader" }] }),
    });

    expect(before.status).toBe(403);
    expect(granted.status).toBe(200);
    expect((await call("/subjects", await tokenOf("tea"))).status).toBe(200);
  });

  it("are refused for another audience, and changed by one character", async () => {
    const token = await tokenOf("engineers");
    const other = await tokenOf("engineers", "urn:other");
    const [head, body, signature] = token.split(".") as [string, string, string];
    const flipped = `${signature.slice(0, 10)}${signature[10] === "A" ? "B" : "A"}${signature.slice(11)}`;

    expect((await call("/subjects", token)).status).toBe(200);
    expect((await call("/subjects", other)).status).toBe(401);
    expect((await call("/subjects", [head, body, flipped].join("."))).status).toBe(401);
  });
});
