import Ajv from "ajv";
import Ajv2019 from "ajv/dist/2019";
import Ajv2020 from "ajv/dist/2020";
import AjvDraft04 from "ajv-draft-04";
import { describe, expect, it } from "vitest";
import type { Policy, WriterAssumption } from "../../../../../schema/compatibility.ts";
import { compareJsonSchemas } from "../../../../../schema/json/compare/compare.ts";
import { jsonWitnesses } from "../../../../../schema/json/witness/witness.ts";
import { hasCorpus } from "../../../../support/corpus.ts";
import { type CorpusPair, corpusPairs } from "./histories.ts";

const CASES: [Policy, WriterAssumption][] = [
  ["strict", "declared"],
  ["lenient", "declared"],
  ["semantic", "declared"],
  ["semantic", "any"],
];

const pairs = hasCorpus ? corpusPairs() : [];

function breaksOf({ reader, writer }: CorpusPair, policy: Policy, writers: WriterAssumption) {
  const comparison = compareJsonSchemas(reader, writer, { policy, writers });
  if (!comparison.ok) throw new Error(comparison.refusal.message);
  return comparison.value.differences.filter(({ severity }) => severity === "breaking");
}

function processorMs(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

describe.skipIf(!hasCorpus)("compareJsonSchemas on the corpus of histories", () => {
  it.each(CASES)("gives every two consecutive versions a verdict under %s with writers %s", (policy, writers) => {
    const verdicts = pairs.map((pair) => breaksOf(pair, policy, writers).length === 0);

    expect(pairs.length).toBeGreaterThan(100);
    expect(new Set(verdicts)).toEqual(new Set([true, false]));
  });

  it("finds no break between a version and itself", () => {
    for (const pair of pairs) {
      for (const [policy, writers] of CASES) {
        expect(breaksOf({ ...pair, writer: pair.reader }, policy, writers), pair.name).toEqual([]);
      }
    }
  });

  it("finds at least the same breaks for writers any as for writers declared", () => {
    for (const pair of pairs) {
      if (breaksOf(pair, "semantic", "any").length === 0)
        expect(breaksOf(pair, "semantic", "declared"), pair.name).toEqual([]);
    }
  });

  it("takes less than a second for the largest pair", () => {
    const largest = pairs.reduce((best, pair) => (pair.characters > best.characters ? pair : best));

    for (const [policy, writers] of CASES) {
      expect(
        processorMs(() => breaksOf(largest, policy, writers)),
        `${largest.name} ${policy}`,
      ).toBeLessThan(1_000);
    }
  });

  it("takes a fraction of the time that ajv takes to compile the two schemas, at the median", () => {
    const ratios = pairs.flatMap((pair) => {
      const compile = compilationOf(pair);
      if (compile === undefined) return [];
      breaksOf(pair, "semantic", "declared");
      const own = processorMs(() => breaksOf(pair, "semantic", "declared"));
      return [processorMs(compile) / Math.max(own, 0.01)];
    });

    const median = ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 2)];
    console.info(`ajv's compile over a semantic comparison, median of ${ratios.length} pairs: ${median?.toFixed(1)}`);
    // Ten on an idle machine; half of it leaves room for a busy one.
    expect(median).toBeGreaterThan(5);
  });
});

/** Compiles both schemas with a prepared instance, or undefined if ajv cannot. */
function compilationOf({ readerText, writerText }: CorpusPair): (() => void) | undefined {
  const schemas = [readerText, writerText].map((text) => JSON.parse(text) as { $schema?: string });
  const compile = () => {
    for (const { $id: _, id: __, ...schema } of schemas as { $schema?: string; $id?: string; id?: string }[]) {
      const ajv = ajvFor(schema.$schema);
      processorMs(() => ajv.compile(schema));
    }
  };
  try {
    compile();
  } catch {
    return undefined;
  }
  const ready = schemas.map(({ $schema }) => ajvFor($schema));
  return () => {
    schemas.forEach((schema, index) => {
      const { $id: _, id: __, ...rest } = schema as { $id?: string; id?: string };
      ready[index]!.compile(rest);
    });
  };
}

function ajvFor(dialect: string | undefined): Ajv {
  const options = { strict: false, logger: false as const, validateFormats: false, validateSchema: false };
  if (dialect?.includes("draft-04")) return new AjvDraft04(options) as unknown as Ajv;
  if (dialect?.includes("2019-09")) return new Ajv2019(options);
  return dialect?.includes("2020-12") ? new Ajv2020(options) : new Ajv(options);
}

describe.skipIf(!hasCorpus)("jsonWitnesses on the corpus of histories", () => {
  it.each(["declared", "any"] as const)(
    "confirms nine of ten differences that can be validated, with writers %s",
    (writers) => {
      const counts = { confirmed: 0, missing: 0, unjudged: 0 };
      for (const pair of pairs) {
        const breaking = breaksOf(pair, "semantic", writers);
        for (const witness of jsonWitnesses(pair.reader, pair.writer, breaking, {
          seed: 1,
          maxAttempts: 200,
          writers,
        })) {
          if (witness.status === "confirmed") counts.confirmed += 1;
          else if (witness.reason.includes("cannot judge")) counts.unjudged += 1;
          else counts.missing += 1;
        }
      }

      console.info(`witnesses on the corpus, writers ${writers}: ${JSON.stringify(counts)}`);
      expect(counts.confirmed / (counts.confirmed + counts.missing)).toBeGreaterThan(0.9);
    },
  );
});
