import { describe, expect, it } from "vitest";
import type { Policy } from "../../../../schema/compatibility";
import { compareProtobuf } from "../../../../schema/protobuf/compare";
import type { ProtobufModel } from "../../../../schema/protobuf/model";
import { parseProtobuf } from "../../../../schema/protobuf/parse";
import { CHANGE_NAMES, generatePair, Random } from "../compare/generated-schemas";
import { askBuf, BUF_CATEGORIES, type BufPair, hasBuf } from "./oracle";

const PAIRS = Number(process.env.FUZZ_RUNS ?? 600);
const SEED = Number(process.env.FUZZ_SEED ?? 20_261);

function parse(text: string): ProtobufModel | null {
  const parsed = parseProtobuf({ text, references: [] }, { strictness: "new", defaultDialect: "2020-12" });
  return parsed.ok ? parsed.model : null;
}

function rulesOf(pair: BufPair, policy: Policy): string[] {
  const comparison = compareProtobuf(parse(pair.reader)!, parse(pair.writer)!, { policy, writers: "declared" });
  return comparison.ok ? comparison.differences.map(({ kind }) => kind).sort() : [comparison.message];
}

describe.skipIf(!hasBuf)("compareProtobuf under Buf's categories", () => {
  const random = new Random(SEED);
  const packages = Array.from({ length: PAIRS }, (_, index) => `p${index}`);
  const pairs = packages.map((name, index) => {
    const changes = Array.from({ length: 1 + random.below(4) }, () => random.below(CHANGE_NAMES.length));
    return generatePair(SEED + index, changes, name);
  });
  const isValid = pairs.map(({ writer, reader }) => parse(writer) !== null && parse(reader) !== null);

  it.each(Object.entries(BUF_CATEGORIES))(
    "gives the rules that buf breaking gives: %s",
    { timeout: 600_000 },
    (policy, category) => {
      const asked = pairs.filter((_, index) => isValid[index]);
      const { rules, compileErrors } = askBuf(
        asked,
        category,
        packages.filter((_, index) => isValid[index]),
      );

      let compared = 0;
      asked.forEach((pair, index) => {
        const expected = rules[index];
        if (expected === null || expected === undefined) return;
        compared += 1;
        const found = rulesOf(pair, policy as Policy);
        expect(found, `seed ${SEED}\n--- writer\n${pair.writer}\n--- reader\n${pair.reader}`).toEqual(expected);
      });
      expect(compileErrors).toEqual([]);
      expect(compared).toBeGreaterThan(PAIRS / 3);
    },
  );
});
