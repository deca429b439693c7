import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { historyVerdicts, renderHistories } from "../../scripts/history-verdicts.ts";
import { CORPUS, hasCorpus } from "../support/corpus.ts";

describe.skipIf(!hasCorpus)("the verdicts on real histories", () => {
  it("match docs/compatibility-histories.md", { timeout: 120_000 }, () => {
    expect(renderHistories(historyVerdicts(CORPUS))).toBe(readFileSync("docs/compatibility-histories.md", "utf8"));
  });
});
