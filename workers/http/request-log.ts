/**
 * What is counted and logged about a response: nothing of its content, and nothing the caller wrote except the names of
 * tenant and actor.
 */
import { logLine } from "../../observe/log-line.ts";
import { type TraceContext, traceFields } from "../../observe/trace-context.ts";
import type { Actor } from "../edge.ts";
import type { Counters, ReadClass, ReadSource, RouteCounts } from "../metrics/counters.ts";
import { parseToken } from "../read-path/token.ts";
import type { RequestLog } from "../settings.ts";
import type { Answer } from "./answer.ts";

/** The properties of a finished request that lines and counts use. */
type Finished = {
  requestId: string;
  actor: Actor | undefined;
  route: { counts: RouteCounts };
  readClass: ReadClass;
  counters: Counters;
  trace(): TraceContext;
};

const FAILURE = 500;
const REFUSAL = 400;

/**
 * `source` comes from the response's header; a response without one read nothing. Every "not found" comes from the
 * primary.
 */
export function countRead({ counters, readClass }: Finished, { status, headers }: Answer): void {
  const source = headers["X-Registry-Source"];
  if (source === undefined) return;
  counters.read(status === 404 ? "head" : readClass, source as ReadSource, headers["X-Registry-Stale"] !== undefined);
}

export function isLogged(requestLog: RequestLog, status: number, isWrite: boolean): boolean {
  switch (requestLog) {
    case "none":
      return false;
    case "failures":
      return status >= FAILURE;
    case "writes":
      return isWrite || status >= FAILURE;
    case "all":
      return true;
  }
}

/** One line per request. It contains the route instead of the path, which may contain names, and never the query. */
export function logRequest(finished: Finished, { status, headers, prebuilt }: Answer, durationMs: number): void {
  const { requestId, actor, route } = finished;
  const { api, method, route: pattern } = route.counts;
  const token = prebuilt?.get("X-Registry-Seq") ?? headers["X-Registry-Seq"];
  logLine(status >= FAILURE ? "error" : status >= REFUSAL ? "warn" : "info", "Request", {
    request_id: requestId,
    ...traceFields(finished.trace()),
    tenant: actor?.tenant,
    actor: actor?.actor,
    api,
    route: pattern,
    method,
    status,
    duration_ms: durationMs,
    source: prebuilt?.get("X-Registry-Source") ?? headers["X-Registry-Source"],
    seq: token === undefined ? undefined : parseToken(token)?.seq,
  });
}
