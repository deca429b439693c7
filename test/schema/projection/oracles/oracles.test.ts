import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hasCorpus } from "../../../support/corpus.ts";

/** Installing the packages takes minutes, and two thousand grammars are compiled. */
const TIMEOUT_MS = 30 * 60 * 1_000;
/**
 * Grammars fix the order of members, which samples do not always have inside alternatives: the few valid answers that an
 * engine refuses for that.
 */
const MAX_REFUSED_SHARE = 0.01;
const hasPython = spawnSync("python3", ["-m", "venv", "--help"]).status === 0;

type Report = { counts: Record<string, number>; problems: string[]; problemsTotal: number };

function runOracles(): [transformers: Report, engines: Report] {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, "run.ts")], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(stderr.slice(-2_000));
  return stdout.split(/^(?=\{$)/m).map((report) => JSON.parse(report) as Report) as [Report, Report];
}

describe.skipIf(!hasCorpus || !hasPython)("the projections of real tools", () => {
  it("are what the providers' transformers make, and grammars that accept what the schema does", {
    timeout: TIMEOUT_MS,
  }, () => {
    const [transformers, engines] = runOracles();
    console.log(JSON.stringify(engines.counts, null, 2));
    const sum = (of: RegExp) =>
      Object.entries(engines.counts).reduce((total, [name, count]) => (of.test(name) ? total + count : total), 0);

    expect(transformers.problems).toEqual([]);
    expect(sum(/refused schemas$/), engines.problems.join("\n")).toBe(0);
    expect(sum(/invalid answers taken$/), engines.problems.join("\n")).toBe(0);
    expect(sum(/ valid answers refused$/)).toBeLessThan(MAX_REFUSED_SHARE * sum(/ valid answers taken$/));
    expect(sum(/compiled schemas$/)).toBeGreaterThan(0);
  });
});
