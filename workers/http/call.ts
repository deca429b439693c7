/** One request on its way through the app: who asks, what may be reached, and what the path named. */
import type { Caller } from "../../registry/rpc.ts";
import type { Actor, Edge } from "../edge.ts";
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

export type Route = {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** As the router spells it: `/schemas/:id`. */
  path: string;
  /** Media types of a successful answer, the usual one first. */
  produces: readonly string[];
  answer(call: Call): Promise<Answer> | Answer;
};
