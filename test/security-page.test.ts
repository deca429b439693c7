import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

const page = readFileSync("docs/security.md", "utf8");
const rows = page
  .slice(page.indexOf("## Threats"))
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .slice(1)
  .map((line) => line.slice(2, -2).split(" | "));

describe("the threats of docs/security.md", () => {
  it("each name what stops them, and a test that is there", () => {
    expect(rows.length).toBeGreaterThan(15);
    for (const row of rows) {
      const [threat, mitigation, tests = ""] = row;
      expect(row, threat).toHaveLength(3);
      expect(mitigation!.length, threat).toBeGreaterThan(5);
      const [first = "", ...more] = tests.split(", ");
      // Further files may be named beside the first.
      for (const file of [first, ...more.map((name) => (name.includes("/") ? name : join(dirname(first), name)))]) {
        expect(existsSync(file), `${threat}: ${file}`).toBe(true);
      }
    }
  });
});
