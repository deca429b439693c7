/**
 * The pipeline of every request: request id, route, actor, permission, negotiation, handler, count, log, headers. It is
 * also the only place where an error becomes a response. One function per request, because reads from memory have a
 * fixed time budget.
 */
import { type Context, Hono } from "hono";
import { ERRORS, type ErrorName, makeRefusal, type Refusal } from "../../contract/errors.ts";
import { type PrimaryClient, PrimaryUnreachable, primaryOf } from "../../durable-objects/primary/client.ts";
import { errorFields, logLine } from "../../observe/log-line.ts";
import { type TraceContext, traceFields } from "../../observe/trace-context.ts";
import { NO_QUOTAS } from "../../registry/tenant.ts";
import { Access } from "../access/access.ts";
import { guardPrimary } from "../access/guarded-primary.ts";
import { HeldDenials } from "../access-record/held-denials.ts";
import type { Actor, Bindings, Caller, Edge, RoutePermission } from "../edge.ts";
import type { Taken } from "../limits/limiter.ts";
import { withQuotas } from "../limits/quota-primary.ts";
import { Counters, type ReadClass, type RouteCounts } from "../metrics/counters.ts";
import { Flusher } from "../metrics/flush.ts";
import { ReadCache, type TenantCache } from "../read-path/cache.ts";
import { withoutArtefacts } from "../read-path/hidden-artefacts.ts";
import { RequestWork } from "../registry/turns.ts";
import { parseSettings, type RequestLog, type Settings } from "../settings.ts";
import { traceOf } from "../trace.ts";
import { LoadedIsolates } from "../validation/loaded-isolates.ts";
import { ModelCache } from "../validation/model-cache.ts";
import { requireOpen } from "./access/admission.ts";
import { deniedAttempt } from "./access/denied-attempt.ts";
import { Gate } from "./access/gate.ts";
import { requirePermission } from "./access/require-permission.ts";
import { corsHeaders, preflightHeaders } from "./access/response-headers.ts";
import { type Answer, respond } from "./answer.ts";
import { accepts } from "./body.ts";
import type { Call, Route } from "./call.ts";
import { pathInContext, searchInContext } from "./confluent/context-path.ts";
import { confluentErrorAnswer } from "./confluent/errors.ts";
import { confluentRoutes } from "./confluent/routes.ts";
import { problemAnswer, RegistryError } from "./errors.ts";
import { mcpRoute } from "./mcp/route.ts";
import { requireReached } from "./min-seq.ts";
import { nativeRoutes } from "./native/routes.ts";
import { countRead, isLogged, logRequest } from "./request-log.ts";
import { RouterPerMethod } from "./router.ts";
import { rootRoutes } from "./service.ts";

type AppOptions = {
  cache?: ReadCache;
  now?: () => number;
  newId?: () => string;
  /** Passed in by code that also counts other things than requests. */
  counters?: Counters;
  flusher?: Flusher;
  denials?: HeldDenials;
  /** Replaces authentication in tests. */
  actorOf?: (request: Request) => Actor;
};

type Env = { Bindings: Bindings };

/** One edge: its memory is the only state that outlives a request. */
export function createApp(options: AppOptions = {}) {
  const isolate = isolateWith(options);
  const { counters, newId, now } = isolate;
  const actorOf = (request: Request, edge: RequestEdge, permission: RoutePermission | "liveness") => {
    // An invalid var fails every request, not only those that use it.
    edge.requireSettings();
    return options.actorOf === undefined ? isolate.gate.enter(request, edge, permission) : options.actorOf(request);
  };

  const app = new Hono<Env>({ getPath: pathOf, router: new RouterPerMethod() });
  const mount = (api: ApiName, route: Route) => {
    // Liveness only, which must be true before anything is configured.
    const permission = LIVENESS_PATHS.has(route.path) ? "liveness" : route.permission;
    const { method, path } = route;
    const counted = { api, method, path, isWrite: isWrite(route), counts: counters.route(api, method, path) };
    // This is the path of a read from memory, so a response that is available synchronously creates no promise and no
    // closure.
    app.on(route.method, route.path, (c) => {
      const { raw } = c.req;
      const edge = new RequestEdge(c, isolate, requestIdOf(raw, newId), counted);
      try {
        const actor = actorOf(raw, edge, permission);
        const answer =
          actor instanceof Promise
            ? actor.then((known) => answerAs(known, c, edge, route))
            : answerAs(actor, c, edge, route);
        // A Worker's clock does not advance during computation, so a synchronous response took no measurable time.
        return answer instanceof Promise ? answered(answer, edge, now()) : finish(edge, answer, 0);
      } catch (error) {
        return finish(edge, errorAnswer(error, edge), 0);
      }
    });
  };
  for (const route of [...rootRoutes, mcpRoute]) mount("service", route);
  for (const route of nativeRoutes) mount("native", route);
  for (const route of confluentRoutes) mount("confluent", route);

  const unrouted: Readonly<Record<ApiName, CountedRoute>> = {
    service: unroutedOf("service", counters),
    native: unroutedOf("native", counters),
    confluent: unroutedOf("confluent", counters),
  };
  const unroutedEdge = (c: Context<Env>) =>
    new RequestEdge(c, isolate, requestIdOf(c.req.raw, newId), unrouted[apiOf(pathOf(c.req.raw))]);
  app.notFound((c) => {
    const edge = unroutedEdge(c);
    requireOpen(edge.settings.access);
    return finish(
      edge,
      c.req.method === "OPTIONS" ? optionsAnswer(app, c, edge) : errorAnswer(noRoute(app, c), edge),
      0,
    );
  });
  app.onError((error, c) => {
    const edge = unroutedEdge(c);
    return finish(edge, errorAnswer(error, edge), 0);
  });
  return app;
}

function isolateWith(options: AppOptions): Isolate {
  const newId = options.newId ?? (() => crypto.randomUUID());
  const counters = options.counters ?? new Counters();
  return {
    cache: options.cache ?? new ReadCache(),
    models: new ModelCache<unknown>(),
    loadedIsolates: new LoadedIsolates(),
    now: options.now ?? (() => Date.now()),
    newId,
    counters,
    flusher: options.flusher ?? new Flusher(counters, newId),
    denials: options.denials ?? new HeldDenials(),
    settingsOf: rememberingLast(parseSettings),
    gate: new Gate(),
  };
}

const LIVENESS_PATHS = new Set(["/health", "/api/v1/health"]);

function answerAs(actor: Actor, c: Context<Env>, edge: RequestEdge, route: Route): Promise<Answer> | Answer {
  edge.actor = actor;
  requirePermission(edge, actor, route);
  requireAcceptable(c.req.raw, route);
  return route.answer(callOf(c, edge, actor));
}

async function answered(answer: Promise<Answer>, edge: RequestEdge, startedAtMs: number): Promise<Response> {
  try {
    const known = await answer;
    if (!edge.route.isWrite) requireReached(edge.c.req.raw, known);
    return finish(edge, known, edge.now() - startedAtMs);
  } catch (error) {
    return finish(edge, errorAnswer(error, edge), edge.now() - startedAtMs);
  }
}

/** Creates the response, counts it, and logs it if `REQUEST_LOG` selects it. */
function finish(edge: RequestEdge, answer: Answer, durationMs: number): Response {
  const { counters, flusher, requestId } = edge;
  // Build the response first: if that throws, don't count it.
  const response = respond(answer, {
    requestId,
    trace: edge.answeredTrace(answer.prebuilt !== undefined),
    taken: edge.taken,
    cors: corsHeaders(edge.c.req.raw, edge.corsOrigins),
    isLocal: edge.isLocal,
  });
  edge.route.counts.answered(answer.status, durationMs);
  if (answer.prebuilt !== undefined) counters.contentFromMemory();
  else if (!edge.route.isWrite) countRead(edge, answer);
  if (answer.status > 400 && answer.status < 430) {
    edge.recordDenial(answer.status, edge.route, edge.c.req.param("subject"));
  }
  const nowMs = edge.now();
  if (flusher.isDue(nowMs)) edge.flush(nowMs);
  if (isLogged(edge.requestLog, answer.status, edge.isWrite)) logRequest(edge, answer, durationMs);
  return response;
}

type ApiName = "service" | "native" | "confluent";
/** Data of a route, computed when it is mounted. */
type CountedRoute = { api: ApiName; method: string; path: string; isWrite: boolean; counts: RouteCounts };
/** State kept for the lifetime of the isolate. */
type Isolate = {
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
class RequestEdge implements Edge {
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

  readonly c: Context<Env>;
  readonly isolate: Isolate;
  readonly requestId: string;
  readonly route: CountedRoute;

  constructor(c: Context<Env>, isolate: Isolate, requestId: string, route: CountedRoute) {
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
    const ip = this.c.req.raw.headers.get("CF-Connecting-IP") ?? "";
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
    const primary = primaryOf(this.env, this.tenant);
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
    this.#trace ??= traceOf(this.c.req.raw.headers);
    return this.#trace;
  }

  /** The response's trace. A read from memory without a traceparent gets none, because it makes no further call. */
  answeredTrace(isFromMemory: boolean): TraceContext | undefined {
    if (isFromMemory && this.#trace === undefined && !this.c.req.raw.headers.has("traceparent")) return undefined;
    return this.trace();
  }
}

const NATIVE_PREFIX = "/api/v1";

/** The path to route: as sent, except that the context of a Confluent path moves into the names it qualifies. */
function pathOf(request: Request): string {
  const path = sentPathOf(request.url);
  return path.startsWith("/contexts/") ? pathInContext(path) : path;
}

/** The path as sent, still encoded, without the trailing slash that both APIs tolerate. */
function sentPathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf(":") + 4);
  if (start === -1) return "/";
  const query = url.indexOf("?", start);
  const path = query === -1 ? url.slice(start) : url.slice(start, query);
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

function callOf(c: Context<Env>, edge: RequestEdge, actor: Actor): Call {
  const { url } = c.req.raw;
  const query = url.indexOf("?");
  const sent = query === -1 ? "" : url.slice(query + 1);
  requireDecodable(c.req.path, sent);
  const path = sentPathOf(url);
  const search = path.startsWith("/contexts/") ? searchInContext(path, c.req.method, sent) : sent;
  return {
    request: c.req.raw,
    edge,
    actor,
    caller: callerOf(c.req.raw, edge, actor),
    params: c.req.param(),
    search,
  };
}

const MAX_OVERRIDE_CHARACTERS = 1_024;

/**
 * With the reason, if protections and freezes are overridden: few callers may do so, and every reader sees it in the
 * log.
 */
function callerOf(request: Request, edge: RequestEdge, by: Actor): Caller {
  const { requestId } = edge;
  const { tenant, actor, permissions } = by;
  const caller = { tenant, actor, requestId };
  const override = request.method === "GET" ? null : request.headers.get("X-Registry-Override");
  if (override === null) return caller;
  if (!permissions.has("admin:config")) {
    const detail = 'Overriding protections and freezes needs the permission "admin:config".';
    throw new RegistryError(makeRefusal("FORBIDDEN", [], detail));
  }
  // Also its condition and the second factor.
  requirePermission(edge, by, { method: request.method, permission: "admin:config" });
  if (override.trim() === "" || override.length > MAX_OVERRIDE_CHARACTERS) {
    const detail = `X-Registry-Override must be the reason, of at most ${MAX_OVERRIDE_CHARACTERS} characters.`;
    throw new RegistryError(makeRefusal("BAD_REQUEST", [detail], detail));
  }
  logLine("warn", "Protections and freezes are overridden.", {
    request_id: requestId,
    tenant,
    actor,
    reason: override,
  });
  return { ...caller, override };
}

/** A `%` sequence that is not valid UTF-8 would be decoded to something else than the caller meant. */
function requireDecodable(path: string, search: string): void {
  for (const part of [path, search]) {
    if (!part.includes("%")) continue;
    try {
      decodeURIComponent(part);
    } catch {
      throw new RegistryError(
        makeRefusal(
          "BAD_REQUEST",
          ["Malformed percent-encoding"],
          "The URL contains a percent-encoding that is not valid UTF-8.",
        ),
      );
    }
  }
}

function requireAcceptable(request: Request, { produces }: Route): void {
  if (accepts(request.headers.get("Accept"), produces)) return;
  throw new RegistryError(makeRefusal("NOT_ACCEPTABLE", [], `This resource is available as ${produces.join(", ")}.`));
}

const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

function requestIdOf(request: Request, newId: () => string): string {
  const given = request.headers.get("X-Request-ID");
  return given !== null && REQUEST_ID.test(given) ? given : newId();
}

function errorAnswer(error: unknown, edge: RequestEdge): Answer {
  const { refusal, headers } = countedRefusal(error, edge);
  const { raw } = edge.c.req;
  const answer =
    apiOf(pathOf(raw)) === "confluent"
      ? confluentErrorAnswer(refusal, raw, () => parseSettings(edge.env).confluentApiLevel)
      : problemAnswer(refusal, edge.requestId);
  return { ...answer, headers: { ...answer.headers, ...headers } };
}

function countedRefusal(error: unknown, edge: RequestEdge): ReturnType<typeof refusalOf> {
  const refused = refusalOf(error, edge);
  edge.refusedAs = refused.refusal.error;
  edge.counters.add("registry_errors_total", [ERRORS[refused.refusal.error].code]);
  return refused;
}

/** The API that a path belongs to, whether or not a route matches. */
function apiOf(path: string): ApiName {
  if (path === NATIVE_PREFIX || path.startsWith(`${NATIVE_PREFIX}/`)) return "native";
  return SERVICE_PATHS.has(path) ? "service" : "confluent";
}

const SERVICE_PATHS = new Set([...rootRoutes, mcpRoute].map(({ path }) => path));

/** All paths without a route share one name, because clients can invent any number of them. */
function unroutedOf(api: ApiName, counters: Counters): CountedRoute {
  return { api, method: "any", path: "none", isWrite: false, counts: counters.route(api, "any", "none") };
}

/**
 * Checks, lookups and searches are POSTs only because they need a body; their permissions show that they change
 * nothing.
 */
function isWrite({ method, permission }: Route): boolean {
  return method !== "GET" && /^admin:|:(?:write|delete)$/.test(permission);
}

function refusalOf(error: unknown, edge: RequestEdge): { refusal: Refusal; headers: Readonly<Record<string, string>> } {
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

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

function allowedMethods(app: Hono<Env>, c: Context<Env>): string[] {
  const path = pathOf(c.req.raw);
  const routed = METHODS.filter((method) => app.router.match(method, path)[0].length > 0);
  return [...routed, ...(routed.includes("GET") ? ["HEAD"] : [])];
}

/** The methods that a path supports, as RFC 9110 requires; clients and proxies probe with OPTIONS. */
function optionsAnswer(app: Hono<Env>, c: Context<Env>, edge: RequestEdge): Answer {
  const allowed = allowedMethods(app, c);
  if (allowed.length === 0) return errorAnswer(noRoute(app, c), edge);
  const methods = [...allowed, "OPTIONS"];
  const headers = { Allow: methods.join(", "), ...preflightHeaders(c.req.raw, methods) };
  return { status: 200, headers, body: null };
}

function noRoute(app: Hono<Env>, c: Context<Env>): RegistryError {
  const allowed = allowedMethods(app, c);
  if (allowed.length === 0) return new RegistryError(makeRefusal("ROUTE_NOT_FOUND", [], "No route matches this path."));
  const allow = allowed.join(", ");
  return new RegistryError(
    makeRefusal(
      "METHOD_NOT_ALLOWED",
      [],
      `${c.req.method} is not supported on this path; ${allow} ${allowed.length > 1 ? "are" : "is"}.`,
    ),
    { Allow: allow },
  );
}

/** An isolate has one environment object, so its vars are parsed once. */
function rememberingLast(parse: (env: Bindings) => Settings): (env: Bindings) => Settings {
  let last: { env: Bindings; settings: Settings } | undefined;
  return (env) => {
    if (last?.env !== env) last = { env, settings: parse(env) };
    return last.settings;
  };
}
