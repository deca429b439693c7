/** What a use case may reach for one tenant: bindings, settings, the primary, the memory cache, time and ids. Made once per request, never kept. */

import type { PrimaryClient } from "../durable-objects/primary/client.ts";
import type { SentTrace, TraceContext } from "../observe/trace-context.ts";
import type { Caller } from "../registry/rpc.ts";
import type { Counters, ReadClass } from "./metrics/counters.ts";
import type { Flusher } from "./metrics/flush.ts";
import type { TenantCache } from "./read-path/cache.ts";
import type { Settings, Vars } from "./settings.ts";

/** A nudge: the log of this tenant has grown to `upToSeq`. It carries no data, so it may be lost, doubled or late. */
export type Nudge = {
  tenant: string;
  epoch: number;
  upToSeq: number;
  /** The newest commit's trace, so that its deliveries appear in the same trace. */
  trace?: SentTrace;
};

/** The bindings of wrangler.toml, as narrow as the edge needs them. */
export type Bindings = Vars & {
  PRIMARIES: { getByName(name: string): unknown };
  FEEDS: { getByName(name: string): unknown };
  WEBHOOKS: { getByName(name: string): unknown };
  METRICS: { getByName(name: string): unknown };
  CACHE: Pick<KVNamespace, "get" | "put" | "delete">;
  TEXTS: Pick<R2Bucket, "get" | "put" | "delete" | "head">;
  BACKUPS: Pick<R2Bucket, "get" | "put" | "delete" | "list">;
  CHANGES: Pick<Queue<Nudge>, "send">;
  /** The read model's Postgres. Without it search answers `not_configured`. */
  DATABASE_URL?: string;
  /** `host:port` of the proxy in front of a Postgres that is not Neon's (db/client.ts). */
  DATABASE_PROXY?: string;
};

export type Edge = {
  env: Bindings;
  settings: Settings;
  /** Whose registry this request is about, as its credential says. */
  tenant: string;
  /** The tenant's primary, with deadline and retries (durable-objects/primary/client.ts). */
  primary: PrimaryClient;
  /** The tenant's part of this isolate's memory: the only state that outlives a request. */
  cache: TenantCache;
  now(): number;
  waitUntil(promise: Promise<unknown>): void;
  /** A fresh random id, such as a commandId. */
  newId(): string;
  /** This request's place in its trace; the first call starts a trace where none came with the request. */
  trace(): TraceContext;
  /** What this isolate has counted, and how it is handed in. */
  counters: Counters;
  flusher: Flusher;
  /** Set by the read path, for what its answer is counted as. */
  readClass: ReadClass;
};

/** What a caller may do; the table of routes of each API names one for every route. */
export type Permission =
  | "registry:read"
  | "schema:check"
  | "schema:write"
  | "schema:delete"
  | "config:read"
  | "config:write"
  | "mode:read"
  | "mode:write"
  | "log:read"
  | "webhook:read"
  | "webhook:write"
  | "backup:read"
  | "backup:write"
  | "replication:write"
  | "metrics:read";

/** What a route asks for; `public` ones are answered without a credential. */
export type RoutePermission = Permission | "public";

/** Who acts, as the credential says: the tenant never comes from anywhere else. */
export type Actor = { tenant: string; actor: string; permissions: ReadonlySet<Permission> };

export type { Caller };
