import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { CommitTraces } from "../../../durable-objects/primary/commit-trace.ts";
import type { PrimaryObject } from "../../../durable-objects/primary/object.ts";
import { type CommitAnswer, type CommitRequest, PROTOCOL_VERSION } from "../../../registry/rpc.ts";
import { type PrimaryStub, registerCommand } from "./commands.ts";

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER_SPAN = "00f067aa0ba902b7";
const TRACEPARENT = `00-${TRACE_ID}-${CALLER_SPAN}-01`;
const AS_OF = { epoch: 1, seq: 7, lastHardDelete: 0 };
const DONE = {
  ok: true,
  value: { type: "done", outcome: { type: "mode", mode: null }, repeated: false },
  asOf: AS_OF,
} satisfies CommitAnswer;
const REQUEST: CommitRequest = {
  v: PROTOCOL_VERSION,
  commandId: "c",
  caller: { tenant: "t", actor: "a", requestId: "r" },
  command: { type: "deleteMode", scope: { context: ".", subject: "s" }, recursive: false },
  facts: [],
  storedTexts: [],
  computeMissing: false,
  trace: { traceparent: TRACEPARENT, tracestate: "vendor=1" },
};

afterEach(() => {
  vi.restoreAllMocks();
});

describe("CommitTraces", () => {
  it("remembers the newest commit's trace as a span of the primary's own", () => {
    const traces = new CommitTraces(undefined);

    traces.answered({ ...REQUEST, trace: { traceparent: `00-${"a".repeat(32)}-${CALLER_SPAN}-00` } }, DONE);
    traces.answered(REQUEST, DONE);

    expect(traces.newest?.traceparent).toMatch(new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-01$`));
    expect(traces.newest?.traceparent).not.toContain(CALLER_SPAN);
    expect(traces.newest?.tracestate).toBe("vendor=1");
  });

  it.each<[string, CommitRequest, CommitAnswer]>([
    ["was refused", REQUEST, { ok: false, refusal: { error: "BUSY" } as never, asOf: AS_OF }],
    ["needs facts", REQUEST, { ok: true, value: { type: "needs", needs: [] }, asOf: AS_OF }],
    ["was done before", REQUEST, { ...DONE, value: { ...DONE.value, repeated: true } }],
    ["came without a trace", { ...REQUEST, trace: undefined as never }, DONE],
    ["came with an invalid trace", { ...REQUEST, trace: { traceparent: "x" } }, DONE],
  ])("has no trace for a commit that %s", (_what, request, answer) => {
    const traces = new CommitTraces(undefined);

    traces.answered(request, answer);

    expect(traces.newest).toBeUndefined();
  });

  it.each([
    ["none", 0],
    ["failures", 0],
    [undefined, 0],
    ["writes", 1],
    ["all", 1],
  ])("under REQUEST_LOG %s writes %i lines for a commit, and none for a round", (requestLog, lines) => {
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    const traces = new CommitTraces(requestLog);

    traces.answered(REQUEST, { ok: true, value: { type: "needs", needs: [] }, asOf: AS_OF });
    traces.answered(REQUEST, DONE);

    expect(log).toHaveBeenCalledTimes(lines);
  });

  it("logs the actor, the outcome and the trace of a commit", () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);

    new CommitTraces("writes").answered(REQUEST, DONE);

    expect(JSON.parse(log.mock.calls[0]![0] as string)).toEqual({
      level: "info",
      message: "Commit",
      request_id: "r",
      trace_id: TRACE_ID,
      span_id: expect.stringMatching(/^[0-9a-f]{16}$/),
      tenant: "t",
      actor: "a",
      command: "deleteMode",
      outcome: "done",
      seq: 7,
    });
  });
});

describe("PrimaryObject.alarm", () => {
  it("sends the newest commit's trace with the nudge", async () => {
    const primaries = (env as unknown as { PRIMARIES: { getByName(name: string): PrimaryStub } }).PRIMARIES;
    const sent: unknown[] = [];

    await runInDurableObject(primaries.getByName(`trace-${crypto.randomUUID()}/1`), async (object: PrimaryObject) => {
      const watched = object as unknown as { env: object };
      watched.env = { ...watched.env, CHANGES: { send: async (nudge: unknown) => void sent.push(nudge) } };
      await object.commit({ ...REQUEST, command: registerCommand("orders", '"string"'), computeMissing: true });
      await object.alarm();
    });

    const traceparent = expect.stringMatching(new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-01$`));
    expect(sent).toMatchObject([{ epoch: 1, upToSeq: 1, trace: { traceparent, tracestate: "vendor=1" } }]);
  });
});
