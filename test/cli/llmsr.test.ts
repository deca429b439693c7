import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callLlmsr } from "./call-llmsr.ts";

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

const llmsr = (...args: string[]) => callLlmsr(args);

describe("llmsr --rules", () => {
  const withBook = (command: string, book: unknown) => {
    writeFileSync(file("book.json"), typeof book === "string" ? book : JSON.stringify(book));
    return llmsr(command, file("a.json"), file("b.json"), "--rules", file("book.json"));
  };
  const exception = { name: "e", owner: "ana", reason: "migration", expires_at: "2999-01-01T00:00:00Z" };

  it("applies a rule and reports that it decided", async () => {
    const rule = { name: "shorter", expr: "difference.kind == 'MAX_LENGTH_DECREASED'", action: "warn" };

    const checked = await withBook("check", { rules: [rule] });
    const shown = await withBook("diff", { rules: [rule] });

    expect(checked.code).toBe(0);
    expect(shown.output).toContain('rule "shorter" made it so; it was breaking');
  });

  it("allows a break under an exception until its date, and still requires a major", async () => {
    expect((await withBook("check", { exceptions: [exception] })).code).toBe(0);
    expect((await withBook("check", { exceptions: [{ ...exception, expires_at: "2001-01-01T00:00:00Z" }] })).code).toBe(
      1,
    );
    expect((await withBook("bump", { exceptions: [exception] })).output).toMatch(/^major/);
  });

  it.each([
    ["a file that is no JSON", "{"],
    ["a list", []],
    ["rules that are not a list", { rules: {} }],
    ["a rule without an expression", { rules: [{ name: "r", action: "warn" }] }],
    ["an action that there is not", { rules: [{ name: "r", expr: "true", action: "ignore" }] }],
    ["an expression that does not parse", { rules: [{ name: "r", expr: "1 +", action: "warn" }] }],
    ["a date that is none", { exceptions: [{ ...exception, expires_at: "soon" }] }],
  ])("exits with 2 for %s", async (_, book) => {
    const { code, output, errors } = await withBook("check", book);

    expect(code).toBe(2);
    expect(errors).toContain("book.json");
    expect(output).toBe("");
  });
});

describe("llmsr check", () => {
  it("exits with 0 if the change is compatible, and with 1 and a witness if it is breaking", async () => {
    const fine = await llmsr("check", file("a.json"), file("c.json"));
    const broken = await llmsr("check", file("a.json"), file("b.json"));

    expect(fine).toEqual({ code: 0, output: "compatible under BACKWARD, semantic, writers: declared\n", errors: "" });
    expect(broken.code).toBe(1);
    expect(broken.output).toContain("MAX_LENGTH_DECREASED at /properties/name/maxLength");
    expect(broken.output).toMatch(/for example \{"name":"\w{6,10}"\}/);
  });

  it("checks the direction of the level", async () => {
    expect((await llmsr("check", file("b.json"), file("a.json"), "--level", "BACKWARD")).code).toBe(0);
    expect((await llmsr("check", file("b.json"), file("a.json"), "--level", "forward")).code).toBe(1);
  });

  it("prints one JSON document on request, the same on every run", async () => {
    const first = await llmsr("check", file("a.json"), file("b.json"), "--json", "--seed", "7");
    const second = await llmsr("check", file("a.json"), file("b.json"), "--json", "--seed", "7");

    expect(JSON.parse(first.output)).toMatchObject({
      compatible: false,
      directions: [
        { direction: "backward", differences: [{ severity: "breaking", witness: { status: "confirmed" } }] },
      ],
    });
    expect(second).toEqual(first);
  });

  it("names the sides by the role", async () => {
    const { output } = await llmsr("check", file("a.json"), file("b.json"), "--role", "tool_input");

    expect(output).toContain("The tool accepts");
    expect(output).not.toContain("the reader");
  });

  it("prints no colours unless the output is a terminal", async () => {
    expect((await llmsr("diff", file("a.json"), file("b.json"))).output).not.toContain("\u001b");
  });
});

describe("llmsr bump", () => {
  it("prints the step and the next version", async () => {
    expect((await llmsr("bump", file("a.json"), file("b.json"), "--from", "1.4.0")).output).toMatch(
      /^major → 2\.0\.0\n {2}\S/,
    );
  });

  it("prints none if only the spelling has changed", async () => {
    writeFileSync(file("a-spaced.json"), JSON.stringify(JSON.parse(FILES["a.json"]!), null, 4));

    const { output } = await llmsr("bump", file("a.json"), file("a-spaced.json"), "--from", "1.4.0");

    expect(output).toBe("none → 1.4.0\n  Nothing has changed.\n");
  });

  it("names the direction of each reason, and the role's sides", async () => {
    const asTool = (await llmsr("bump", file("a.json"), file("b.json"), "--role", "tool_input")).output;

    expect(asTool).toMatch(/^major\n {2}Backward: .*[Tt]he (?:tool|model)/);
  });
});

describe("llmsr", () => {
  it.each([
    [["nonsense", "a", "b"], "not a command"],
    [["check", "only-one.json"], "cannot be read"],
    [["diff", "only-one.json"], "two files"],
    [["check", "missing.json", "missing.json"], "cannot be read"],
    [["check", "LICENSE", "LICENSE"], "--schema-format"],
    [["check", "a.json", "b.json", "--level", "SIDEWAYS"], "--level"],
    [["check", "a.json", "b.json", "--bogus"], "bogus"],
    [["diff", "a.json", "b.json", "--ref", "nothing"], "NAME=FILE"],
  ])("exits with 2 and prints the reason for %j", async (args, reason) => {
    const { code, output, errors } = await llmsr(...args);

    expect(code).toBe(2);
    expect(errors).toContain(reason);
    expect(output).toBe("");
  });

  it("prints the location of a schema's error", async () => {
    const { code, errors } = await llmsr("check", file("broken.avsc"), file("a.avsc"));

    expect(code).toBe(2);
    expect(errors).toMatch(/broken\.avsc:1:\d+: .*nothing/);
  });

  it("refuses to compare schemas of two formats", async () => {
    expect(await llmsr("diff", file("a.avsc"), file("a.json"))).toMatchObject({ code: 2 });
  });

  it("finds a schema's imports among the given references", async () => {
    const alone = await llmsr("check", file("user.proto"), file("user.proto"));
    const together = await llmsr(
      "check",
      file("user.proto"),
      file("user.proto"),
      "--ref",
      `common.proto=${file("common.proto")}`,
    );

    expect(alone).toMatchObject({ code: 2, errors: expect.stringContaining("common.proto") });
    expect(together.code).toBe(0);
  });

  it("prints its usage", async () => {
    expect(await llmsr("--help")).toMatchObject({ code: 0, output: expect.stringContaining("Without a server:") });
    expect((await llmsr()).code).toBe(2);
  });
});

describe("llmsr with a role", () => {
  it("uses the role's default level", async () => {
    const output = await llmsr("check", file("a.json"), file("b.json"), "--role", "model_output");
    const given = await llmsr("check", file("a.json"), file("b.json"), "--role", "model_output", "--level", "BACKWARD");

    expect(output).toMatchObject({ code: 0, output: expect.stringContaining("under FORWARD") });
    expect(given.code).toBe(1);
  });
});

describe("llmsr with files that wrap a schema", () => {
  const schema = (maxLength: number) => ({ type: "object", properties: { q: { type: "string", maxLength } } });
  const write = (name: string, value: unknown) => {
    writeFileSync(file(name), JSON.stringify(value));
    return file(name);
  };

  it.each([
    ["an OpenAI tool", (inner: object) => ({ type: "function", function: { name: "f", parameters: inner } })],
    ["an Anthropic tool", (inner: object) => ({ name: "f", input_schema: inner })],
    ["an MCP tool", (inner: object) => ({ name: "f", inputSchema: inner, outputSchema: { type: "object" } })],
    ["a list of one tool", (inner: object) => [{ name: "f", inputSchema: inner }]],
  ])("compares the schema inside %s and reports that", async (_, wrap) => {
    const a = write("tool-a.json", wrap(schema(10)));
    const b = write("tool-b.json", wrap(schema(5)));

    const { code, errors } = await llmsr("check", a, b);

    expect(code).toBe(1);
    expect(errors).toMatch(/tool-a\.json: This is an? .*\. The schema at \/\S+ is compared\./);
  });

  it("asks the user to select one of several schemas, and accepts a pointer", async () => {
    const tools = [
      { name: "f", inputSchema: schema(10) },
      { name: "g", inputSchema: schema(5) },
    ];
    const list = write("tools.json", { tools });

    const unsaid = await llmsr("check", list, list);
    const said = await llmsr("check", `${list}#/tools/0/inputSchema`, `${list}#/tools/1/inputSchema`);
    const lost = await llmsr("check", `${list}#/tools/2`, list);

    expect(unsaid).toMatchObject({ code: 2, errors: expect.stringContaining("tools.json#/tools/1/inputSchema  (g)") });
    expect(said.code).toBe(1);
    expect(lost).toMatchObject({ code: 2, errors: expect.stringContaining("nothing at /tools/2") });
  });

  it("keeps the OpenAPI document around the selected schema, for its references", async () => {
    const api = (maxLength: number) => ({
      openapi: "3.1.0",
      components: {
        schemas: {
          Name: { type: "string", maxLength },
          User: { properties: { n: { $ref: "#/components/schemas/Name" } } },
        },
      },
    });
    const a = write("api-a.json", api(10));
    const b = write("api-b.json", api(5));

    expect((await llmsr("check", `${a}#/components/schemas/User`, `${b}#/components/schemas/User`)).code).toBe(1);
    expect((await llmsr("check", `${a}#/components/schemas/User`, `${a}#/components/schemas/User`)).code).toBe(0);
  });

  it("warns about misspelled keywords", async () => {
    const odd = write("odd.json", { type: "object", propertees: {} });

    const { code, errors } = await llmsr("check", odd, odd);

    expect(code).toBe(0);
    expect(errors).toContain(
      'odd.json at /propertees: "propertees" is not a keyword and is ignored. Did you mean "properties"?',
    );
  });
});
