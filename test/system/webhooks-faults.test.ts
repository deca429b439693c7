import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { build } from "esbuild";
import { afterAll, describe, expect, it } from "vitest";
import { type Runtime, startRuntime } from "../../scripts/runtime.ts";
import { seededRandom } from "../support/clock.ts";
import { logOf, sendUntilAnswered } from "../support/native-client.ts";
import {
  eventually,
  freePort,
  type RegistryProcess,
  spawnRegistry,
  temporaryState,
} from "../support/registry-process.ts";
import { BEHAVIOURS, WebhookServer } from "../support/webhook-endpoint.ts";

const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 6);
const SEED = Number(process.env.FAULT_SEED ?? Date.now() % 1_000_000);
const ROUND_MS = { least: 200, most: 1_500 };
const WRITES_PER_ROUND = 6;
const SIGNING_KEY = Buffer.alloc(32, "test").toString("base64");

const SCHEMA = (name: string) => ({ type: "record", name: "Order", fields: [{ name, type: "string" }] });

async function expectOk(answer: Promise<{ status: number; body: unknown }>): Promise<Record<string, unknown>> {
  const { status, body } = await answer;
  expect(status, JSON.stringify(body)).toBeLessThan(300);
  return body as Record<string, unknown>;
}

/** The event ids of every registration in the log. */
async function registeredIds(url: string): Promise<string[]> {
  const headers = (await logOf(url)).map(({ header }) => JSON.parse(header) as { type: string; seq: number });
  return headers.filter(({ type }) => type === "schema.registered").map(({ seq }) => `1.${seq}`);
}

describe(`SIGKILL while webhooks are sent (${ROUNDS} rounds, FAULT_SEED=${SEED})`, () => {
  const random = seededRandom(SEED);
  const state = temporaryState();
  let server: WebhookServer | undefined;
  let registry: RegistryProcess | undefined;

  afterAll(async () => {
    delete process.env.WEBHOOK_ALLOWED_ORIGINS;
    await registry?.kill();
    server?.close();
    state.remove();
  });

  it(
    "sends every logged event at least once, and nothing that was not logged",
    async () => {
      // A third of all requests are lost before or after they are accepted.
      server = await WebhookServer.listen((response, request) => {
        const chance = random();
        if (chance < 0.15) request.socket.destroy();
        else if (chance < 0.3) response.writeHead(503).end();
        else setTimeout(() => response.writeHead(204).end(), Math.floor(random() * 50));
      });
      process.env.WEBHOOK_ALLOWED_ORIGINS = server.origin;
      const port = await freePort();
      const start = () => spawnRegistry({ port, stateDir: state.stateDir, args: ["--no-database"] });
      registry = start();
      await registry.ready();
      const { url } = registry;
      await expectOk(sendUntilAnswered(url, "POST", "/webhooks", { url: server.origin, types: ["schema.*"] }));

      for (let round = 0; round < ROUNDS; round += 1) {
        const writes = Array.from({ length: WRITES_PER_ROUND }, (_, index) => ({
          subject: `s${round}-${index}`,
          format: "avro",
          content: SCHEMA(`f${round}_${index}`),
        }));
        const writing = Promise.all(
          writes.map((body) => sendUntilAnswered(url, "POST", "/schemas", body, `key-${body.subject}`)),
        );
        await pause(ROUND_MS.least + random() * (ROUND_MS.most - ROUND_MS.least));
        await registry.kill();
        registry = start();
        await registry.ready();
        for (const { status } of await writing) expect(status).toBeLessThan(300);
      }
      server.behaviour = BEHAVIOURS.takes;
      const expected = await registeredIds(url);

      const all = await eventually(() => server!.eventIds().length >= expected.length, 90_000);

      expect(server.eventIds()).toEqual(expected);
      expect(all).toBe(true);
      // Resent under the same id.
      const idsByEvent = new Map<string, Set<string>>();
      for (const { headers, body } of server.arrived) {
        const event = (JSON.parse(body) as { id: string }).id;
        idsByEvent.set(event, (idsByEvent.get(event) ?? new Set()).add(headers["webhook-id"]!));
      }
      for (const [event, ids] of idsByEvent) expect([...ids], event).toHaveLength(1);
    },
    60_000 + ROUNDS * 20_000,
  );
});

/**
 * Five failures open the circuit; probes follow after half a minute, one, two, four, eight and sixteen, and the next
 * one falls after the hour.
 */
const ATTEMPTS_IN_AN_HOUR = 5 + 6;
const STEP_MS = 10_000;
const HOUR_MS = 60 * 60 * 1_000;

describe("endpoints that answer 500, hang or hang up for an hour", () => {
  const state = temporaryState();
  const distDir = mkdtempSync(join(tmpdir(), "registry-webhooks-"));
  const servers: WebhookServer[] = [];
  let runtime: Runtime | undefined;

  afterAll(async () => {
    await runtime?.dispose();
    for (const server of servers) server.close();
    rmSync(distDir, { recursive: true, force: true });
    state.remove();
  });

  it("are spared meanwhile, receive everything once they recover, and do not delay the others", async () => {
    await build({
      entryPoints: ["test/system/webhooks-worker.ts"],
      outfile: join(distDir, "index.js"),
      bundle: true,
      format: "esm",
      target: "es2024",
      conditions: ["workerd", "worker", "browser"],
      external: ["cloudflare:workers", "cloudflare:sockets", "node:*"],
      logLevel: "error",
    });
    for (const behaviour of [BEHAVIOURS.fails, BEHAVIOURS.hangs, BEHAVIOURS.closesAtOnce, BEHAVIOURS.takes]) {
      servers.push(await WebhookServer.listen(behaviour));
    }
    const good = servers.at(-1)!;
    const bad = servers.slice(0, -1);
    const port = await freePort();
    runtime = await startRuntime({
      host: "127.0.0.1",
      port,
      stateDir: state.stateDir,
      distDir,
      vars: {
        WEBHOOK_SIGNING_KEY: SIGNING_KEY,
        WEBHOOK_ALLOWED_ORIGINS: servers.map(({ origin }) => origin).join(","),
      },
    });
    const url = `http://127.0.0.1:${port}`;
    const ids: unknown[] = [];
    for (const server of servers) {
      const { id } = await expectOk(sendUntilAnswered(url, "POST", "/webhooks", hook(server)));
      ids.push(id);
    }
    const pass = async (ms: number) => {
      const response = await fetch(`${url}/clock?ms=${ms}`, { method: "POST" });
      expect(response.status).toBe(204);
    };
    const readHealths = async () => {
      const read = ids.slice(0, -1).map((id) => expectOk(sendUntilAnswered(url, "GET", `/webhooks/${id}`)));
      return (await Promise.all(read)).map(({ health }) => health as { circuit: string });
    };

    const events = 40;
    for (let index = 0; index < events; index += 1) {
      const body = { subject: `s${index}`, format: "avro", content: SCHEMA(`f${index}`) };
      await expectOk(sendUntilAnswered(url, "POST", "/schemas", body));
    }
    const expected = await registeredIds(url);
    // No time passes, so nothing is retried: the good endpoint was not delayed by the others.
    const reachedGood = await eventually(() => good.eventIds().length === events, 60_000);
    const opened = await eventually(
      async () => (await readHealths()).every(({ circuit }) => circuit === "open"),
      60_000,
    );
    for (let passedMs = 0; passedMs < HOUR_MS; passedMs += STEP_MS) await pass(STEP_MS);
    const attempts = bad.map(({ arrived }) => arrived.length);
    const healths = await readHealths();
    for (const server of bad) {
      server.arrived.length = 0;
      server.behaviour = BEHAVIOURS.takes;
    }
    const haveAll = () => bad.every((server) => server.eventIds().length === events);
    for (let passedMs = 0; passedMs < HOUR_MS && !haveAll(); passedMs += STEP_MS) await pass(STEP_MS);

    expect(reachedGood).toBe(true);
    expect(opened).toBe(true);
    for (const health of healths) {
      expect(health).toMatchObject({ circuit: expect.stringMatching(/open/), pending: events, dead: 0 });
    }
    expect(attempts).toEqual(bad.map(() => ATTEMPTS_IN_AN_HOUR));
    for (const server of servers) expect(server.eventIds()).toEqual(expected);
    expect(good.arrived).toHaveLength(events);
  }, 300_000);
});

function hook({ origin }: WebhookServer) {
  return { url: `${origin}/hook`, types: ["schema.*"] };
}
