import { spawnSync } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";
import { WRITER_ASSUMPTIONS } from "../../../../../schema/compatibility.ts";
import { MAX_LISTED_DIFFERENCES } from "../../../../../schema/json/compare/bounds.ts";
import type { Outcome } from "./compare-pairs.ts";
import { MANY_CHANGES, PAIRS } from "./pairs.ts";

/** Node itself, the largest two models (about 30 MB), and the 48 MB that a comparison may take. */
const HEAP_MB = 88;
/** Allows for a machine that is busy with other tests. */
const PATIENCE_MS = 240_000;

describe.each(WRITER_ASSUMPTIONS)("compareInSlices in a small heap, with writers %s", (writers) => {
  let outcomes: ReadonlyMap<string, Outcome>;

  beforeAll(() => {
    const child = spawnSync(
      process.execPath,
      [
        "--no-warnings",
        `--max-old-space-size=${HEAP_MB}`,
        "--max-semi-space-size=2",
        "test/schema/json/compare/bounds/compare-pairs.ts",
        writers,
      ],
      { encoding: "utf8" },
    );
    expect(child.stderr).toBe("");
    const lines = child.stdout.trim().split("\n");
    outcomes = new Map(lines.map((line) => JSON.parse(line) as Outcome).map((outcome) => [outcome.name, outcome]));
  }, PATIENCE_MS);

  it.each(PAIRS)("terminates on $name", ({ name, compatible }) => {
    const outcome = outcomes.get(name);

    expect(outcome).toBeDefined();
    if (outcome?.verdict === "too complex") expect(outcome.pointer).toMatch(/^\//);
    // Writers of undeclared properties may send more, but a break for a writer that sends less remains one.
    if (compatible !== undefined && (writers === "declared" || !compatible)) {
      expect(outcome?.verdict).toBe(compatible ? "compatible" : "breaking");
    }
  });

  it("lists a limited number of differences with the total, and shows some witnesses", () => {
    expect(outcomes.get(`${MANY_CHANGES} properties changed`)).toMatchObject({
      listed: MAX_LISTED_DIFFERENCES,
      total: MANY_CHANGES,
    });
    expect(outcomes.get(`${MANY_CHANGES} properties changed`)?.witnesses).toBeGreaterThan(0);
  });

  it("pauses during long comparisons", () => {
    expect(outcomes.get("oneOf of 60 oneOfs of 10, wider")?.slices).toBeGreaterThan(1);
    expect(outcomes.get(`${MANY_CHANGES} properties changed`)?.slices).toBeGreaterThan(3);
  });
});
