import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { avro } from "../../../schema/avro/format.ts";
import type { Policy } from "../../../schema/compatibility.ts";
import { crc64, parsingForm } from "./parsing-form.ts";
import { modelIn, modelOf, parseText } from "./schemas.ts";

const VECTORS = join(import.meta.dirname, "../../../contract/vectors/avro");
const read = <T>(file: string): T => JSON.parse(readFileSync(join(VECTORS, file), "utf8")) as T;

type Canonical = {
  description: string;
  schema: string;
  canonical: string;
  normalised: string;
  parsing_form: string;
  crc64: string;
};

describe("canonical.json", () => {
  it.each(read<Canonical[]>("canonical.json"))("$description", (vector) => {
    const model = modelIn(parseText(vector.schema));

    expect(avro.canonicalText(model)).toBe(vector.canonical);
    expect(avro.normalisedText(model)).toBe(vector.normalised);
    expect(parsingForm(model)).toBe(vector.parsing_form);
    expect(String(BigInt.asIntN(64, crc64(vector.parsing_form)))).toBe(vector.crc64);
    expect(avro.canonicalText(modelIn(parseText(vector.canonical)))).toBe(vector.canonical);
    expect(avro.normalisedText(modelIn(parseText(vector.normalised)))).toBe(vector.normalised);
  });
});

type Invalid = {
  description: string;
  schema: string;
  problems: { rule: string; pointer?: string; line: number; column: number }[];
};

describe("invalid.json", () => {
  it.each(read<Invalid[]>("invalid.json"))("refuses $description", ({ schema, problems }) => {
    const result = parseText(schema);

    expect(result).toMatchObject({ ok: false, refusal: { reason: "invalid", problems } });
    if (!result.ok) expect(result.refusal.problems.map(({ message }) => message)).not.toContain("");
  });
});

type Difference = { kind: string; severity: string; reader_pointer: string | null; writer_pointer: string | null };
type Pair = { description: string; reader: unknown; writer: unknown; strict: Difference[]; semantic: Difference[] };
const pairs = read<Pair[]>("compatibility.json");

function differencesOf(pair: Pair, policy: Policy) {
  const comparison = avro.compare(modelOf(pair.reader), modelOf(pair.writer), { policy, writers: "declared" });
  if (!comparison.ok) throw new Error(comparison.refusal.message);
  return comparison.value.differences;
}
const outline = ({ kind, severity, reader_pointer, writer_pointer }: Difference) => ({
  ...{ kind, severity, reader_pointer, writer_pointer },
});

describe("compatibility.json", () => {
  it.each(pairs)("$description", (pair) => {
    const strict = differencesOf(pair, "strict");
    const semantic = differencesOf(pair, "semantic");

    expect(strict.filter(({ severity }) => severity !== "info").map(outline)).toEqual(pair.strict);
    expect(semantic.map(outline)).toEqual(pair.semantic);
    expect(differencesOf(pair, "lenient")).toEqual(strict);
    for (const { severity, message, fix } of [...strict, ...semantic]) {
      expect(message).toMatch(/reader|writer/);
      if (severity === "breaking") expect(fix).toBeTruthy();
    }
  });

  it.each(pairs)("has a witness for every breaking difference: $description", (pair) => {
    const [reader, writer] = [modelOf(pair.reader), modelOf(pair.writer)];
    const differences = differencesOf(pair, "semantic").filter(({ severity }) => severity === "breaking");

    const witnesses = avro.witnesses(reader, writer, differences, { seed: 1, maxAttempts: 200, writers: "declared" });

    expect(witnesses.map(({ status }) => status)).toEqual(differences.map(() => "confirmed"));
  });

  it("has every kind of breaking difference under both policies", () => {
    const kinds = (policy: "strict" | "semantic") =>
      [
        ...new Set(
          pairs
            .flatMap((pair) => pair[policy])
            .filter(({ severity }) => severity === "breaking")
            .map(({ kind }) => kind),
        ),
      ].sort();

    expect(kinds("strict")).toEqual([
      "AMBIGUOUS_FIELD",
      "FIXED_SIZE_MISMATCH",
      "MISSING_ENUM_SYMBOLS",
      "MISSING_UNION_BRANCH",
      "NAME_MISMATCH",
      "READER_FIELD_MISSING_DEFAULT_VALUE",
      "TYPE_MISMATCH",
    ]);
    expect(kinds("semantic")).toEqual([
      "AMBIGUOUS_FIELD",
      "BYTES_READ_AS_TEXT",
      "DECIMAL_PRECISION_REDUCED",
      "DECIMAL_SCALE_CHANGED",
      "ENUM_DEFAULT_SUBSTITUTED",
      "FIXED_SIZE_MISMATCH",
      "LOGICAL_TYPE_ADDED",
      "LOGICAL_TYPE_CHANGED",
      "MISSING_ENUM_SYMBOLS",
      "MISSING_UNION_BRANCH",
      "NAME_MISMATCH",
      "PRECISION_LOST",
      "READER_FIELD_MISSING_DEFAULT_VALUE",
      "TYPE_MISMATCH",
    ]);
  });
});
