/** The edge's hop in a trace: a span of its own in the caller's trace, or the first of a new one. */
import { nextSpan, parseTrace, type TraceContext } from "../observe/trace-context.ts";

/** A header that names no trace starts one, and what other systems said with it is dropped. */
export function traceOf(headers: Pick<Headers, "get">): TraceContext {
  const traceparent = headers.get("traceparent");
  const received = traceparent === null ? undefined : parseTrace(traceparent, headers.get("tracestate"));
  return received === undefined ? newTrace() : nextSpan(received, newSpanId());
}

/** Nothing but log lines is recorded of a trace that starts here, so it is not sampled. */
export function newTrace(): TraceContext {
  return { traceId: randomHex(16), spanId: newSpanId(), sampled: false };
}

export function newSpanId(): string {
  return randomHex(8);
}

function randomHex(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex");
}
