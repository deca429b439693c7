import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { withLossTables } from "../../scripts/loss-tables.ts";

describe("docs/compatibility.md", () => {
  it("has the tables generated from the code", () => {
    const page = readFileSync("docs/compatibility.md", "utf8");

    expect(page).toBe(withLossTables(page));
  });
});
