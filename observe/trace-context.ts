/** W3C Trace Context (https://www.w3.org/TR/trace-context/), parsed strictly. Random ids are arguments. */

/** A span within a trace. */
export type TraceContext = {
  /** 32 lower-case hex digits. */
  traceId: string;
  /** 16 lower-case hex digits: the span that does the work. */
  spanId: string;
  /** Whether the caller records the trace; passed on unchanged. */
  sampled: boolean;
  /** Vendor data, passed on unchanged; absent if there is none or it is invalid. */
  state?: string;
};

/** The form sent between edge and object, and in nudges. */
export type SentTrace = { traceparent: string; tracestate?: string };

/** §3.3.1.1 allows at most this many members, and §3.3.1.5 requires passing on at least this many characters. */
export const MAX_TRACESTATE_MEMBERS = 32;
export const MAX_TRACESTATE_CHARACTERS = 512;

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = "0".repeat(32);
const NO_SPAN = "0".repeat(16);
const SAMPLED = 1;

/** Undefined if the header names no trace; the receiver then starts one. */
export function parseTrace(traceparent: string | null, tracestate: string | null): TraceContext | undefined {
  const [, version, traceId, spanId, flags, rest] = TRACEPARENT.exec(traceparent ?? "") ?? [];
  if (version === undefined || version === "ff" || traceId === NO_TRACE || spanId === NO_SPAN) return undefined;
  // Only later versions may have further parts.
  if (version === "00" && rest !== undefined) return undefined;
  const state = parseTraceState(tracestate);
  return {
    traceId: traceId!,
    spanId: spanId!,
    sampled: (Number.parseInt(flags!, 16) & SAMPLED) === SAMPLED,
    ...(state === undefined ? {} : { state }),
  };
}

/** Keys of a vendor, or of a tenant at a vendor. */
const STATE_KEY = /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})$/;
/** Printable ASCII except comma and equals sign, not ending in a space. */
const STATE_VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

const PRINTABLE = /^[\t\x20-\x7e]*$/;

/** The members as received, without empty ones; undefined if one is invalid, because then none can be trusted. */
export function parseTraceState(tracestate: string | null): string | undefined {
  if (tracestate === null || !PRINTABLE.test(tracestate)) return undefined;
  const members = tracestate
    .split(",")
    .map((member) => member.trim())
    .filter((member) => member !== "");
  if (members.length === 0 || members.length > MAX_TRACESTATE_MEMBERS) return undefined;
  const keys = new Set<string>();
  for (const member of members) {
    const equals = member.indexOf("=");
    const key = member.slice(0, Math.max(0, equals));
    if (!STATE_KEY.test(key) || !STATE_VALUE.test(member.slice(equals + 1)) || keys.has(key)) return undefined;
    keys.add(key);
  }
  // The newest members come first, so the oldest are dropped.
  while (members.join(",").length > MAX_TRACESTATE_CHARACTERS) members.pop();
  return members.length === 0 ? undefined : members.join(",");
}

export function printTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
}

export function sentTrace(trace: TraceContext): SentTrace {
  const traceparent = printTraceparent(trace);
  return trace.state === undefined ? { traceparent } : { traceparent, tracestate: trace.state };
}

/** A trace context from another part of the registry, which may run another build and send something unreadable. */
export function receivedTrace(sent: unknown): TraceContext | undefined {
  const { traceparent, tracestate } = (sent ?? {}) as Partial<Record<keyof SentTrace, unknown>>;
  if (typeof traceparent !== "string") return undefined;
  return parseTrace(traceparent, typeof tracestate === "string" ? tracestate : null);
}

/** The same trace, with a new span. */
export function nextSpan(trace: TraceContext, spanId: string): TraceContext {
  return { ...trace, spanId };
}

/** The trace's fields in a log line. */
export function traceFields(trace: TraceContext | undefined): { trace_id?: string; span_id?: string } {
  return trace === undefined ? {} : { trace_id: trace.traceId, span_id: trace.spanId };
}
