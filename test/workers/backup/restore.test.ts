import { describe, expect, it } from "vitest";
import { exportedSegments, filledRegistry, restored, rowsOf, stateOf } from "./registries";

describe("a downloaded export", () => {
  it("restores into an empty registry row by row", async () => {
    const source = await filledRegistry();
    const state = await stateOf(source);

    const target = await restored(await exportedSegments(source), state);

    const rows = await rowsOf(target);
    expect(rows).toEqual(await rowsOf(source));
    expect(await stateOf(target)).toEqual(state);
  });
});
