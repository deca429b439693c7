/** One request on its way through the app: who asks, what may be reached, and what the path named. */
import type { Caller } from "../../registry/rpc.ts";
import type { Actor, Edge, RoutePermission } from "../edge.ts";
import type { Answer } from "./answer.ts";

export type Call = {
  request: Request;
  edge: Edge;
  actor: Actor;
  caller: Caller;
  /** Decoded path parameters. */
  params: Readonly<Record<string, string>>;
  /** What follows the `?`, not decoded, or empty. */
  search: string;
};

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export type Route = {
  method: Method;
  /** As the router spells it: `/schemas/:id`. */
  path: string;
  /** Media types of a successful answer, the usual one first. */
  produces: readonly string[];
  permission: RoutePermission;
  answer(call: Call): Promise<Answer> | Answer;
};

/** What a table of routes is keyed by: `GET /subjects`. */
export type RouteKey = `${Method} ${string}`;

export function keyOfRoute(method: Method, path: string): RouteKey {
  return `${method} ${path}`;
}

export function splitRouteKey(key: string): { method: Method; path: string } {
  const space = key.indexOf(" ");
  return { method: key.slice(0, space) as Method, path: key.slice(space + 1) };
}
