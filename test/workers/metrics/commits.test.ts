import { describe, expect, it } from "vitest";
import { makeRefusal } from "../../../contract/errors.ts";
import type { Need } from "../../../registry/commands.ts";
import type { CommitAnswer, CommitRequest } from "../../../registry/rpc.ts";
import type { Edge } from "../../../workers/edge.ts";
import { Counters } from "../../../workers/metrics/counters.ts";
import { commitCommand } from "../../../workers/registry/write/commit.ts";
import { newTrace } from "../../../workers/trace.ts";

const AS_OF = { epoch: 1, seq: 1, lastHardDelete: 0 };
const DONE = {
  ok: true,
  value: { type: "done", outcome: { type: "mode", mode: null }, repeated: false },
  asOf: AS_OF,
} satisfies CommitAnswer;
const CALLER = { tenant: "t", actor: "a", requestId: "r" };
/** A text that is already in R2, so that the need is met without an upload. */
const TEXT: Need = { type: "text", key: "k", contentHash: "0".repeat(64) as never };

/** Commits against a primary with these successive answers; returns the counts and the calls. */
async function commitAnswered(...answers: (CommitAnswer | Error)[]) {
  const counters = new Counters();
  const sent: Omit<CommitRequest, "v">[] = [];
  const trace = newTrace();
  const commit = async (request: Omit<CommitRequest, "v">) => {
    const answer = answers[sent.push(request) - 1]!;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const edge = {
    counters,
    trace: () => trace,
    newId: () => "id",
    now: () => 0,
    tenant: CALLER.tenant,
    primary: { commit },
  } as unknown as Edge;
  const command = { type: "deleteMode", scope: { context: ".", subject: "s" }, recursive: false } as const;
  await commitCommand(edge, CALLER, command).catch(() => undefined);
  const counted = counters.take().map(({ metric, labels, values }) => `${metric} ${labels} ${values}`);
  return { counted, sent, trace };
}

const needs = (...kinds: Need[]): CommitAnswer => ({ ok: true, value: { type: "needs", needs: kinds }, asOf: AS_OF });

describe("commitCommand", () => {
  it("sends every call of a commit under the trace of its request", async () => {
    const { sent, trace } = await commitAnswered(needs(TEXT), DONE);

    const traceparent = `00-${trace.traceId}-${trace.spanId}-00`;
    expect(sent.map((request) => request.trace)).toEqual([{ traceparent }, { traceparent }]);
  });

  it.each<[string, (CommitAnswer | Error)[], string[]]>([
    ["done at once", [DONE], ["done", "1,0,0,0,0"]],
    ["done after a round", [needs(TEXT), DONE], ["done", "0,1,0,0,1"]],
    ["repeated", [{ ...DONE, value: { ...DONE.value, repeated: true } }], ["repeated", "1,0,0,0,0"]],
    ["refused", [{ ok: false, refusal: makeRefusal("BAD_REQUEST", [], ""), asOf: AS_OF }], ["refused", "1,0,0,0,0"]],
    [
      "incompatible",
      [needs(TEXT), { ok: false, refusal: makeRefusal("INCOMPATIBLE_SCHEMA", [], ""), asOf: AS_OF }],
      ["incompatible", "0,1,0,0,1"],
    ],
    ["busy", [{ ok: false, refusal: makeRefusal("BUSY", [], ""), asOf: AS_OF }], ["busy", "1,0,0,0,0"]],
    ["failed", [new Error("unreachable")], ["failed", "1,0,0,0,0"]],
  ])("counts a commit that is %s", async (_what, answers, [outcome, rounds]) => {
    const { counted } = await commitAnswered(...answers);

    expect(counted).toEqual([
      `registry_commits_total deleteMode,${outcome} 1`,
      `registry_commit_needs_rounds deleteMode ${rounds}`,
    ]);
  });

  it("counts a conflict if the primary requests facts again that it was sent", async () => {
    const { counted } = await commitAnswered(needs(TEXT), needs(TEXT), DONE);

    expect(counted).toContain("registry_commit_conflicts_total deleteMode 1");
    expect(counted).toContain("registry_commit_needs_rounds deleteMode 0,0,1,0,2");
  });
});
