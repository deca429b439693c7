import { spawnSync } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";
import type { HeapOutcome } from "./compare-in-heap.ts";

/** The memory of an isolate, for all purposes. */
const HEAP_MB = 128;
/** For a machine that is busy with other tests. */
const PATIENCE_MS = 240_000;

describe(`comparisons of Avro and Protobuf in a heap of ${HEAP_MB} MB`, () => {
  let outcomes: readonly HeapOutcome[];

  beforeAll(() => {
    const script = "test/schema/compare-in-heap.ts";
    const child = spawnSync(process.execPath, ["--no-warnings", `--max-old-space-size=${HEAP_MB}`, script], {
      encoding: "utf8",
    });
    expect(child.stderr).toBe("");
    expect(child.status).toBe(0);
    outcomes = child.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as HeapOutcome);
  }, PATIENCE_MS);

  it("decide every pair under every policy of its format", () => {
    expect(outcomes.filter(({ policy }) => policy === "semantic").map(({ name }) => name)).toHaveLength(7);
    expect(outcomes.filter(({ policy }) => policy === "buf_file")).toHaveLength(3);
    for (const { name, policy, total } of outcomes) expect(total, `${name} under ${policy}`).toBeGreaterThan(5_000);
  });

  it("prove some of the breaks", () => {
    expect(outcomes.some(({ name, witnesses }) => name.includes("Protobuf") && witnesses > 0)).toBe(true);
    expect(outcomes.some(({ name, witnesses }) => name.includes("Avro") && witnesses > 0)).toBe(true);
  });
});
