import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { avro } from "../../../schema/avro/format.ts";
import { CORPUS, HISTORIES, hasCorpus } from "../../support/corpus.ts";
import { crc64, parsingForm } from "./parsing-form.ts";
import { modelIn, modelOf, parseText } from "./schemas.ts";

type Meta = { name: string; format: string; versions: { file: string; registers: string; parse: string }[] };
const histories: Meta[] = hasCorpus
  ? readdirSync(HISTORIES)
      .map((name) => JSON.parse(readFileSync(join(HISTORIES, name, "meta.json"), "utf8")) as Meta)
      .filter((meta) => meta.format === "AVRO")
  : [];
const versions = histories.flatMap(({ name, versions }) =>
  // The recorded results are older than Avro 1.12, since which a default may belong to any branch.
  versions.map(({ file, registers, parse }) => ({
    path: `${name}/${file}`,
    registers: /union defaults must match the first branch/.test(parse) ? "yes" : registers,
  })),
);
const readVersion = (path: string) => readFileSync(join(HISTORIES, path), "utf8");
const readJson = <T>(path: string): T =>
  hasCorpus ? (JSON.parse(readFileSync(join(CORPUS, path), "utf8")) as T) : ([] as T);

describe.skipIf(!hasCorpus)("parse, on every version of the Avro histories", () => {
  it.each(versions)("says whether $path registers: $registers", ({ path, registers }) => {
    const result = parseText(readVersion(path));

    expect(result.ok, path).toBe(registers === "yes");
    if (!result.ok)
      expect(result.refusal.problems[0]).toMatchObject({ pointer: expect.any(String), line: expect.any(Number) });
  });

  it("refuses three versions of altoida_summary for undefined types", () => {
    const rules = versions
      .filter(({ path }) => path.startsWith("radar-altoida_summary"))
      .map(({ path }) => parseText(readVersion(path)))
      .flatMap((result) => (result.ok ? [] : [[...new Set(result.refusal.problems.map(({ rule }) => rule))].join()]));

    expect(rules).toEqual(["undefined_name", "undefined_name", "undefined_name"]);
  });
});

describe.skipIf(!hasCorpus)("canonicalText, on every version of the Avro histories", () => {
  it.each(versions.filter(({ registers }) => registers === "yes"))(
    "is stable and has the same meaning: $path",
    ({ path }) => {
      const model = modelIn(parseText(readVersion(path)));
      const canonical = modelIn(parseText(avro.canonicalText(model)));
      const normalised = modelIn(parseText(avro.normalisedText(model)));

      expect(avro.canonicalText(canonical)).toBe(avro.canonicalText(model));
      expect(avro.equivalent(canonical, model)).toBe(true);
      expect(avro.normalisedText(normalised)).toBe(avro.normalisedText(model));
      expect(avro.normalisedText(canonical)).toBe(avro.normalisedText(model));
      expect(avro.equivalent(normalised, model)).toBe(true);
      expect(avro.fields(model).length).toBeGreaterThan(0);
    },
  );
});

type FormCase = { id: string; input: string; canonical: string; fingerprint_crc64_signed?: string };
const formCases = readJson<FormCase[]>("avro/canonical-form-tests.json");

describe.skipIf(!hasCorpus)("parsingForm, on the cases of the Avro project", () => {
  it.each(formCases)("returns form and fingerprint of case $id", ({ input, canonical, fingerprint_crc64_signed }) => {
    const form = parsingForm(modelIn(parseText(input)));

    expect(form).toBe(canonical);
    if (fingerprint_crc64_signed !== undefined) {
      expect(String(BigInt.asIntN(64, crc64(form)))).toBe(fingerprint_crc64_signed);
    }
  });
});

type ReaderWriterCase = {
  test: string;
  line: number;
  reader: unknown;
  writer: unknown;
  compatible: boolean;
  message?: string | string[];
  location?: string | string[];
};
const pairs = readJson<ReaderWriterCase[]>("avro/reader-writer-pairs.json").map((pair, index) => ({ ...pair, index }));
/** Their tests are named after the expected kind. */
const kindOf = (test: string) => /^test_schema_compatibility_(.+)$/.exec(test)?.[1]?.toUpperCase();

describe.skipIf(!hasCorpus)("compare, on the reader and writer pairs of the Avro project", () => {
  it.each(pairs)("returns the verdict of pair $index ($test): $compatible", (pair) => {
    const reader = modelOf(pair.reader);
    const writer = modelOf(pair.writer);

    const comparison = avro.compare(reader, writer, { policy: "strict", writers: "declared" });

    const breaking = comparison.ok
      ? comparison.value.differences.filter(({ severity }) => severity === "breaking")
      : null;
    expect(breaking, JSON.stringify(breaking)).toHaveLength(pair.compatible ? 0 : [pair.message ?? ""].flat().length);
    const kind = kindOf(pair.test);
    if (kind !== undefined) expect(new Set(breaking?.map((difference) => difference.kind))).toEqual(new Set([kind]));
    if (pair.location !== undefined && kind !== undefined) {
      const places = breaking?.map(({ kind, reader_pointer, writer_pointer }) =>
        kind === "MISSING_UNION_BRANCH" ? writer_pointer : reader_pointer || "/",
      );
      expect(places).toEqual([pair.location].flat());
    }
  });
});
