import { once } from "node:events";
import { WebSocket } from "ws";
import type { Bench, BenchPart, Row } from "../part.ts";
import { registerNth } from "../schemas.ts";
import { startRegistry } from "../servers.ts";

const SUBSCRIBERS = 1_000;
/** Sockets opened concurrently. */
const OPENING = 50;
/** Far above a busy registry's rate of changes, and low enough to measure single changes instead of a queue. */
const COMMITS_PER_SECOND = 5;
/** Clients acknowledge as docs/feed.md recommends. */
const ACKNOWLEDGED_EVERY = 1;
const DELIVERED_WITHIN_MS = 30_000;

/**
 * Latency from a commit to each of many subscribers, over real sockets; receiving uses the same two cores as sending.
 */
export const feed: BenchPart = {
  name: "feed",
  title: `Change feed with ${SUBSCRIBERS.toLocaleString("en-GB")} subscribers`,
  async run(bench) {
    const commits = bench.quick ? 20 : 200;
    const registry = await startRegistry();
    const audience = new Audience(`${registry.url.replace("http", "ws")}/api/v1/events`);
    try {
      await registerNth(registry.url, "warm", 0);
      await audience.fill(SUBSCRIBERS);
      bench.progress(`${SUBSCRIBERS} subscribers listen`);
      await commitAtRate(bench, registry.url, audience, 10);
      audience.forget();
      await commitAtRate(bench, registry.url, audience, commits);
      const { fromCommit, fromRequest, toFirst, toLast } = audience.measured();
      return [
        ...percentiles("commit → delivery", fromCommit, 100),
        ...percentiles("request → delivery", fromRequest),
        ...percentiles("commit → the first of the subscribers", toFirst),
        ...percentiles("commit → the last of the subscribers", toLast),
      ];
    } finally {
      audience.leave();
      await registry.stop();
    }
  },
};

/** The subscribers, and the arrival times of their events. */
class Audience {
  readonly #url: string;
  readonly #sockets: WebSocket[] = [];
  readonly #requestedAtMs = new Map<number, number>();
  #deliveries = new Map<number, { committedAtMs: number; atMs: number[] }>();

  constructor(url: string) {
    this.#url = url;
  }

  async fill(count: number): Promise<void> {
    while (this.#sockets.length < count) {
      const opening = Array.from({ length: Math.min(OPENING, count - this.#sockets.length) }, () => this.#open());
      this.#sockets.push(...(await Promise.all(opening)));
    }
  }

  requested(seq: number, atMs: number): void {
    this.#requestedAtMs.set(seq, atMs);
  }

  async delivered(seq: number): Promise<void> {
    const giveUpAtMs = Date.now() + DELIVERED_WITHIN_MS;
    while ((this.#deliveries.get(seq)?.atMs.length ?? 0) < this.#sockets.length) {
      if (Date.now() > giveUpAtMs) throw new Error(`Event ${seq} did not reach everybody.`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  forget(): void {
    this.#deliveries = new Map();
  }

  measured() {
    const events = [...this.#deliveries];
    return {
      fromCommit: events.flatMap(([, { committedAtMs, atMs }]) => atMs.map((at) => at - committedAtMs)),
      fromRequest: events.flatMap(([seq, { atMs }]) => atMs.map((at) => at - this.#requestedAtMs.get(seq)!)),
      toFirst: events.map(([, { committedAtMs, atMs }]) => Math.min(...atMs) - committedAtMs),
      toLast: events.map(([, { committedAtMs, atMs }]) => Math.max(...atMs) - committedAtMs),
    };
  }

  leave(): void {
    for (const socket of this.#sockets) socket.terminate();
  }

  async #open(): Promise<WebSocket> {
    const socket = new WebSocket(this.#url);
    let taken = 0;
    socket.on("message", (data: Buffer) => {
      const seq = this.#take(data.toString());
      taken += 1;
      if (seq !== undefined && taken % ACKNOWLEDGED_EVERY === 0) socket.send(`{"ack":${seq}}`);
    });
    await once(socket, "open");
    return socket;
  }

  /** Records the event's arrival time and returns its seq. */
  #take(text: string): number | undefined {
    const atMs = performance.timeOrigin + performance.now();
    const seq = Number(/^\{"specversion":"1\.0","id":"1\.(\d+)"/.exec(text)?.[1]);
    if (Number.isNaN(seq)) return undefined;
    const known = this.#deliveries.get(seq);
    if (known !== undefined) known.atMs.push(atMs);
    else {
      const committedAtMs = Date.parse((JSON.parse(text) as { time: string }).time);
      this.#deliveries.set(seq, { committedAtMs, atMs: [atMs] });
    }
    return seq;
  }
}

async function commitAtRate(bench: Bench, url: string, audience: Audience, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const startedAtMs = performance.timeOrigin + performance.now();
    const { seq } = await registerNth(url, `subject-${n % 10}`, Math.floor(startedAtMs * 1_000));
    audience.requested(seq, startedAtMs);
    await audience.delivered(seq);
    const leftMs = startedAtMs + 1_000 / COMMITS_PER_SECOND - (performance.timeOrigin + performance.now());
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, leftMs)));
    if (n % 50 === 49) bench.progress(`${n + 1} commits`);
  }
}

function percentiles(what: string, samples: readonly number[], p95AtMost?: number): Row[] {
  const sorted = samples.toSorted((a, b) => a - b);
  return [50, 95, 99].map((percent) => ({
    what: `${what}, p${percent}`,
    value: sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))]!,
    unit: "ms",
    ...(percent === 95 && p95AtMost !== undefined ? { aim: { atMost: p95AtMost } } : {}),
    ...(percent === 50 ? { note: `${samples.length.toLocaleString("en-GB")} samples` } : {}),
  }));
}
