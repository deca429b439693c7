import { describe, expect, it } from "vitest";
import type { Policy } from "../../../../../schema/compatibility.ts";
import { type BufRule, isRuleOf } from "../../../../../schema/protobuf/compare/buf/categories.ts";
import { compareProtobuf } from "../../../../../schema/protobuf/compare/compare.ts";
import { hasCorpus } from "../../../../support/corpus.ts";
import { CHANGE_NAMES } from "../changed-file.ts";
import { importedFiles, protobufHistories } from "../corpus.ts";
import { Random } from "../generated-model.ts";
import { generatePair } from "../generated-pair.ts";
import { kindsOf, model, modelIfValid } from "../models.ts";
import { compatibilityVectors } from "../vectors.ts";
import { askBuf, askBufOfModules, BUF_CATEGORIES, type BufPair, hasBuf } from "./oracle.ts";

const PAIRS = Number(process.env.FUZZ_RUNS ?? 200);
const SEED = Number(process.env.FUZZ_SEED ?? 20_261);
const CATEGORIES = Object.entries(BUF_CATEGORIES) as [Policy, string][];

/** Files of one module may not declare the same names, so each pair gets its own packages. */
function inOwnPackages(pairs: readonly BufPair[]): { pairs: BufPair[]; packages: string[] } {
  const moved = pairs.map(({ writer, reader }, index) => ({
    writer: renamed(writer, index),
    reader: renamed(reader, index),
  }));
  return { pairs: moved, packages: moved.map(({ writer }) => /^package ([\w.]+);/m.exec(writer)?.[1] ?? "") };
}

function renamed(text: string, index: number): string {
  const name = /^package (\w+)/m.exec(text)?.[1];
  if (name !== undefined)
    return text.replace(/^package /m, `package q${index}`).replaceAll(`.${name}.`, `.q${index}${name}.`);
  return text.replace(/^((?:syntax|edition) = .*)$/m, `$1\npackage q${index};`);
}

const file = (body: string, name = "p") => `syntax = "proto3";\npackage ${name};\n${body}\n`;

/** Modules of two files between which something moves, or is removed. */
const MODULES: readonly { writer: Record<string, string>; reader: Record<string, string> }[] = [
  {
    writer: { "a.proto": file("message M { int32 a = 1; }\nmessage N {}"), "b.proto": file("message O {}") },
    reader: { "a.proto": file("message N {}"), "b.proto": file("message O {}\nmessage M { int32 a = 1; }") },
  },
  {
    writer: { "a.proto": file("message M { int32 a = 1; }\nmessage N {}"), "b.proto": file("message O {}") },
    reader: { "a.proto": file("message N {}"), "b.proto": file("message O {}\nmessage M { string b = 1; }") },
  },
  {
    writer: { "a.proto": file("message M {}\nmessage N {}"), "b.proto": file("message O {}") },
    reader: { "a.proto": file("message N {}"), "b.proto": file("message O {}") },
  },
  {
    writer: { "a.proto": file("message M {}"), "b.proto": file("message O {}") },
    reader: { "a.proto": file("enum F { NIL = 0; }"), "b.proto": file("message O {}") },
  },
  {
    writer: { "a.proto": file("enum E { ZERO = 0; ONE = 1; }\nmessage N {}"), "b.proto": file("message O {}") },
    reader: { "a.proto": file("message N {}"), "b.proto": file("message O {}\nenum E { ZERO = 0; UNO = 1; }") },
  },
  {
    writer: {
      "a.proto": file("message N {}\nservice S { rpc R(N) returns (N); rpc Q(N) returns (N); }"),
      "b.proto": file("message O {}"),
    },
    reader: {
      "a.proto": file("message N {}"),
      "b.proto": file("message O {}\nservice S { rpc R(O) returns (stream O); }"),
    },
  },
  {
    writer: {
      "a.proto": file("message M {}\nenum E { ZERO = 0; }\nservice S { rpc R(M) returns (M); }", "q"),
      "b.proto": file("message O {}\nenum F { NIL = 0; }", "q"),
    },
    reader: {
      "a.proto": file("message M {}\nenum E { ZERO = 0; }\nservice S { rpc R(M) returns (M); }", "r"),
      "b.proto": file("message O {}\nenum F { NIL = 0; }", "q"),
    },
  },
  {
    writer: { "a.proto": file("message M {}", "q"), "b.proto": file("message O {}", "q") },
    reader: { "a.proto": file("message M {}", "r"), "b.proto": file("message O {}", "q") },
  },
];

/** Buf gives up after two minutes, so this many pairs are checked at a time. */
const PAIRS_PER_RUN = 300;

function compareWithBuf(pairs: readonly BufPair[], policy: Policy, category: string): number {
  if (pairs.length <= PAIRS_PER_RUN) return compareFewWithBuf(pairs, policy, category);
  const rest = compareWithBuf(pairs.slice(PAIRS_PER_RUN), policy, category);
  return rest + compareFewWithBuf(pairs.slice(0, PAIRS_PER_RUN), policy, category);
}

function compareFewWithBuf(pairs: readonly BufPair[], policy: Policy, category: string): number {
  const own = inOwnPackages(pairs);
  const { rules, compileErrors } = askBuf(own.pairs, [category], own.packages);
  expect(compileErrors).toEqual([]);
  own.pairs.forEach(({ writer, reader }, index) => {
    const note = `--- writer\n${writer}\n--- reader\n${reader}`;
    expect(kindsOf(model(reader), model(writer), policy), note).toEqual(rules[index]);
  });
  return own.pairs.length;
}

describe.skipIf(!hasBuf)("compareProtobuf under Buf's categories", () => {
  const random = new Random(SEED);
  const generated = Array.from({ length: PAIRS }, (_, index) => {
    const changes = Array.from({ length: 1 + random.below(4) }, () => random.below(CHANGE_NAMES.length));
    return generatePair(SEED + index, changes, "p");
  }).filter(({ writer, reader }) => modelIfValid(writer) !== null && modelIfValid(reader) !== null);

  it.each(CATEGORIES)(
    `agrees with buf breaking for generated pairs (seed ${SEED}): %s`,
    { timeout: 3_600_000 },
    (policy, category) => {
      expect(compareWithBuf(generated, policy, category)).toBeGreaterThan(PAIRS / 2);
    },
  );

  it.each(CATEGORIES)("agrees with buf breaking for the vectors: %s", { timeout: 100_000 }, (policy, category) => {
    const pairs = new Map(
      compatibilityVectors().map(({ writer, reader }) => [`${writer}\n${reader}`, { writer, reader }]),
    );
    // Buf refuses files with a message set, and does not include google/type.
    const asked = [...pairs.values()].filter(
      ({ writer, reader }) => !/message_set_wire_format|google\/type/.test(`${writer}${reader}`),
    );

    expect(compareWithBuf(asked, policy, category)).toBeGreaterThan(200);
  });

  it.each(CATEGORIES)("compares extensions of messages of other files: %s", (policy, category) => {
    const text = (syntax: string, field: string) =>
      `${syntax};\npackage p;\nimport "google/protobuf/descriptor.proto";\nextend google.protobuf.FieldOptions { ${field} = 50101; }`;
    const proto2 = 'syntax = "proto2"';

    compareWithBuf(
      [{ writer: text(proto2, "optional int32 x"), reader: text(proto2, "repeated int64 y") }],
      policy,
      category,
    );
    compareWithBuf(
      [{ writer: text(proto2, "optional int32 x"), reader: text('edition = "2023"', "bytes x") }],
      policy,
      category,
    );
  });

  it("compares the C++ string types of every two fields", { timeout: 100_000 }, () => {
    const options = ["", " [ctype = STRING]", " [ctype = CORD]", " [ctype = STRING_PIECE]"];
    const text = (option: string) => `syntax = "proto2";\npackage p;\nmessage M { optional string a = 1${option}; }`;
    const pairs = options.flatMap((writer) =>
      options.map((reader) => ({ writer: text(writer), reader: text(reader) })),
    );

    expect(compareWithBuf(pairs, "buf_file", "FILE")).toBe(pairs.length);
  });

  it.each(CATEGORIES)(
    "treats the other files of the request as the reader's module: %s",
    { timeout: 100_000 },
    (policy, category) => {
      for (const { writer, reader } of MODULES) {
        const found = askBufOfModules(writer, reader, category);
        const paths = Object.keys(writer);
        const ours = paths.flatMap((path) => {
          const beside = paths.filter((other) => other !== path).map((other) => model(reader[other]!));
          const options = { policy, writers: "declared", beside } as const;
          const comparison = compareProtobuf(model(reader[path]!), model(writer[path]!), options);
          return comparison.ok ? comparison.value.differences.map(({ kind }) => kind) : [];
        });

        expect(ours.sort(), JSON.stringify({ writer, reader })).toEqual(found);
      }
    },
  );

  it.skipIf(!hasCorpus)("agrees with buf breaking for real histories", { timeout: 300_000 }, () => {
    for (const { name, versions } of protobufHistories()) {
      for (let at = 1; at < versions.length; at += 1) {
        const [writer, reader] = [versions[at - 1]!, versions[at]!];
        const imports = { ...importedFiles(writer.references), ...importedFiles(reader.references) };
        const packages = [/^package ([\w.]+);/m.exec(writer.text)?.[1] ?? ""];
        const models = [reader, writer].map(({ text, references }) => model(text, references, "stored"));

        const { rules } = askBuf(
          [{ writer: writer.text, reader: reader.text }],
          Object.values(BUF_CATEGORIES),
          packages,
          imports,
        );

        // Some histories import files that the corpus lacks.
        if (rules[0] === null) continue;
        for (const policy of Object.keys(BUF_CATEGORIES) as (keyof typeof BUF_CATEGORIES)[]) {
          const expected = rules[0]!.filter((rule) => isRuleOf(policy, rule as BufRule));
          expect(kindsOf(models[0]!, models[1]!, policy), `${name} ${writer.file} to ${reader.file}`).toEqual(expected);
        }
      }
    }
  });
});
