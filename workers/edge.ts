/**
 * Everything a use case needs for one tenant: bindings, settings, the primary, the memory cache, time and ids. Created per
 * request and never kept.
 */

import type { Refusal } from "../contract/errors.ts";
import type { ObjectNamespace } from "../durable-objects/placement.ts";
import type { PrimaryClient } from "../durable-objects/primary/client.ts";
import type { SentTrace, TraceContext } from "../observe/trace-context.ts";
import type { DenialMessage } from "../registry/denial.ts";
import type { ResolvedGrant } from "../registry/grant.ts";
import type { Permission } from "../registry/permission.ts";
import type { Caller } from "../registry/rpc.ts";
import type { Quotas } from "../registry/tenant.ts";
import type { Access, Narrowed } from "./access/access.ts";
import type { Counters, ReadClass } from "./metrics/counters.ts";
import type { Flusher } from "./metrics/flush.ts";
import type { TenantCache } from "./read-path/cache.ts";
import type { RequestWork } from "./registry/turns.ts";
import type { Settings, Vars } from "./settings.ts";
import type { LoadedIsolates } from "./validation/loaded-isolates.ts";
import type { ModelCache } from "./validation/model-cache.ts";

/** A nudge: the tenant's log has grown to `upToSeq`. It carries no data, so it may be lost, repeated or late. */
export type Nudge = {
  tenant: string;
  epoch: number;
  upToSeq: number;
  /** The newest commit's trace, so that its deliveries appear in the same trace. */
  trace?: SentTrace;
};

/** The bindings of wrangler.toml, narrowed to what the edge uses. */
export type Bindings = Vars & {
  PRIMARIES: ObjectNamespace;
  FEEDS: ObjectNamespace;
  WEBHOOKS: ObjectNamespace;
  METRICS: { getByName(name: string): unknown };
  DIRECTORY: { getByName(name: string): unknown };
  CACHE: Pick<KVNamespace, "get" | "put" | "delete">;
  TEXTS: Pick<R2Bucket, "get" | "put" | "delete" | "head" | "list">;
  BACKUPS: Pick<R2Bucket, "get" | "put" | "delete" | "list">;
  CHANGES: Pick<Queue<Nudge>, "send">;
  /** Denied attempts on their way to the access record. */
  DENIALS: Pick<Queue<DenialMessage>, "send">;
  ACCESS_RECORD: Pick<R2Bucket, "get" | "put" | "delete" | "list">;
  /** Starts isolates that validate in compiled form; without it, schemas are interpreted. */
  VALIDATORS?: Pick<WorkerLoader, "get">;
  /** The read model's Postgres. Without it search answers `not_configured`. */
  DATABASE_URL?: string;
  /** `host:port` of the proxy for a Postgres that is not Neon's (db/client.ts). */
  DATABASE_PROXY?: string;
};

export type Edge = {
  env: Bindings;
  settings: Settings;
  /** Whether the registry runs on the caller's machine, without https. */
  isLocal: boolean;
  /** The registry of this request, determined by its credential. */
  tenant: string;
  /** The restrictions of the caller's permissions; undefined: none. */
  access: Access | undefined;
  /**
   * The tenant's primary, restricted to the caller's grants, with deadline and retries
   * (durable-objects/primary/client.ts).
   */
  primary: PrimaryClient;
  /** A client like `primary` whose deadline starts now, for a response that streams longer than one deadline. */
  freshPrimary(): PrimaryClient;
  /**
   * The unrestricted primary, for caches shared by the tenant's callers: reads from them are checked against `access`.
   */
  tenantPrimary: PrimaryClient;
  /** The computation of this request so far. */
  work: RequestWork;
  /** The tenant's cache in this isolate: the only state that outlives a request. */
  cache: TenantCache;
  /** Parsed schemas of all tenants in this isolate, by tenant first; derived, and never needed for correctness. */
  models: ModelCache<unknown>;
  /** The validating isolates that this isolate has started today. */
  loadedIsolates: LoadedIsolates;
  now(): number;
  waitUntil(promise: Promise<unknown>): void;
  /** A fresh random id, such as a commandId. */
  newId(): string;
  /** This request's span; the first call starts a trace if the request came without one. */
  trace(): TraceContext;
  /** This isolate's counters, and the flusher that sends them to the MetricsObject. */
  counters: Counters;
  flusher: Flusher;
  /** Takes tokens from the tenant's comparisons per minute; throws the refusal if they are used up. */
  spendComparison(characters: number): void;
  /** Takes tokens for requests beyond the first, if one body carries several; throws the refusal if they are used up. */
  spendRequests(count: number): void;
  /**
   * The refusal of a call that a handler made for its caller, such as a tool's, counted, logged and recorded as if it
   * had been a request of its own.
   */
  refusalOfCall(error: unknown, call: { method: string; path: string; subject: string | undefined }): Refusal;
  /** Set if a handler calls a route that writes, so that the request is logged as a write. */
  isWrite: boolean;
  /** Called after a change of keys, roles or grants, so that this isolate queries again. */
  forgetCredentials(): void;
  /** Set for requests of the Confluent API, before their first read: it never sees an artefact. */
  hidesArtefacts: boolean;
  /** Set by the read path, to classify the response in metrics. */
  readClass: ReadClass;
};

/** The permission a route requires; `public` routes need no credential, `authenticated` ones any. */
export type RoutePermission = Permission | "authenticated" | "public";

/** The actor of a credential; the tenant is never taken from anything else. */
export type Actor = {
  tenant: string;
  actor: string;
  permissions: ReadonlySet<Permission>;
  /** Where and when some of the permissions are held; absent: everywhere and always. */
  narrowed?: Narrowed;
  /** The key, or the client that the token was issued to; absent without access control. */
  clientId?: string;
  /** The request limits; absent if no credentials are required. */
  limits?: { name: string; requestsPerMinute: number; quotas: Quotas };
  /** The credential's own properties, for `GET /me`. */
  identity?: Identity;
  /** The reason this credential may not make administrative changes: it lacks a second factor. */
  needsSecondFactor?: string;
};

type Identity = {
  type: "key" | "token";
  name: string | null;
  grants: readonly ResolvedGrant[];
  expiresAtMs: number | null;
};

export type { Caller, Permission };
