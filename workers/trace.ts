/** The edge's part of a trace: its own span in the caller's trace, or the first span of a new one. */
import { nextSpan, parseTrace, type TraceContext } from "../observe/trace-context.ts";

/** An invalid traceparent starts a new trace, and its tracestate is dropped. */
export function readTrace(headers: Pick<Headers, "get">): TraceContext {
  const traceparent = headers.get("traceparent");
  const received = traceparent === null ? undefined : parseTrace(traceparent, headers.get("tracestate"));
  return received === undefined ? newTrace() : nextSpan(received, newSpanId());
}

/** A trace that starts here is recorded only in log lines, so it is not sampled. */
export function newTrace(): TraceContext {
  return { traceId: randomHex(16), spanId: newSpanId(), sampled: false };
}

export function newSpanId(): string {
  return randomHex(8);
}

function randomHex(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex");
}
