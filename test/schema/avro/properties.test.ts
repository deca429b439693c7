import avsc from "avsc";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { decodeDatum, encodeDatum } from "../../../schema/avro/codec/binary.ts";
import { DatumError, datumToJson } from "../../../schema/avro/codec/datum.ts";
import { resolveDatum } from "../../../schema/avro/codec/resolve.ts";
import { avro } from "../../../schema/avro/format.ts";
import type { AvroModel } from "../../../schema/avro/model.ts";
import { Sampler, SeededRandom } from "../../../schema/avro/witness/sample.ts";
import type { Difference } from "../../../schema/compatibility.ts";
import { changeTree, generateTree, schemaOf } from "./generate.ts";
import { modelIn, modelOf, parse, parseText } from "./schemas.ts";

/** FUZZ_RUNS=20000 for a long run; the seed reproduces a failure. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 400);
const SEED = Number(process.env.FUZZ_SEED ?? 20_240_607);
const DATA_PER_PAIR = 8;

const seeds = fc.nat(2 ** 31 - 1);
const run = (property: fc.IProperty<[number]>) => fc.assert(property, { numRuns: RUNS, seed: SEED });

function generateSchema(seed: number): unknown {
  return schemaOf(generateTree(new SeededRandom(seed)));
}

function generatePair(seed: number): { reader: unknown; writer: unknown } {
  const random = new SeededRandom(seed);
  const tree = generateTree(random);
  const schema = schemaOf(tree);
  const changed = schemaOf(changeTree(tree, random));
  return random.below(2) === 0 ? { reader: schema, writer: changed } : { reader: changed, writer: schema };
}

describe("canonicalText, on generated schemas", () => {
  it("produces a text that parses, has the same meaning and is its own canonical text", () => {
    run(
      fc.property(seeds, (seed) => {
        const model = modelIn(parse(generateSchema(seed)));
        const text = avro.canonicalText(model);
        const again = modelIn(parseText(text));

        expect(avro.canonicalText(again)).toBe(text);
        expect(avro.equivalent(again, model)).toBe(true);
      }),
    );
  });
});

describe("normalisedText, on generated schemas", () => {
  it("produces a text that parses, has the same meaning, is its own normalised text and that of the canonical text", () => {
    run(
      fc.property(seeds, (seed) => {
        const model = modelIn(parse(generateSchema(seed)));
        const text = avro.normalisedText(model);
        const again = modelIn(parseText(text));

        expect(avro.normalisedText(again)).toBe(text);
        expect(avro.normalisedText(modelIn(parseText(avro.canonicalText(model))))).toBe(text);
        expect(avro.equivalent(again, model)).toBe(true);
      }),
    );
  });
});

describe("normalisedText and canonicalText, on generated schemas", () => {
  it("differ only in the order of aliases and properties", () => {
    run(
      fc.property(seeds, (seed) => {
        const schema = generateSchema(seed);
        const bare = modelIn(parseText(JSON.stringify(schema, withoutAliasesAndProperties)));
        const reversed = JSON.stringify(schema, (_, value: unknown) => reverseAliasesAndKeys(value));

        expect(avro.normalisedText(bare)).toBe(avro.canonicalText(bare));
        expect(avro.normalisedText(modelIn(parseText(reversed)))).toBe(avro.normalisedText(modelIn(parse(schema))));
      }),
    );
  });
});

const ATTRIBUTES = new Set("type name namespace doc fields items values symbols size default order".split(" "));

/** Leaves defaults unchanged, whose keys are values: the generator's records have no default except {}. */
function withoutAliasesAndProperties(key: string, value: unknown): unknown {
  return key === "" || /^\d+$/.test(key) || ATTRIBUTES.has(key) ? value : undefined;
}

function reverseAliasesAndKeys(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(
    entries.map(([key, member]) => [key, key === "aliases" ? (member as string[]).toReversed() : member]),
  );
}

/**
 * A generated schema with pieces removed, duplicated or replaced: close enough to a schema to reach every part of the
 * parser.
 */
function damage(text: string, random: SeededRandom): string {
  const pieces = [
    '"',
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "0",
    "-1",
    '"type"',
    '"record"',
    '"T0"',
    '""',
    "/*",
    "\\u0000",
    '"default"',
    '"name"',
  ];
  let damaged = text;
  for (let count = 1 + random.below(4); count > 0; count -= 1) {
    const at = random.below(damaged.length + 1);
    const end = Math.min(damaged.length, at + random.below(12));
    damaged = damaged.slice(0, at) + random.pick([...pieces, damaged.slice(at, end).repeat(2)]) + damaged.slice(end);
  }
  return damaged;
}

/** The schema as a JSON value in which one value replaces another. */
function swapValues(schema: unknown, random: SeededRandom): string {
  const values: unknown[] = [null, 0, "", [], {}];
  JSON.stringify(schema, (_, value: unknown) => {
    values.push(structuredClone(value));
    return value;
  });
  let swaps = 3;
  return JSON.stringify(schema, (_, value: unknown) => {
    if (swaps === 0 || random.below(20) > 0) return value;
    swaps -= 1;
    return structuredClone(random.pick(values));
  });
}

describe("parse, on damaged schemas", () => {
  it("accepts or refuses, with a reason, and canonicalises accepted texts", () => {
    run(
      fc.property(seeds, (seed) => {
        const random = new SeededRandom(seed);
        const schema = generateSchema(seed);
        for (const text of [damage(JSON.stringify(schema), random), swapValues(schema, random)]) {
          for (const strictness of ["new", "stored"] as const) {
            const result = parseText(text, strictness);
            if (!result.ok) {
              expect(result.refusal.problems.length, text).toBeGreaterThan(0);
              continue;
            }
            const canonical = avro.canonicalText(result.value.model);
            const again = modelIn(parseText(canonical, strictness));
            expect(avro.canonicalText(again), text).toBe(canonical);
            expect(avro.equivalent(again, result.value.model), text).toBe(true);
            expect(avro.normalisedText(modelIn(parseText(avro.normalisedText(result.value.model), strictness)))).toBe(
              avro.normalisedText(result.value.model),
            );
          }
        }
      }),
    );
  });
});

describe("encodeDatum, on generated schemas and data", () => {
  it("produces bytes that decode to the datum, and that avsc reads identically", () => {
    run(
      fc.property(seeds, (seed) => {
        const schema = generateSchema(seed);
        const { root } = modelOf(schema);
        for (const datum of samples(modelOf(schema), seed)) {
          const bytes = encodeDatum(root, datum);

          const decoded = decodeDatum(root, bytes);

          expect(decoded).toEqual(datum);
          const type = avscType(schema);
          if (type === null) continue;
          expect(type.toBuffer(type.fromBuffer(Buffer.from(bytes)))).toEqual(Buffer.from(bytes));
        }
      }),
    );
  });
});

const counts = { pairs: 0, compatible: 0, incompatible: 0, readings: 0, breaking: 0, confirmed: 0 };
const kinds = new Map<string, number>();

describe.each(["strict", "semantic"] as const)("compare under %s, on generated pairs", (policy) => {
  it("reports as compatible only what the reader reads, and proves incompatible verdicts", () => {
    run(
      fc.property(seeds, (seed) => {
        const pair = generatePair(seed);
        const [reader, writer] = [modelOf(pair.reader), modelOf(pair.writer)];
        const comparison = avro.compare(reader, writer, { policy, writers: "declared" });
        if (!comparison.ok) throw new Error(comparison.refusal.message);
        const breaking = comparison.value.differences.filter(({ severity }) => severity === "breaking");
        count(comparison.value.differences, breaking);

        if (breaking.length === 0) {
          for (const datum of samples(writer, seed)) {
            const { failures } = resolveDatum(reader.root, writer.root, datum);
            const counted = policy === "strict" ? failures.filter(({ kind }) => kind === "refused") : failures;
            expect(counted, JSON.stringify(pair)).toEqual([]);
            expectAvscToRead(pair, writer, datum);
            counts.readings += 1;
          }
        }
        const witnesses = avro.witnesses(reader, writer, breaking, { seed, maxAttempts: 200, writers: "declared" });
        for (const witness of witnesses) if (witness.status === "confirmed") counts.confirmed += 1;
      }),
    );
  });
});

describe("witnesses, on generated pairs", () => {
  it("confirms at least nine of ten breaking differences", () => {
    expect(counts.confirmed / counts.breaking).toBeGreaterThan(0.9);
  });
});

describe("generated pairs", () => {
  it.skipIf(RUNS < 5_000)("cover every kind of difference (set FUZZ_RUNS to 5,000 or more)", () => {
    expect(KINDS.filter((kind) => !kinds.has(kind))).toEqual([]);
  });
});

const KINDS =
  `ALIASES_CHANGED AMBIGUOUS_FIELD BYTES_READ_AS_TEXT DECIMAL_PRECISION_REDUCED DECIMAL_SCALE_CHANGED DEFAULT_CHANGED
  DOCUMENTATION_CHANGED EARLIER_BRANCH_MATCHES ENUM_DEFAULT_SUBSTITUTED ENUM_SYMBOLS_ADDED FIELD_ADDED FIELD_REMOVED FIELD_RENAMED FIXED_SIZE_MISMATCH
  LOGICAL_TYPE_ADDED LOGICAL_TYPE_CHANGED LOGICAL_TYPE_REMOVED MISSING_ENUM_SYMBOLS MISSING_UNION_BRANCH NAMESPACE_CHANGED
  NAME_MISMATCH ORDER_CHANGED PRECISION_LOST PROPERTIES_CHANGED READER_FIELD_MISSING_DEFAULT_VALUE RENAMED TYPE_MISMATCH
  TYPE_PROMOTED UNION_BRANCHES_ADDED`.split(/\s+/);

afterAll(() => {
  console.info(
    `Avro pairs: ${JSON.stringify(counts)}; differences: ${JSON.stringify(Object.fromEntries([...kinds].sort()))}`,
  );
});

function count(differences: readonly Difference[], breaking: readonly Difference[]): void {
  counts.pairs += 1;
  counts.breaking += breaking.length;
  if (breaking.length === 0) counts.compatible += 1;
  else counts.incompatible += 1;
  for (const { kind } of differences) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
}

function* samples(model: AvroModel, seed: number) {
  const sampler = new Sampler(model.root);
  if (!sampler.hasDatum(model.root)) return;
  const random = new SeededRandom(seed);
  yield sampler.smallest(model.root);
  for (let count = 1; count < DATA_PER_PAIR; count += 1) {
    try {
      yield sampler.random(model.root, random);
    } catch (error) {
      // A random datum may be too large, for types that fan out.
      if (!(error instanceof DatumError)) throw error;
    }
  }
}

/** By default avsc refuses longs beyond 2^53. */
const bigintLong = avsc.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === "bigint",
  compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
});

/** Null if avsc cannot read the schema: it does not look up names in the null namespace from inside another. */
function avscType(schema: unknown): avsc.Type | null {
  try {
    return avsc.Type.forSchema(schema as avsc.Schema, {
      wrapUnions: true,
      typeHook: (attributes) =>
        attributes === "long" || (attributes as { type?: unknown }).type === "long" ? bigintLong : undefined,
    });
  } catch {
    return null;
  }
}

function expectAvscToRead(
  pair: { reader: unknown; writer: unknown },
  writer: AvroModel,
  datum: Parameters<typeof encodeDatum>[1],
): void {
  const [readerType, writerType] = [avscType(pair.reader), avscType(pair.writer)];
  if (readerType === null || writerType === null) return;
  let resolver: ReturnType<avsc.Type["createResolver"]>;
  try {
    resolver = readerType.createResolver(writerType, { ignoreNamespaces: true });
  } catch (error) {
    throw new Error(`avsc cannot resolve ${JSON.stringify(pair)}: ${String(error)}`);
  }
  const bytes = Buffer.from(encodeDatum(writer.root, datum));
  const json = JSON.stringify(datumToJson(writer.root, datum));
  expect(() => readerType.fromBuffer(bytes, resolver), `${JSON.stringify(pair)} ${json}`).not.toThrow();
}
