/** What is counted and logged of an answer: nothing of its content, and nothing of what the caller wrote but the names it goes by. */
import { logLine } from "../../observe/log-line.ts";
import { type TraceContext, traceFields } from "../../observe/trace-context.ts";
import type { Actor } from "../edge.ts";
import type { Counters, ReadClass, ReadSource, RouteCounts } from "../metrics/counters.ts";
import { parseToken } from "../read-path/token.ts";
import type { RequestLog } from "../settings.ts";
import type { Answer } from "./answer.ts";

/** What of a finished request a line or a count names. */
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

/** `source` as the answer's header says it; an answer without one read nothing. Every "not found" is the primary's own word. */
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

/** One line for one request. It names the route and not the path, which may contain names, and never the query. */
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
