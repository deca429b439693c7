import { describe, expect, it } from "vitest";
import { runAtOnce, runWithPauses, type Sliced } from "../../schema/slices.ts";

function* countTo(most: number): Sliced<number> {
  let count = 0;
  for (; count < most; count += 1) yield 1;
  return count;
}

describe("runAtOnce", () => {
  it("returns the result for any slices", () => {
    expect(runAtOnce(countTo(0))).toBe(0);
    expect(runAtOnce(countTo(3))).toBe(3);
  });
});

describe("runWithPauses", () => {
  it("awaits the pause after every slice and returns the result", async () => {
    let pauses = 0;
    const pause = async () => {
      pauses += 1;
    };

    expect(await runWithPauses(countTo(3), pause)).toBe(3);
    expect(pauses).toBe(3);
  });
});
