import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { EventReader } from "../support/event-source.ts";
import { FeedFollower } from "../support/feed-follower.ts";
import { send } from "../support/native-client.ts";
import {
  eventually,
  freePort,
  type RegistryProcess,
  spawnRegistry,
  temporaryState,
} from "../support/registry-process.ts";

const FOLLOWERS = 100;
const KILLS = 3;
const WRITERS = 4;

const running: { registry: RegistryProcess; remove(): void }[] = [];

afterEach(async () => {
  for (const { registry, remove } of running.splice(0)) {
    await registry.kill();
    remove();
  }
});

describe("the change feed of a served registry", () => {
  it("misses nothing and repeats nothing over reconnect storms, each after a SIGKILL during writes", async () => {
    const { stateDir, remove } = temporaryState();
    const port = await freePort();
    let registry = spawnRegistry({ port, stateDir });
    running.push({ registry, remove });
    await registry.ready();
    const followers = Array.from({ length: FOLLOWERS }, () => new FeedFollower(registry.url, 0));
    const acknowledged = new Set<number>();
    let writing = true;
    const writers = Array.from({ length: WRITERS }, async (_, writer) => {
      for (let n = 0; writing; n += 1) {
        const seq = await write(registry.url, `subject-${writer}`, n);
        if (seq !== undefined) acknowledged.add(seq);
        await pause(10);
      }
    });

    for (let round = 0; round < KILLS; round += 1) {
      await pause(1_500);
      await registry.kill();
      registry = spawnRegistry({ port, stateDir });
      running[0]!.registry = registry;
      await registry.ready();
    }
    await pause(1_000);
    writing = false;
    await Promise.all(writers);

    const last = Math.max(...acknowledged);
    const came = await eventually(() => followers.every(({ seqs }) => (seqs.at(-1) ?? 0) >= last), 60_000);
    for (const follower of followers) follower.stop();
    expect(came, `${followers.filter(({ seqs }) => (seqs.at(-1) ?? 0) < last).length} never got to ${last}`).toBe(true);
    const everySeq = Array.from({ length: last }, (_, n) => n + 1);
    for (const { seqs } of followers) expect(seqs.slice(0, last)).toEqual(everySeq);
    expect(Math.min(...followers.map(({ connections }) => connections))).toBeGreaterThanOrEqual(KILLS + 1);
    expect(acknowledged.size).toBeGreaterThan(50);
  });

  it("delivers to many subscribers, each by its filter", async () => {
    const url = await startedRegistry();
    const all = Array.from({ length: 150 }, () => new FeedFollower(url, 0));
    const some = Array.from({ length: 150 }, () => new FeedFollower(url, 0, "subjects=orders-*,*-eu&types=schema.*"));

    const wanted: number[] = [];
    for (let n = 0; n < 30; n += 1) {
      const subject = ["orders-us", "stock", "stock-eu"][n % 3]!;
      const seq = await write(url, subject, n);
      if (subject !== "stock") wanted.push(seq!);
    }

    await eventually(() => all.every(({ seqs }) => seqs.length === 30) && some.every(({ seqs }) => seqs.length === 20));
    for (const follower of [...all, ...some]) follower.stop();
    for (const { seqs } of all) expect(seqs).toHaveLength(30);
    for (const { seqs } of some) expect(seqs).toEqual(wanted);
  });

  it("streams over HTTP, and resumes after Last-Event-ID when the server was killed", async () => {
    const { stateDir, remove } = temporaryState();
    const port = await freePort();
    let registry = spawnRegistry({ port, stateDir });
    running.push({ registry, remove });
    await registry.ready();
    const first = new EventReader(await stream(registry.url, "?after=0"));
    for (let n = 0; n < 3; n += 1) await write(registry.url, "orders", n);
    await first.until(() => first.events.length === 3);

    await registry.kill();
    registry = spawnRegistry({ port, stateDir });
    running[0]!.registry = registry;
    await registry.ready();
    await write(registry.url, "orders", 3);
    const second = new EventReader(await stream(registry.url, "?after=0", { "Last-Event-ID": first.lastEventId }));

    await second.until(() => second.events.length === 1);
    expect([...first.seqs, ...second.seqs]).toEqual([1, 2, 3, 4]);
    await second.cancel();
  });

  it("stalls a reader that does not read, and serves all others", async () => {
    const url = await startedRegistry();
    const asleep = await readNothing(url);
    const awake = new FeedFollower(url, 0);

    // More than the sockets buffer themselves.
    const count = 300;
    for (let n = 0; n < count; n += 1) await write(url, `subject-${n}`, n, "d".repeat(15_000));

    await eventually(() => awake.seqs.length === count, 30_000);
    expect(awake.seqs).toHaveLength(count);
    const before = asleep.bytesRead;
    const text = await readTo(asleep, `id: 1.${count}\n`);
    const ids = [...text.matchAll(/^id: 1\.(\d+)\ndata/gm)].map(([, seq]) => Number(seq));
    expect(before).toBeLessThan(4 * 1024 * 1024);
    expect(ids).toEqual(Array.from({ length: count }, (_, n) => n + 1));
    awake.stop();
    asleep.destroy();
  });

  it("answers a ping, and refuses unknown messages with 4400", async () => {
    const url = await startedRegistry();
    const socket = new WebSocket(`${url.replace("http", "ws")}/api/v1/events`);
    const messages: string[] = [];
    socket.on("message", (data: Buffer) => messages.push(data.toString()));
    await once(socket, "open");

    socket.send("ping");
    await eventually(() => messages.length === 2);
    socket.send("x".repeat(100_000));
    const [code] = await once(socket, "close");

    expect(messages).toEqual(['{"control":"started","epoch":1,"after":0,"seq":0}', "pong"]);
    expect(code).toBe(4400);
    expect(socket.extensions).toBe("");
  });
});

async function startedRegistry(): Promise<string> {
  const { stateDir, remove } = temporaryState();
  const registry = spawnRegistry({ port: await freePort(), stateDir });
  running.push({ registry, remove });
  await registry.ready();
  return registry.url;
}

/** The seq of the new version, or undefined if the response was lost. */
async function write(url: string, subject: string, n: number, description?: string): Promise<number | undefined> {
  const fields = [{ name: `field_${n}`, type: "string", default: "" }];
  const content = { type: "record", name: "Event", fields };
  const body = { subject, format: "avro", content, ...(description === undefined ? {} : { description }) };
  const sent = await send(url, "POST", "/schemas", body);
  if ("lost" in sent) return undefined;
  expect(sent.status, JSON.stringify(sent.body)).toBeLessThan(300);
  return (sent.body as { seq: number }).seq;
}

function stream(url: string, search: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/api/v1/events${search}`, { headers: { Accept: "text/event-stream", ...headers } });
}

/** A socket that has requested the whole stream and reads nothing of it. */
async function readNothing(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  socket.pause();
  socket.write("GET /api/v1/events?after=0 HTTP/1.1\r\nHost: registry\r\nAccept: text/event-stream\r\n\r\n");
  return socket;
}

async function readTo(socket: Socket, end: string): Promise<string> {
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString();
  });
  socket.resume();
  await eventually(() => text.includes(end), 30_000);
  // HTTP's chunk sizes are in between.
  return text.replaceAll(/\r\n[0-9a-f]+\r\n/g, "");
}
