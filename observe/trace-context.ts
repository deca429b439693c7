/** W3C Trace Context (https://www.w3.org/TR/trace-context/), read as strictly as it is written. Random parts come in as arguments. */

/** Where a piece of work stands in a trace. */
export type TraceContext = {
  /** 32 lower-case hex digits. */
  traceId: string;
  /** 16 lower-case hex digits: of whoever does the work. */
  spanId: string;
  /** Whether the caller recorded its part, handed on unchanged. */
  sampled: boolean;
  /** What other systems told each other, handed on unchanged; absent where there is nothing valid. */
  state?: string;
};

/** As it travels: between edge and object, and in a nudge. */
export type SentTrace = { traceparent: string; tracestate?: string };

/** §3.3.1.1: at most so many members, and §3.3.1.5: at least so many characters are handed on; ours is exactly that. */
export const MAX_TRACESTATE_MEMBERS = 32;
export const MAX_TRACESTATE_CHARACTERS = 512;

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = "0".repeat(32);
const NO_SPAN = "0".repeat(16);
const SAMPLED = 1;

/** Undefined where the header names no trace: then the receiver starts one. */
export function parseTrace(traceparent: string | null, tracestate: string | null): TraceContext | undefined {
  const [, version, traceId, spanId, flags, rest] = TRACEPARENT.exec(traceparent ?? "") ?? [];
  if (version === undefined || version === "ff" || traceId === NO_TRACE || spanId === NO_SPAN) return undefined;
  // A later version may say more after a dash; this one may not.
  if (version === "00" && rest !== undefined) return undefined;
  const state = parseTraceState(tracestate);
  return {
    traceId: traceId!,
    spanId: spanId!,
    sampled: (Number.parseInt(flags!, 16) & SAMPLED) === SAMPLED,
    ...(state === undefined ? {} : { state }),
  };
}

/** Keys of one vendor, or of a tenant at a vendor. */
const STATE_KEY = /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})$/;
/** Printable ASCII without comma and equals sign, not ending in a space. */
const STATE_VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

const PRINTABLE = /^[\t\x20-\x7e]*$/;

/** The members as they came, without empty ones; undefined where one is wrong, for then none can be trusted. */
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
  // The newest members stand first, so the oldest give way.
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

/** What arrived from another part of the registry; a part of another build may have sent what cannot be read. */
export function receivedTrace(sent: unknown): TraceContext | undefined {
  const { traceparent, tracestate } = (sent ?? {}) as Partial<Record<keyof SentTrace, unknown>>;
  if (typeof traceparent !== "string") return undefined;
  return parseTrace(traceparent, typeof tracestate === "string" ? tracestate : null);
}

/** The same trace, one hop further. */
export function nextSpan(trace: TraceContext, spanId: string): TraceContext {
  return { ...trace, spanId };
}

/** What a log line says of it. */
export function traceFields(trace: TraceContext | undefined): { trace_id?: string; span_id?: string } {
  return trace === undefined ? {} : { trace_id: trace.traceId, span_id: trace.spanId };
}
