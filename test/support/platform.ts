/**
 * The platforms of the HTTP suite. `plain` is one edge on the simulator's bindings. `hostile` behaves like production
 * where the simulator does not: two edges in two regions that take turns, each with its own memory, KV and R2 with
 * their write rates and delays, 1,000 calls of bindings per invocation, a queue that duplicates and reorders, and calls
 * to the primary that fail, lose their reply or are too large. SQLite is limited in both (limited-sql.ts).
 */
import type { Actor, Bindings } from "../../workers/edge.ts";
import { localActor } from "../../workers/http/actor.ts";
import { createApp } from "../../workers/http/app.ts";
import type { Vars } from "../../workers/settings.ts";
import { Clock, seededRandom } from "./clock.ts";
import { HostileKv } from "./hostile-kv.ts";
import { HostilePrimaries } from "./hostile-primary.ts";
import { HostileQueue } from "./hostile-queue.ts";
import { HostileR2 } from "./hostile-r2.ts";
import { Invocations } from "./subrequests.ts";

export type PlatformOptions = {
  /** The bindings of the test's own Worker. */
  env: Bindings;
  /** Every tenant has its own primary, so a fresh name is an empty registry. */
  tenant?: string;
  vars?: Partial<Vars>;
  seed?: number;
};

export type TestEdge = { fetch(path: string, init?: RequestInit): Promise<Response> };

export type Platform = {
  /** Sends the request to the next edge in turn. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** The individual edges, for a test that chooses one. The plain platform has one, twice. */
  edges: readonly [TestEdge, TestEdge];
  clock: Clock;
  tenant: string;
  /** Waits for the edges' background work. */
  settled(): Promise<void>;
};

export type HostilePlatform = Platform & {
  /** A newly started isolate of a region, with empty memory. */
  startEdge(colo: "FRA" | "SIN"): TestEdge;
  kv: HostileKv;
  r2: HostileR2;
  backups: HostileR2;
  queue: HostileQueue<unknown>;
  primaries: HostilePrimaries;
};

/** For `describe.each(PLATFORMS)("… on the $name platform", ({ open }) => …)`. */
export const PLATFORMS: readonly { name: "plain" | "hostile"; open(options: PlatformOptions): Platform }[] = [
  { name: "plain", open: plainPlatform },
  { name: "hostile", open: hostilePlatform },
];

const HOST = "https://registry.test";
const DEFAULT_SEED = 1;

export function plainPlatform(options: PlatformOptions): Platform {
  const clock = new Clock();
  const tenant = options.tenant ?? freshTenant();
  const work = new BackgroundWork();
  const edge = openEdge({ ...options.env, ...options.vars }, clock, tenant, work);
  return { fetch: edge.fetch, edges: [edge, edge], clock, tenant, settled: () => work.settled() };
}

export function hostilePlatform(options: PlatformOptions): HostilePlatform {
  const random = seededRandom(options.seed ?? DEFAULT_SEED);
  const clock = new Clock();
  const tenant = options.tenant ?? freshTenant();
  const work = new BackgroundWork();
  const kv = new HostileKv(clock, random);
  const r2 = new HostileR2(options.env.TEXTS, clock);
  const backups = new HostileR2(options.env.BACKUPS, clock);
  const queue = new HostileQueue<unknown>(random);
  const primaries = new HostilePrimaries(options.env.PRIMARIES, random);
  const invocations = new Invocations();
  const edgeIn = (colo: "FRA" | "SIN") => {
    const env: Bindings = {
      ...options.env,
      ...options.vars,
      CACHE: invocations.counting(kv.in(colo)),
      TEXTS: invocations.counting(r2.binding()),
      BACKUPS: invocations.counting(backups.binding()),
      CHANGES: invocations.counting(queue.binding()) as Bindings["CHANGES"],
      // Every call of an object takes a new stub, so counting stubs counts the calls.
      PRIMARIES: invocations.counting(primaries.binding()),
      FEEDS: invocations.counting(options.env.FEEDS),
      WEBHOOKS: invocations.counting(options.env.WEBHOOKS),
      METRICS: invocations.counting(options.env.METRICS),
      DIRECTORY: invocations.counting(options.env.DIRECTORY),
    };
    const edge = openEdge(env, clock, tenant, work);
    return { fetch: (path: string, init?: RequestInit) => invocations.run(() => edge.fetch(path, init)) };
  };
  const edges = [edgeIn("FRA"), edgeIn("SIN")] as const;
  let turn = 0;
  const fetch: TestEdge["fetch"] = (path, init) => {
    turn += 1;
    return edges[turn % 2]!.fetch(path, init);
  };
  const settled = () => work.settled();
  return { fetch, edges, startEdge: edgeIn, clock, tenant, kv, r2, backups, queue, primaries, settled };
}

/** One isolate: an app with its own memory. */
function openEdge(env: Bindings, clock: Clock, tenant: string, work: BackgroundWork): TestEdge {
  const actor: Actor = { ...localActor(), tenant };
  const app = createApp({ now: clock.now, actorOf: () => actor });
  return {
    fetch: async (path, init) => app.fetch(new Request(new URL(path, HOST), init), env, work.executionContext()),
  };
}

/** Background work of requests that have been answered. */
class BackgroundWork {
  #running = new Set<Promise<unknown>>();

  executionContext(): ExecutionContext {
    const waitUntil = (promise: Promise<unknown>) => {
      const running: Promise<unknown> = promise.catch(() => undefined).finally(() => this.#running.delete(running));
      this.#running.add(running);
    };
    return { waitUntil, passThroughOnException: () => undefined, props: {} } as unknown as ExecutionContext;
  }

  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}

let tenants = 0;

function freshTenant(): string {
  tenants += 1;
  return `tenant-${tenants}-${crypto.randomUUID().slice(0, 8)}`;
}
