import { describe, expect, it } from "vitest";
import { comparePortability } from "../../../schema/projection/portability.ts";

describe("comparePortability", () => {
  it("gives the profiles whose verdict differs from the previous newest one's", () => {
    const before = { "a@2026-10": "impossible", "a@2026-11": "lossy", "b@2026-07": "ready" } as const;
    const after = { "a@2026-11": "lossy", "a@2027-01": "lossless", "b@2026-07-15": "ready" } as const;

    expect(comparePortability(before, after)).toEqual([
      { profile: "a@2027-01", readiness: "lossless", previousProfile: "a@2026-11", previousReadiness: "lossy" },
    ]);
  });

  it("takes a day to be later than its month", () => {
    const before = { "a@2026-11": "ready" } as const;
    const after = { "a@2026-11-05": "lossy", "a@2026-11": "ready" } as const;

    expect(comparePortability(before, after)).toMatchObject([{ profile: "a@2026-11-05" }]);
  });

  it("gives no profile that only one of the summaries has", () => {
    expect(comparePortability({ "a@2026-11": "ready" }, { "b@2026-11": "lossy" })).toEqual([]);
  });
});
