import { describe, expect, it } from "vitest";
import {
  isQualified,
  MAX_SUBJECT_CHARACTERS,
  parseSubjectName,
  printSubjectName,
  subjectNameProblem,
} from "../../schema/subject-name.ts";

describe("parseSubjectName and printSubjectName", () => {
  it.each([
    ["foo", { context: ".", subject: "foo" }, "foo"],
    [":.:foo", { context: ".", subject: "foo" }, "foo"],
    [":.ctx:foo", { context: ".ctx", subject: "foo" }, ":.ctx:foo"],
    [":.ctx:", { context: ".ctx", subject: "" }, ":.ctx:"],
    [":.ctx", { context: ".ctx", subject: "" }, ":.ctx:"],
    [":.ctx:a:b", { context: ".ctx", subject: "a:b" }, ":.ctx:a:b"],
    [":*:foo", { context: "*", subject: "foo" }, ":*:foo"],
    [":foo", { context: ".", subject: ":foo" }, ":foo"],
  ])("read %s as %j and print %s", (text, name, printed) => {
    expect(parseSubjectName(text)).toEqual(name);
    expect(printSubjectName(parseSubjectName(text))).toBe(printed);
  });

  it("recognises a qualified name", () => {
    expect([":.a:b", ":*:b", "b", ":b"].map(isQualified)).toEqual([true, true, false, false]);
  });
});

describe("subjectNameProblem", () => {
  it("accepts 255 characters and refuses 256", () => {
    const at = (length: number) => subjectNameProblem({ context: ".", subject: "x".repeat(length) });

    expect(at(MAX_SUBJECT_CHARACTERS)).toBeUndefined();
    expect(at(MAX_SUBJECT_CHARACTERS + 1)).toContain("255");
  });

  it("refuses control characters, reserved names and contexts that cannot hold schemas", () => {
    expect(subjectNameProblem({ context: ".", subject: "a\u0000" })).toContain("control");
    expect(subjectNameProblem({ context: ".", subject: "__GLOBAL" })).toContain("reserved");
    expect(subjectNameProblem({ context: ".__GLOBAL", subject: "a" })).toContain("cannot hold schemas");
    expect(subjectNameProblem({ context: ".__GLOBAL", subject: "" }, { allowGlobalContext: true })).toBeUndefined();
    expect(subjectNameProblem({ context: "*", subject: "a" })).toContain("wildcard");
  });
});
