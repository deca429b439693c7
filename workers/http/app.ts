/**
 * The order every request goes through: request id, route, actor, permission, negotiation, handler, headers; and the one
 * place where an error becomes an answer. Kept to one function a request, for reads from memory are measured against a constant.
 */
import { type Context, Hono } from "hono";
import { type Refusal, refuse } from "../../contract/errors";
import type { Actor, Bindings, Edge } from "../edge";
import { PrimaryUnreachable, primaryOf } from "../primary";
import { ReadCache } from "../read-path/cache";
import { parseSettings, type Settings } from "../settings";
import { localActor } from "./actor";
import type { Answer } from "./answer";
import { accepts } from "./body";
import type { Call, Route } from "./call";
import { confluentErrorAnswer, problemAnswer, RegistryError } from "./errors";
import { nativeRoutes } from "./native/routes";
import { ROUTE_PERMISSIONS, type RoutePermission } from "./permissions";
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

  const edgeOf = (c: Context<Env>): Edge => ({
    env: c.env,
    settings: settingsOf(c.env),
    primary: (tenant) => primaryOf(c.env, tenant),
    cache,
    now,
    waitUntil: (promise) => c.executionCtx.waitUntil(promise),
    newId,
  });

  const app = new Hono<Env>({ getPath: pathOf });
  const mounted: Route[] = [...serviceRoutes, ...nativeRoutes];
  for (const route of mounted) {
    const permission = permissionOf(route);
    app.on(route.method, route.path, async (c) => {
      const requestId = requestIdOf(c.req.raw, newId);
      try {
        const actor = actorOf(c.req.raw);
        requirePermission(actor, permission);
        requireAcceptable(c.req.raw, route);
        const call = callOf(c, edgeOf(c), actor, requestId);
        return respond(await route.answer(call), c.req.raw, requestId);
      } catch (error) {
        return respond(errorAnswer(error, c, requestId), c.req.raw, requestId);
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

export const NATIVE_PREFIX = "/api/v1";

/** The path as it was sent, still encoded, without the slash at its end that both APIs tolerate. */
function pathOf(request: Request): string {
  const { url } = request;
  const start = url.indexOf("/", url.indexOf(":") + 4);
  if (start === -1) return "/";
  const query = url.indexOf("?", start);
  const path = query === -1 ? url.slice(start) : url.slice(start, query);
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

function callOf(c: Context<Env>, edge: Edge, actor: Actor, requestId: string): Call {
  const { url } = c.req.raw;
  const query = url.indexOf("?");
  const search = query === -1 ? "" : url.slice(query + 1);
  requireDecodable(c.req.path, search);
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

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

function respond({ status, headers, body }: Answer, request: Request, requestId: string): Response {
  const traceparent = request.headers.get("traceparent");
  return new Response(body as BodyInit | null, {
    status,
    headers: {
      "Cache-Control": "no-store",
      "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
      "Referrer-Policy": "no-referrer",
      "X-Content-Type-Options": "nosniff",
      "X-Request-ID": requestId,
      ...(traceparent !== null && TRACEPARENT.test(traceparent) ? { traceparent } : {}),
      ...headers,
    },
  });
}

function errorAnswer(error: unknown, c: Context<Env>, requestId: string): Answer {
  const { refusal, headers } = refusalOf(error, requestId);
  const path = pathOf(c.req.raw);
  const isNative = path === NATIVE_PREFIX || path.startsWith(`${NATIVE_PREFIX}/`) || SERVICE_PATHS.has(path);
  const answer = isNative ? problemAnswer(refusal, requestId) : confluentErrorAnswer(refusal);
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
