import { describe, expect, it } from "vitest";
import { POLICIES } from "../../../../schema/compatibility.ts";
import { compareProtobuf } from "../../../../schema/protobuf/compare/compare.ts";
import { hasCorpus } from "../../../support/corpus.ts";
import { protobufHistories } from "./corpus.ts";
import { model } from "./models.ts";

describe.skipIf(!hasCorpus)("compareProtobuf over real histories", () => {
  const histories = hasCorpus ? protobufHistories() : [];

  it("has histories to compare", () => {
    expect(histories.length).toBeGreaterThan(3);
  });

  it.each(histories)("gives a verdict for all consecutive versions, under every policy: $name", ({ versions }) => {
    const models = versions.map(({ text, references }) => model(text, references, "stored"));
    for (const policy of POLICIES) {
      for (let at = 1; at < models.length; at += 1) {
        const [older, newer] = [models[at - 1]!, models[at]!];

        const backward = compareProtobuf(newer, older, { policy, writers: "declared" });
        const forward = compareProtobuf(older, newer, { policy, writers: "any" });

        expect([backward.ok, forward.ok]).toEqual([true, true]);
      }
    }
  });
});
