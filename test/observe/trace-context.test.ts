import { describe, expect, it } from "vitest";
import {
  MAX_TRACESTATE_CHARACTERS,
  MAX_TRACESTATE_MEMBERS,
  nextSpan,
  parseTrace,
  parseTraceState,
  printTraceparent,
  receivedTrace,
  sentTrace,
} from "../../observe/trace-context.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

describe("parseTrace", () => {
  it("reads a trace, its span and whether it is sampled", () => {
    expect(parseTrace(`00-${TRACE}-${SPAN}-01`, null)).toEqual({ traceId: TRACE, spanId: SPAN, sampled: true });
    expect(parseTrace(`00-${TRACE}-${SPAN}-00`, null)?.sampled).toBe(false);
  });

  it("keeps only known flags", () => {
    const trace = parseTrace(`00-${TRACE}-${SPAN}-ff`, null);

    expect(printTraceparent(trace!)).toBe(`00-${TRACE}-${SPAN}-01`);
  });

  it("reads a later version with further parts, and continues the trace as version 00", () => {
    const later = parseTrace(`cc-${TRACE}-${SPAN}-01-what-the-future-brings`, null);

    expect(printTraceparent(later!)).toBe(`00-${TRACE}-${SPAN}-01`);
    expect(parseTrace(`cc-${TRACE}-${SPAN}-01`, null)).toBeDefined();
  });

  it.each([
    ["nothing", ""],
    ["the version that is none", `ff-${TRACE}-${SPAN}-01`],
    ["this version with more after the flags", `00-${TRACE}-${SPAN}-01-more`],
    ["a later version with more and no dash", `cc-${TRACE}-${SPAN}-01more`],
    ["a trace of zeros", `00-${"0".repeat(32)}-${SPAN}-01`],
    ["a span of zeros", `00-${TRACE}-${"0".repeat(16)}-01`],
    ["capitals", `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ["a short trace", `00-${TRACE.slice(1)}-${SPAN}-01`],
    ["no flags", `00-${TRACE}-${SPAN}`],
    ["two headers in one", `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
    ["spaces", ` 00-${TRACE}-${SPAN}-01`],
  ])("refuses %s", (_what, traceparent) => {
    expect(parseTrace(traceparent, null)).toBeUndefined();
  });

  it("keeps a trace with an invalid tracestate, without the tracestate", () => {
    const trace = parseTrace(`00-${TRACE}-${SPAN}-01`, "a=1,a=2");

    expect(trace).toBeDefined();
    expect(trace).not.toHaveProperty("state");
  });
});

describe("parseTraceState", () => {
  it.each([
    ["rojo=00f067aa0ba902b7", "rojo=00f067aa0ba902b7"],
    ["a=1, b=2\t,\tc=3", "a=1,b=2,c=3"],
    ["a=1,,b=2,", "a=1,b=2"],
    ["fw529a3039@dt=FfAAAAA;BcAA", "fw529a3039@dt=FfAAAAA;BcAA"],
    ["a= 1", "a= 1"],
  ])("reads %j as %j", (sent, read) => {
    expect(parseTraceState(sent)).toBe(read);
  });

  it.each([
    "",
    " ",
    ",",
    "a",
    "a=",
    "=1",
    "A=1",
    "1a=1",
    "a=1=2",
    "a=1,a=2",
    "a=é",
    "a@=1",
    "a b=1",
    "a@toolongsystemid=1",
  ])("drops %j", (sent) => {
    expect(parseTraceState(sent)).toBeUndefined();
  });

  it("accepts the maximum of members, and drops a tracestate with one more", () => {
    const members = (count: number) => Array.from({ length: count }, (_, index) => `k${index}=v`).join(",");

    expect(parseTraceState(members(MAX_TRACESTATE_MEMBERS))).toBe(members(MAX_TRACESTATE_MEMBERS));
    expect(parseTraceState(members(MAX_TRACESTATE_MEMBERS + 1))).toBeUndefined();
  });

  it("passes on the maximum of characters, and drops the oldest members beyond it", () => {
    const exact = `a=${"x".repeat(252)},b=${"y".repeat(254)}`;
    const over = `a=${"x".repeat(252)},b=${"y".repeat(255)}`;

    expect(exact).toHaveLength(MAX_TRACESTATE_CHARACTERS - 1);
    expect(parseTraceState(`${exact}z`)).toBe(`${exact}z`);
    expect(parseTraceState(`${over}z`)).toBe(`a=${"x".repeat(252)}`);
  });
});

describe("a trace on its way", () => {
  it("is received unchanged", () => {
    const trace = parseTrace(`00-${TRACE}-${SPAN}-01`, "a=1")!;

    expect(receivedTrace(sentTrace(trace))).toEqual(trace);
    expect(receivedTrace(sentTrace(nextSpan(trace, "b".repeat(16))))).toEqual({ ...trace, spanId: "b".repeat(16) });
  });

  it.each([undefined, null, "00", 7, {}, { traceparent: 7 }, { traceparent: "x" }])(
    "is dropped if %j is received",
    (sent) => {
      expect(receivedTrace(sent)).toBeUndefined();
    },
  );
});
