/**
 * The pipeline of every request: request id, route, actor, permission, negotiation, handler, count, log, headers. It is
 * also the only place where an error becomes a response. One function per request, because reads from memory have a
 * fixed time budget.
 */
import { type Context, Hono } from "hono";
import { makeRefusal } from "../../contract/errors.ts";
import { logLine } from "../../observe/log-line.ts";
import { HeldDenials } from "../access-record/held-denials.ts";
import type { Actor, Bindings, Caller, RoutePermission } from "../edge.ts";
import { Counters } from "../metrics/counters.ts";
import { Flusher } from "../metrics/flush.ts";
import { ReadCache } from "../read-path/cache.ts";
import { parseSettings, type Settings } from "../settings.ts";
import { LoadedIsolates } from "../validation/loaded-isolates.ts";
import { ModelCache } from "../validation/model-cache.ts";
import { requireOpen } from "./access/admission.ts";
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
import { type ApiName, type CountedRoute, countedRefusal, type Isolate, RequestEdge } from "./request-edge.ts";
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

  const app = new Hono<Env>({ getPath: readRoutedPath, router: new RouterPerMethod() });
  const mount = (api: ApiName, route: Route) => {
    // Liveness only, which must be true before anything is configured.
    const permission = LIVENESS_PATHS.has(route.path) ? "liveness" : route.permission;
    const { method, path } = route;
    const counted = { api, method, path, isWrite: isWrite(route), counts: counters.route(api, method, path) };
    // This is the path of a read from memory, so a response that is available synchronously creates no promise and no
    // closure.
    app.on(route.method, route.path, (c) => {
      const { raw } = c.req;
      const edge = new RequestEdge(c, isolate, chooseRequestId(raw, newId), counted);
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
    service: makeUnrouted("service", counters),
    native: makeUnrouted("native", counters),
    confluent: makeUnrouted("confluent", counters),
  };
  const unroutedEdge = (c: Context<Env>) =>
    new RequestEdge(c, isolate, chooseRequestId(c.req.raw, newId), unrouted[chooseApi(readRoutedPath(c.req.raw))]);
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
  return route.answer(toCall(c, edge, actor));
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

const NATIVE_PREFIX = "/api/v1";

/** The path to route: as sent, except that the context of a Confluent path moves into the names it qualifies. */
function readRoutedPath(request: Request): string {
  const path = readSentPath(request.url);
  return path.startsWith("/contexts/") ? pathInContext(path) : path;
}

/** The path as sent, still encoded, without the trailing slash that both APIs tolerate. */
function readSentPath(url: string): string {
  const start = url.indexOf("/", url.indexOf(":") + 4);
  if (start === -1) return "/";
  const query = url.indexOf("?", start);
  const path = query === -1 ? url.slice(start) : url.slice(start, query);
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

function toCall(c: Context<Env>, edge: RequestEdge, actor: Actor): Call {
  const { url } = c.req.raw;
  const query = url.indexOf("?");
  const sent = query === -1 ? "" : url.slice(query + 1);
  requireDecodable(c.req.path, sent);
  const path = readSentPath(url);
  const search = path.startsWith("/contexts/") ? searchInContext(path, c.req.method, sent) : sent;
  return {
    request: c.req.raw,
    edge,
    actor,
    caller: toCaller(c.req.raw, edge, actor),
    params: c.req.param(),
    search,
  };
}

const MAX_OVERRIDE_CHARACTERS = 1_024;

/**
 * With the reason, if protections and freezes are overridden: few callers may do so, and every reader sees it in the
 * log.
 */
function toCaller(request: Request, edge: RequestEdge, by: Actor): Caller {
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

function chooseRequestId(request: Request, newId: () => string): string {
  const given = request.headers.get("X-Request-ID");
  return given !== null && REQUEST_ID.test(given) ? given : newId();
}

function errorAnswer(error: unknown, edge: RequestEdge): Answer {
  const { refusal, headers } = countedRefusal(error, edge);
  const { raw } = edge.c.req;
  const answer =
    chooseApi(readRoutedPath(raw)) === "confluent"
      ? confluentErrorAnswer(refusal, raw, () => parseSettings(edge.env).confluentApiLevel)
      : problemAnswer(refusal, edge.requestId);
  return { ...answer, headers: { ...answer.headers, ...headers } };
}

/** The API that a path belongs to, whether or not a route matches. */
function chooseApi(path: string): ApiName {
  if (path === NATIVE_PREFIX || path.startsWith(`${NATIVE_PREFIX}/`)) return "native";
  return SERVICE_PATHS.has(path) ? "service" : "confluent";
}

const SERVICE_PATHS = new Set([...rootRoutes, mcpRoute].map(({ path }) => path));

/** All paths without a route share one name, because clients can invent any number of them. */
function makeUnrouted(api: ApiName, counters: Counters): CountedRoute {
  return { api, method: "any", path: "none", isWrite: false, counts: counters.route(api, "any", "none") };
}

/**
 * Checks, lookups and searches are POSTs only because they need a body; their permissions show that they change
 * nothing.
 */
function isWrite({ method, permission }: Route): boolean {
  return method !== "GET" && /^admin:|:(?:write|delete)$/.test(permission);
}

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

function allowedMethods(app: Hono<Env>, c: Context<Env>): string[] {
  const path = readRoutedPath(c.req.raw);
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
