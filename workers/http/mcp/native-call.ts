/** Calls the native API's handlers from inside the Worker, so that a tool obeys the same rules as the HTTP API. */
import { requirePermission } from "../access/require-permission.ts";
import type { Answer } from "../answer.ts";
import type { Call, Route, RouteKey } from "../call.ts";
import { RegistryError } from "../errors.ts";
import { nativeRoutes } from "../native/routes.ts";

type Parts = {
  path?: Readonly<Record<string, string>>;
  query?: Readonly<Record<string, string | undefined>>;
  body?: unknown;
};

export type CallNative = (route: RouteKey, parts?: Parts) => Promise<unknown>;

/** Routes by method and the path of the document, such as `GET /subjects/{subject}`. */
const ROUTES: ReadonlyMap<string, Route> = new Map(
  nativeRoutes.map((route) => [
    `${route.method} ${route.path.replace("/api/v1", "").replaceAll(/:(\w+)(?:\{\.\+\})?/g, "{$1}")}`,
    route,
  ]),
);

/**
 * Calls with the credential, the tenant and the request id of the surrounding request. Every failure is a
 * RegistryError, which has been counted, logged and recorded like one of a request.
 */
export function nativeCaller(call: Call): CallNative {
  return async (key, parts = {}) => {
    const route = ROUTES.get(key);
    if (route === undefined) throw new Error(`The native API has no route ${key}.`);
    try {
      return await callRoute(route, call, parts);
    } catch (error) {
      const { method, path } = route;
      throw new RegistryError(call.edge.refusalOfCall(error, { method, path, subject: parts.path?.subject }));
    }
  };
}

async function callRoute(route: Route, call: Call, { path = {}, query = {}, body }: Parts): Promise<unknown> {
  requirePermission(call.edge, call.actor, route);
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const search = new URLSearchParams(given).toString();
  const answer = await route.answer({ ...call, request: requestFor(route, call, body), params: path, search });
  return readAnswer(answer);
}

function requestFor({ method, path }: Route, { request, edge }: Call, body: unknown): Request {
  const headers: Record<string, string> = { Accept: "application/json" };
  for (const name of ["X-Registry-Override", edge.settings.access.addressHeader]) {
    const value = name === undefined ? null : request.headers.get(name);
    if (name !== undefined && value !== null) headers[name] = value;
  }
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  return new Request(new URL(path, request.url), init);
}

async function readAnswer({ body }: Answer): Promise<unknown> {
  if (body === null) return null;
  const text = typeof body === "string" ? body : await new Response(body as BodyInit).text();
  return JSON.parse(text);
}
