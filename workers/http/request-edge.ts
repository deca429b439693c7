/**
 * What one request's handler works with: bindings, actor, access, primary, cache and counters, each created on first
 * use, and the refusal that the request's error becomes.
 */
import type { Context } from "hono";
import { ERRORS, type ErrorName, makeRefusal, type Refusal } from "../../contract/errors.ts";
import { openPrimary, type PrimaryClient, PrimaryUnreachable } from "../../durable-objects/primary/client.ts";
import { errorFields, logLine } from "../../observe/log-line.ts";
import { type TraceContext, traceFields } from "../../observe/trace-context.ts";
import { NO_QUOTAS } from "../../registry/tenant.ts";
import { Access } from "../access/access.ts";
import { guardPrimary } from "../access/guarded-primary.ts";
import type { HeldDenials } from "../access-record/held-denials.ts";
import type { Actor, Bindings, Edge } from "../edge.ts";
import type { Taken } from "../limits/limiter.ts";
import { withQuotas } from "../limits/quota-primary.ts";
import type { Counters, ReadClass, RouteCounts } from "../metrics/counters.ts";
import type { Flusher } from "../metrics/flush.ts";
import type { ReadCache, TenantCache } from "../read-path/cache.ts";
import { withoutArtefacts } from "../read-path/hidden-artefacts.ts";
import { RequestWork } from "../registry/turns.ts";
import type { RequestLog, Settings } from "../settings.ts";
import { readTrace } from "../trace.ts";
import type { LoadedIsolates } from "../validation/loaded-isolates.ts";
import type { ModelCache } from "../validation/model-cache.ts";
import { callerAddress } from "./access/caller-address.ts";
import { deniedAttempt } from "./access/denied-attempt.ts";
import type { Gate } from "./access/gate.ts";
import { RegistryError } from "./errors.ts";

export type ApiName = "service" | "native" | "confluent";
/** Data of a route, computed when it is mounted. */
export type CountedRoute = { api: ApiName; method: string; path: string; isWrite: boolean; counts: RouteCounts };
/** State kept for the lifetime of the isolate. */
export type Isolate = {
  cache: ReadCache;
  models: ModelCache<unknown>;
  loadedIsolates: LoadedIsolates;
  now: () => number;
  newId: () => string;
  counters: Counters;
  flusher: Flusher;
  denials: HeldDenials;
  settingsOf: (env: Bindings) => Settings;
  gate: Gate;
};

const CHARACTERS_PER_KIB = 1_024;
const NO_ORIGINS: ReadonlySet<string> = new Set();

/** The bindings and state that a request's handler uses. A class, because creating one allocates no closures. */
export class RequestEdge implements Edge {
  readonly env: Bindings;
  // Fields instead of methods, so that callers can destructure them.
  readonly now: () => number;
  readonly newId: () => string;
  actor: Actor | undefined;
  taken: Taken | undefined;
  isLockedOut = false;
  refusedAs: ErrorName | undefined;
  readClass: ReadClass = "head";
  hidesArtefacts = false;
  isWrite: boolean;
  #cache: TenantCache | undefined;
  #primary: PrimaryClient | undefined;
  #tenantPrimary: PrimaryClient | undefined;
  #trace: TraceContext | undefined;
  #work: RequestWork | undefined;
  #access: Access | undefined;

  readonly c: Context<{ Bindings: Bindings }>;
  readonly isolate: Isolate;
  readonly requestId: string;
  readonly route: CountedRoute;

  constructor(c: Context<{ Bindings: Bindings }>, isolate: Isolate, requestId: string, route: CountedRoute) {
    this.c = c;
    this.isolate = isolate;
    this.requestId = requestId;
    this.route = route;
    this.isWrite = route.isWrite;
    this.env = c.env;
    this.now = isolate.now;
    this.newId = isolate.newId;
  }

  get settings(): Settings {
    return this.isolate.settingsOf(this.env);
  }

  get counters(): Counters {
    return this.isolate.counters;
  }

  get flusher(): Flusher {
    return this.isolate.flusher;
  }

  /** An invalid var must not break the error response that reports it. */
  get corsOrigins(): ReadonlySet<string> {
    try {
      return this.settings.access.corsOrigins;
    } catch {
      return NO_ORIGINS;
    }
  }

  get isLocal(): boolean {
    return this.env.ENVIRONMENT === "local";
  }

  get requestLog(): RequestLog {
    try {
      return this.settings.requestLog;
    } catch {
      return "failures";
    }
  }

  /** Runs after the response. Counting must not fail a response, so it is skipped if the caller has no context. */
  flush(nowMs: number): void {
    try {
      this.waitUntil(this.flusher.flush(this.env, nowMs));
    } catch {
      // The flusher keeps the counts until the next attempt.
    }
  }

  /** Runs after the response, like a flush, and fails none. */
  recordDenial(status: number, route: { method: string; path: string }, subject: string | undefined): void {
    try {
      const { actor, access, refusedAs, isLockedOut, requestId, settings, c } = this;
      const refused = {
        request: c.req.raw,
        route,
        subject,
        settings,
        actor,
        access,
        refusedAs,
        isLockedOut,
        requestId,
      };
      const denial = deniedAttempt({ ...refused, nowMs: this.now() }, status);
      if (denial !== undefined) this.isolate.denials.add(denial, this);
    } catch (error) {
      logLine("warn", "A denied attempt could not be recorded.", errorFields(error));
    }
  }

  get tenant(): string {
    if (this.actor === undefined) throw new Error("Nothing is known of the tenant before the request's actor is.");
    return this.actor.tenant;
  }

  get access(): Access | undefined {
    const { narrowed, permissions, clientId = "" } = this.actor ?? {};
    if (narrowed === undefined || permissions === undefined) return undefined;
    const ip = callerAddress(this.c.req.raw, this.settings.access) ?? "";
    this.#access ??= new Access({ permissions, narrowed }, { ip, nowMs: this.now(), clientId });
    return this.#access;
  }

  get cache(): TenantCache {
    this.#cache ??= this.isolate.cache.of(this.tenant);
    return this.#cache;
  }

  get models(): ModelCache<unknown> {
    return this.isolate.models;
  }

  get loadedIsolates(): LoadedIsolates {
    return this.isolate.loadedIsolates;
  }

  get primary(): PrimaryClient {
    this.#primary ??= this.#guarded(this.tenantPrimary);
    return this.#primary;
  }

  freshPrimary(): PrimaryClient {
    return this.#guarded(this.#openPrimary());
  }

  get tenantPrimary(): PrimaryClient {
    // The deadline starts with the first call; until then the request has only computed.
    this.#tenantPrimary ??= this.#openPrimary();
    return this.#tenantPrimary;
  }

  #openPrimary(): PrimaryClient {
    const primary = openPrimary(this.env, this.tenant);
    return this.hidesArtefacts ? withoutArtefacts(primary) : primary;
  }

  #guarded(primary: PrimaryClient): PrimaryClient {
    const { access } = this;
    const bounded = withQuotas(primary, this.actor?.limits?.quotas ?? NO_QUOTAS);
    return access === undefined ? bounded : guardPrimary(bounded, access);
  }

  requireSettings(): void {
    this.isolate.settingsOf(this.env);
  }

  spendComparison(characters: number): void {
    if (this.actor === undefined) return;
    this.isolate.gate.spendComparison(this, this.actor, Math.ceil(characters / CHARACTERS_PER_KIB));
  }

  spendRequests(count: number): void {
    if (this.actor !== undefined) this.isolate.gate.spendRequests(this, this.actor, count);
  }

  refusalOfCall(error: unknown, call: { method: string; path: string; subject: string | undefined }): Refusal {
    const { refusal } = countedRefusal(error, this);
    this.recordDenial(ERRORS[refusal.error].status, call, call.subject);
    return refusal;
  }

  forgetCredentials(): void {
    this.isolate.gate.forgetCredentials();
  }

  get work(): RequestWork {
    this.#work ??= new RequestWork();
    return this.#work;
  }

  waitUntil(promise: Promise<unknown>): void {
    this.c.executionCtx.waitUntil(promise);
  }

  trace(): TraceContext {
    this.#trace ??= readTrace(this.c.req.raw.headers);
    return this.#trace;
  }

  /** The response's trace. A read from memory without a traceparent gets none, because it makes no further call. */
  answeredTrace(isFromMemory: boolean): TraceContext | undefined {
    if (isFromMemory && this.#trace === undefined && !this.c.req.raw.headers.has("traceparent")) return undefined;
    return this.trace();
  }
}

/** The refusal that an error becomes, counted and kept for the record of denied attempts. */
export function countedRefusal(error: unknown, edge: RequestEdge): ReturnType<typeof toRefusal> {
  const refused = toRefusal(error, edge);
  edge.refusedAs = refused.refusal.error;
  edge.counters.add("registry_errors_total", [ERRORS[refused.refusal.error].code]);
  return refused;
}

function toRefusal(error: unknown, edge: RequestEdge): { refusal: Refusal; headers: Readonly<Record<string, string>> } {
  if (error instanceof RegistryError) return error;
  if (error instanceof PrimaryUnreachable) return { refusal: error.refusal, headers: {} };
  // A bug: the operator gets the stack, the caller an id to report.
  logLine("error", "Unexpected error", {
    request_id: edge.requestId,
    ...traceFields(edge.trace()),
    tenant: edge.actor?.tenant,
    ...errorFields(error),
  });
  return { refusal: makeRefusal("INTERNAL", [], "Something went wrong on the server."), headers: {} };
}
