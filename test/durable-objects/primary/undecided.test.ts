import { describe, expect, it } from "vitest";
import type { Comparison } from "../../../schema/compatibility.ts";
import { commit, lastSeq, primaryWith, register, registerCommand } from "./commands.ts";
import { BREAKING, lineFormat } from "./line-format.ts";

const SCOPE = { context: ".", subject: "s" };
const TOO_COMPLEX: Comparison = {
  ok: false,
  refusal: { reason: "too_complex", pointer: "/deep", message: "Too deep." },
};

/** A format whose policy `semantic` never decides. */
function undecidedFormat(strict: Comparison) {
  const format = lineFormat();
  format.compare = (_reader, _writer, { policy }) => (policy === "semantic" ? TOO_COMPLEX : strict);
  return format;
}

describe("a pair that semantic cannot decide", () => {
  it.each<[string, Comparison, object]>([
    ["lets strict accept it", { ok: true, value: { differences: [] } }, { ok: true, value: { type: "done" } }],
    [
      "lets strict refuse it, and says so first",
      { ok: true, value: { differences: [BREAKING] } },
      {
        refusal: {
          error: "INCOMPATIBLE_SCHEMA",
          extra: { verdict: { differences: [{ kind: "SEMANTIC_UNDECIDED" }, {}] } },
        },
      },
    ],
    ["is refused as too complex where strict cannot decide either", TOO_COMPLEX, { refusal: { error: "TOO_COMPLEX" } }],
  ])("%s", async (_what, strict, expected) => {
    const format = undecidedFormat(strict);
    const primary = await primaryWith(format);
    await register(primary, "s", "a");

    expect(await commit(primary, registerCommand("s", "b"), { format })).toMatchObject(expected);
  });

  it("is refused with the location if the subject refuses undecided comparisons, and nothing is written", async () => {
    const format = undecidedFormat({ ok: true, value: { differences: [] } });
    const primary = await primaryWith(format);
    await register(primary, "s", "a");
    await commit(primary, { type: "setConfig", scope: SCOPE, changes: { undecided: "refuse" } });
    const before = await lastSeq(primary);

    const answer = await commit(primary, registerCommand("s", "b"), { format });

    expect(answer).toMatchObject({ refusal: { error: "TOO_COMPLEX", detail: expect.stringContaining("at /deep") } });
    expect(await lastSeq(primary)).toBe(before);
  });
});
