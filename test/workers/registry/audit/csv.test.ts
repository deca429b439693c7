import { describe, expect, it } from "vitest";
import { printCsvRow } from "../../../../workers/registry/audit/csv.ts";

describe("printCsvRow", () => {
  it("quotes every cell, and doubles the quotes in it", () => {
    expect(printCsvRow(["a", 'b"c', "d,e\nf", ""])).toBe('"a","b""c","d,e\nf",""\r\n');
  });

  it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"])(
    "prevents spreadsheets from treating %j as a formula",
    (text) => {
      expect(printCsvRow([text])).toBe(`"'${text}"\r\n`);
    },
  );

  it("leaves a sign within a cell unchanged", () => {
    expect(printCsvRow(["a=b"])).toBe('"a=b"\r\n');
  });
});
