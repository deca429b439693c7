import { describe, expect, it } from "vitest";
import { withinDeadline } from "../../registry/deadline.ts";

const never = new Promise<never>(() => undefined);

describe("withinDeadline", () => {
  it("returns the value, or the error, of work that ends in time", async () => {
    expect(await withinDeadline(1_000, Promise.resolve(1), () => 2)).toBe(1);
    await expect(withinDeadline(1_000, Promise.reject(new Error("broken")), () => 2)).rejects.toThrow("broken");
  });

  it("returns the value of `late`, or throws its error", async () => {
    expect(await withinDeadline(1, never, () => "late")).toBe("late");
    expect(await withinDeadline(-5, never, () => "late")).toBe("late");
    await expect(
      withinDeadline(1, never, () => {
        throw new Error("too late");
      }),
    ).rejects.toThrow("too late");
  });
});
