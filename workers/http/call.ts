/** One request inside the app: the caller, what it may reach, and the parameters of its path. */
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
  /** The part after the `?`, not decoded; may be empty. */
  search: string;
};

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export type Route = {
  method: Method;
  /** The router's pattern, such as `/schemas/:id`. */
  path: string;
  /** Media types of a successful response, the default first. */
  produces: readonly string[];
  permission: RoutePermission;
  answer(call: Call): Promise<Answer> | Answer;
};

/** The key of a route table, such as `GET /subjects`. */
export type RouteKey = `${Method} ${string}`;

export function keyOfRoute(method: Method, path: string): RouteKey {
  return `${method} ${path}`;
}

export function splitRouteKey(key: string): { method: Method; path: string } {
  const space = key.indexOf(" ");
  return { method: key.slice(0, space) as Method, path: key.slice(space + 1) };
}
