import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseFile } from "../../../schema/protobuf/parse-file";

const PARSE_CASES = "../shared/corpus/protobuf/parse-cases.json";
type ParseCase = { path: string; proto: string; has_error: boolean; expected_diagnostics: string | null };

const strict = { path: "", reference: null, isBuiltin: false, isLenient: false };

describe.skipIf(!existsSync(PARSE_CASES))("parseFile on the corpus", () => {
  const cases: ParseCase[] = existsSync(PARSE_CASES) ? JSON.parse(readFileSync(PARSE_CASES, "utf8")) : [];

  it.each(cases)("judges $path as the reference parser does", ({ proto, has_error }) => {
    const result = parseFile(proto, strict);

    expect(result.ok ? [] : [result.problem]).toHaveLength(has_error ? 1 : 0);
  });
});
