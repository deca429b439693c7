import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../cli/llmsr.ts";

let folder: string;
const file = (name: string) => join(folder, name);

const FILES: Record<string, string> = {
  "a.json": '{"type":"object","properties":{"name":{"type":"string","maxLength":10}},"required":["name"]}',
  "b.json": '{"type":"object","properties":{"name":{"type":"string","maxLength":5}},"required":["name"]}',
  "c.json":
    '{"type":"object","properties":{"name":{"type":"string","maxLength":10},"age":{"type":"integer"}},"required":["name"]}',
  "a.avsc": '{"type":"record","name":"R","fields":[]}',
  "broken.avsc": '{"type":"record","name":"R","fields":[{"name":"a","type":"nothing"}]}',
  "user.proto": 'syntax = "proto3";\nimport "common.proto";\nmessage User { Name name = 1; }\n',
  "common.proto": 'syntax = "proto3";\nmessage Name { string text = 1; }\n',
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llmsr-"));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(file(name), text);
});
afterAll(() => rmSync(folder, { recursive: true }));

function llmsr(...args: string[]): { code: number; output: string } {
  let output = "";
  const code = run(
    args,
    (text) => {
      output += text;
    },
    false,
  );
  return { code, output };
}

describe("llmsr --rules", () => {
  const withBook = (command: string, book: unknown) => {
    writeFileSync(file("book.json"), typeof book === "string" ? book : JSON.stringify(book));
    return llmsr(command, file("a.json"), file("b.json"), "--rules", file("book.json"));
  };
  const exception = { name: "e", owner: "ana", reason: "migration", expires_at: "2999-01-01T00:00:00Z" };

  it("lets a rule decide, and says that it did", () => {
    const rule = { name: "shorter", expr: "difference.kind == 'MAX_LENGTH_DECREASED'", action: "warn" };

    const checked = withBook("check", { rules: [rule] });
    const shown = withBook("diff", { rules: [rule] });

    expect(checked.code).toBe(0);
    expect(shown.output).toContain('rule "shorter" made it so; it was breaking');
  });

  it("lets an exception through until its date, and asks for a major all the same", () => {
    expect(withBook("check", { exceptions: [exception] }).code).toBe(0);
    expect(withBook("check", { exceptions: [{ ...exception, expires_at: "2001-01-01T00:00:00Z" }] }).code).toBe(1);
    expect(withBook("bump", { exceptions: [exception] }).output).toMatch(/^major/);
  });

  it.each([
    ["a file that is no JSON", "{"],
    ["a list", []],
    ["rules that are no list", { rules: {} }],
    ["a rule without an expression", { rules: [{ name: "r", action: "warn" }] }],
    ["an action that there is not", { rules: [{ name: "r", expr: "true", action: "ignore" }] }],
    ["an expression that does not parse", { rules: [{ name: "r", expr: "1 +", action: "warn" }] }],
    ["a date that is none", { exceptions: [{ ...exception, expires_at: "soon" }] }],
  ])("exits with 2 for %s", (_, book) => {
    const { code, output } = withBook("check", book);

    expect(code).toBe(2);
    expect(output).toContain("book.json");
  });
});

describe("llmsr check", () => {
  it("exits with 0 where the change breaks nobody and 1 where it does, with a message that shows it", () => {
    const fine = llmsr("check", file("a.json"), file("c.json"));
    const broken = llmsr("check", file("a.json"), file("b.json"));

    expect(fine).toEqual({ code: 0, output: "compatible under BACKWARD, semantic, writers: declared\n" });
    expect(broken.code).toBe(1);
    expect(broken.output).toContain("MAX_LENGTH_DECREASED at /properties/name/maxLength");
    expect(broken.output).toMatch(/for example \{"name":"\w{6,10}"\}/);
  });

  it("checks the direction that the level names", () => {
    expect(llmsr("check", file("b.json"), file("a.json"), "--level", "BACKWARD").code).toBe(0);
    expect(llmsr("check", file("b.json"), file("a.json"), "--level", "forward").code).toBe(1);
  });

  it("gives one JSON document on request, and the same one every time", () => {
    const first = llmsr("check", file("a.json"), file("b.json"), "--json", "--seed", "7");
    const second = llmsr("check", file("a.json"), file("b.json"), "--json", "--seed", "7");

    expect(JSON.parse(first.output)).toMatchObject({
      compatible: false,
      directions: [
        { direction: "backward", differences: [{ severity: "breaking", witness: { status: "confirmed" } }] },
      ],
    });
    expect(second).toEqual(first);
  });

  it("names the sides as the role does", () => {
    const { output } = llmsr("check", file("a.json"), file("b.json"), "--role", "tool_input");

    expect(output).toContain("The tool accepts");
    expect(output).not.toContain("the reader");
  });

  it("colours nothing that is not a terminal", () => {
    expect(llmsr("diff", file("a.json"), file("b.json")).output).not.toContain("\u001b");
  });
});

describe("llmsr bump", () => {
  it("gives the step and the label after it", () => {
    expect(llmsr("bump", file("a.json"), file("b.json"), "--from", "1.4.0").output).toMatch(/^major → 2\.0\.0\n {2}\S/);
    expect(llmsr("bump", file("a.json"), file("a.json"), "--from", "1.4.0").output).toMatch(/^patch → 1\.4\.1\n/);
  });
});

describe("llmsr", () => {
  it.each([
    [["nonsense", "a", "b"], "no command"],
    [["check", "only-one.json"], "two files"],
    [["check", "missing.json", "missing.json"], "cannot be read"],
    [["check", "schema.txt", "schema.txt"], "--format"],
    [["check", "a.json", "b.json", "--level", "SIDEWAYS"], "--level"],
    [["check", "a.json", "b.json", "--bogus"], "bogus"],
    [["check", "a.json", "b.json", "--ref", "nothing"], "NAME=FILE"],
  ])("exits with 2 and says why on %j", (args, reason) => {
    const { code, output } = llmsr(...args);

    expect(code).toBe(2);
    expect(output).toContain(reason);
  });

  it("says where a schema is wrong", () => {
    const { code, output } = llmsr("check", file("broken.avsc"), file("a.avsc"));

    expect(code).toBe(2);
    expect(output).toMatch(/broken\.avsc:1:\d+: .*nothing/);
  });

  it("refuses to compare schemas of two formats", () => {
    expect(llmsr("diff", file("a.avsc"), file("a.json"))).toMatchObject({ code: 2 });
  });

  it("finds what a schema imports among the references it is given", () => {
    const alone = llmsr("check", file("user.proto"), file("user.proto"));
    const together = llmsr(
      "check",
      file("user.proto"),
      file("user.proto"),
      "--ref",
      `common.proto=${file("common.proto")}`,
    );

    expect(alone).toMatchObject({ code: 2, output: expect.stringContaining("common.proto") });
    expect(together.code).toBe(0);
  });

  it("explains itself", () => {
    expect(llmsr("--help")).toMatchObject({ code: 0, output: expect.stringContaining("llmsr check A B") });
    expect(llmsr().code).toBe(2);
  });
});
