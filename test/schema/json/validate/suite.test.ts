import { describe, expect, it } from "vitest";
import { JSON_DIALECTS } from "../../../../schema/json/parse/dialects.ts";
import { parseJsonSchema } from "../../../../schema/json/parse/parse.ts";
import { validateInstance } from "../../../../schema/json/validate/validate.ts";
import { HAS_SUITE, suiteGroups, suiteRemotes } from "./suite.ts";

/**
 * Optional tests on which this validator differs, deliberately or for lack of Unicode data: a plain value cannot
 * distinguish 1.0 from 1, contents are not decoded, and the bidirectional and round-trip rules of internationalised
 * host names are not checked.
 */
const OTHERWISE = [
  "optional/zeroTerminatedFloats.json",
  "optional/content.json",
  "optional/format/idn-hostname.json",
  "optional/format/hostname.json",
];

describe.skipIf(!HAS_SUITE)("validateInstance on the official test suite", () => {
  const remotes = HAS_SUITE ? suiteRemotes() : [];

  it.each(JSON_DIALECTS)("passes every required test of %s, and every optional one except those listed", (dialect) => {
    const wrong: string[] = [];
    let answered = 0;
    for (const group of suiteGroups(dialect)) {
      const source = { text: JSON.stringify(group.schema), references: remotes };
      const parsed = parseJsonSchema(source, { strictness: "new", defaultDialect: dialect });
      const formats = group.kind === "format" || group.file === "optional/format-assertion.json";
      for (const test of group.tests) {
        answered += 1;
        const result = parsed.ok ? validateInstance(parsed.value.model, test.data, { formats }) : undefined;
        const isRight = result?.ok && result.value.valid === test.valid;
        if (!isRight && !OTHERWISE.includes(group.file)) {
          wrong.push(`${group.file}: ${group.description}: ${test.description}`);
        }
      }
    }

    expect(wrong).toEqual([]);
    expect(answered).toBeGreaterThan(500);
  });
});
