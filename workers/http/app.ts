/**
 * The order every request goes through: request id, route, actor, permission, negotiation, handler, headers; and the one
 * place where an error becomes an answer. Kept to one function a request, for reads from memory are measured against a constant.
 */
import { type Context, Hono } from "hono";
import { type Refusal, refuse } from "../../contract/errors";
import { PRIMARY_DEADLINE_MS, PrimaryUnreachable, primaryOf } from "../../durable-objects/primary-client";
import type { Actor, Bindings, Edge } from "../edge";
import { ReadCache } from "../read-path/cache";
import { parseSettings, type Settings } from "../settings";
import { localActor } from "./actor";
import { type Answer, respond } from "./answer";
import { accepts } from "./body";
import type { Call, Route } from "./call";
import { pathInContext, searchInContext } from "./confluent/context-path";
import { confluentErrorAnswer } from "./confluent/errors";
import { confluentRoutes } from "./confluent/routes";
import { problemAnswer, RegistryError } from "./errors";
import { nativeRoutes } from "./native/routes";
import { ROUTE_PERMISSIONS, type RoutePermission } from "./permissions";
import { RouterPerMethod } from "./router";
import { serviceRoutes } from "./service";

export type AppOptions = {
  cache?: ReadCache;
  now?: () => number;
  newId?: () => string;
  /** Says who acts; later the credential does. */
  actorOf?: (request: Request) => Actor;
};

type Env = { Bindings: Bindings };

/** One edge: its memory is the only state that outlives a request. */
export function createApp(options: AppOptions = {}) {
  const cache = options.cache ?? new ReadCache();
  const now = options.now ?? (() => Date.now());
  const newId = options.newId ?? (() => crypto.randomUUID());
  const actorOf = options.actorOf ?? localActor;
  const settingsOf = rememberingLast(parseSettings);

  const app = new Hono<Env>({ getPath: pathOf, router: new RouterPerMethod() });
  for (const route of [...serviceRoutes, ...nativeRoutes, ...confluentRoutes]) {
    const permission = permissionOf(route);
    // No promise and no closure on the way of an answer that is at hand: this is the path of a read from memory.
    app.on(route.method, route.path, (c) => {
      const { raw } = c.req;
      const requestId = requestIdOf(raw, newId);
      try {
        const actor = actorOf(raw);
        requirePermission(actor, permission);
        requireAcceptable(raw, route);
        const edge = new RequestEdge(c, settingsOf(c.env), cache, now, newId);
        const answer = route.answer(callOf(c, edge, actor, requestId));
        return answer instanceof Promise ? answered(answer, c, requestId) : respond(answer, raw, requestId);
      } catch (error) {
        return respond(errorAnswer(error, c, requestId), raw, requestId);
      }
    });
  }

  app.notFound((c) => {
    const requestId = requestIdOf(c.req.raw, newId);
    return respond(errorAnswer(noRoute(app, c), c, requestId), c.req.raw, requestId);
  });
  app.onError((error, c) => {
    const requestId = requestIdOf(c.req.raw, newId);
    return respond(errorAnswer(error, c, requestId), c.req.raw, requestId);
  });
  return app;
}

async function answered(answer: Promise<Answer>, c: Context<Env>, requestId: string): Promise<Response> {
  try {
    return respond(await answer, c.req.raw, requestId);
  } catch (error) {
    return respond(errorAnswer(error, c, requestId), c.req.raw, requestId);
  }
}

/** What one request may reach. A class, for making one must cost no closures. */
class RequestEdge implements Edge {
  readonly env: Bindings;
  #giveUpAtMs = 0;

  constructor(
    readonly c: Context<Env>,
    readonly settings: Settings,
    readonly cache: ReadCache,
    readonly now: () => number,
    readonly newId: () => string,
  ) {
    this.env = c.env;
  }

  primary(tenant: string) {
    // Counted from the first call: until then the request has only computed.
    this.#giveUpAtMs ||= Date.now() + PRIMARY_DEADLINE_MS;
    return primaryOf(this.env, tenant, this.#giveUpAtMs);
  }

  waitUntil(promise: Promise<unknown>): void {
    this.c.executionCtx.waitUntil(promise);
  }
}

export const NATIVE_PREFIX = "/api/v1";

/** The path that is routed: as it was sent, but for a context of the Confluent API, which moves into the names it is about. */
function pathOf(request: Request): string {
  const path = sentPathOf(request.url);
  return path.startsWith("/contexts/") ? pathInContext(path) : path;
}

/** The path as it was sent, still encoded, without the slash at its end that both APIs tolerate. */
function sentPathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf(":") + 4);
  if (start === -1) return "/";
  const query = url.indexOf("?", start);
  const path = query === -1 ? url.slice(start) : url.slice(start, query);
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

function callOf(c: Context<Env>, edge: Edge, actor: Actor, requestId: string): Call {
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
    caller: { tenant: actor.tenant, actor: actor.actor, requestId },
    params: c.req.param(),
    search,
  };
}

/** A `%` sequence that is no UTF-8 would be read as something else than was meant. */
function requireDecodable(path: string, search: string): void {
  for (const part of [path, search]) {
    if (!part.includes("%")) continue;
    try {
      decodeURIComponent(part);
    } catch {
      throw new RegistryError(
        refuse("BAD_REQUEST", ["Malformed percent-encoding"], "The URL holds a percent-encoding that is not UTF-8."),
      );
    }
  }
}

/** Throws when the module loads, so a route without an entry never serves a request. */
function permissionOf({ method, path }: Route): RoutePermission {
  const permission = ROUTE_PERMISSIONS[`${method} ${path}`];
  if (permission === undefined) throw new Error(`Route ${method} ${path} has no entry in ROUTE_PERMISSIONS.`);
  return permission;
}

function requirePermission({ permissions }: Actor, permission: RoutePermission): void {
  if (permission === "public" || permissions.has(permission)) return;
  throw new RegistryError(refuse("FORBIDDEN", [], `This credential does not carry the permission "${permission}".`));
}

function requireAcceptable(request: Request, { produces }: Route): void {
  if (accepts(request.headers.get("Accept"), produces)) return;
  throw new RegistryError(refuse("NOT_ACCEPTABLE", [], `This resource is offered as ${produces.join(", ")}.`));
}

const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

function requestIdOf(request: Request, newId: () => string): string {
  const given = request.headers.get("X-Request-ID");
  return given !== null && REQUEST_ID.test(given) ? given : newId();
}

function errorAnswer(error: unknown, c: Context<Env>, requestId: string): Answer {
  const { refusal, headers } = refusalOf(error, requestId);
  const path = pathOf(c.req.raw);
  const isNative = path === NATIVE_PREFIX || path.startsWith(`${NATIVE_PREFIX}/`) || SERVICE_PATHS.has(path);
  const answer = isNative
    ? problemAnswer(refusal, requestId)
    : confluentErrorAnswer(refusal, c.req.raw, () => parseSettings(c.env).confluentApiLevel);
  return { ...answer, headers: { ...answer.headers, ...headers } };
}

const SERVICE_PATHS = new Set(serviceRoutes.map(({ path }) => path));

function refusalOf(error: unknown, requestId: string): { refusal: Refusal; headers: Readonly<Record<string, string>> } {
  if (error instanceof RegistryError) return error;
  if (error instanceof PrimaryUnreachable) return { refusal: error.refusal, headers: {} };
  // A bug: the operator gets the stack, the caller an id to ask for it with.
  console.error(
    JSON.stringify({
      message: "Unexpected error",
      request_id: requestId,
      error: String(error),
      stack: (error as Error)?.stack,
    }),
  );
  return { refusal: refuse("INTERNAL", [], "Something went wrong on the server."), headers: {} };
}

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

function noRoute(app: Hono<Env>, c: Context<Env>): RegistryError {
  const path = pathOf(c.req.raw);
  const allowed = METHODS.filter((method) => app.router.match(method, path)[0].length > 0);
  if (allowed.length === 0) return new RegistryError(refuse("ROUTE_NOT_FOUND", [], "There is nothing at this path."));
  const allow = [...allowed, ...(allowed.includes("GET") ? ["HEAD"] : [])].join(", ");
  return new RegistryError(
    refuse(
      "METHOD_NOT_ALLOWED",
      [],
      `${c.req.method} is not possible here; ${allow} ${allowed.length > 1 ? "are" : "is"}.`,
    ),
    { Allow: allow },
  );
}

/** The environment is one object in an isolate's life; its vars are parsed once. */
function rememberingLast(parse: (env: Bindings) => Settings): (env: Bindings) => Settings {
  let last: { env: Bindings; settings: Settings } | undefined;
  return (env) => {
    if (last?.env !== env) last = { env, settings: parse(env) };
    return last.settings;
  };
}
