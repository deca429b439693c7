import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callLlmsr } from "./call-llmsr.ts";

const SCHEMA = { type: "object", properties: { "2": { type: "string" }, "1": { type: "integer" } }, required: ["2"] };
const FILES: Record<string, unknown> = {
  "schema.json": SCHEMA,
  "ready.json": { ...SCHEMA, required: ["2", "1"], additionalProperties: false },
  "mcp.json": {
    tools: [
      { name: "first", description: "One", inputSchema: SCHEMA },
      { name: "second", inputSchema: { type: "object", properties: { u: { type: "string", format: "uri" } } } },
    ],
  },
  "many.json": {
    tools: Array.from({ length: 21 }, (_, index) => ({ name: `t${index}`, inputSchema: { type: "object" } })),
  },
  "gemini.json": {
    functionDeclarations: [
      {
        name: "g",
        parameters: { type: "OBJECT", properties: { a: { type: "STRING", nullable: true } }, propertyOrdering: ["a"] },
      },
    ],
  },
  "never.json": false,
  "referring.json": {
    type: "object",
    properties: { a: { $ref: "zip.json" } },
    required: ["a"],
    additionalProperties: false,
  },
  "zip.json": { type: "string" },
  "number.json": { type: "number" },
};

let folder: string;
const file = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llmsr-"));
  for (const [name, content] of Object.entries(FILES)) writeFileSync(file(name), JSON.stringify(content));
  // As text, because JavaScript reorders integer-like members.
  writeFileSync(
    file("ordered.json"),
    '{"type":"object","properties":{"2":{"type":"string"},"1":{"type":"integer"}},"required":["2"]}',
  );
  writeFileSync(file("broken.json"), '{"type": }');
  writeFileSync(file("record.avsc"), '{"type":"record","name":"R","fields":[]}');
  writeFileSync(file("schema.yaml"), "title: FromYaml\ntype: object\nproperties:\n  a:\n      type: string\n");
  writeFileSync(
    file("order.mjs"),
    'import { z } from "zod";\nexport const Order = z.object({ n: z.int() }).meta({ title: "FromZod" });\n',
  );
  mkdirSync(file("folder"));
  mkdirSync(file("node_modules"));
  symlinkSync(join(process.cwd(), "node_modules", "zod"), join(file("node_modules"), "zod"));
  const git = (...args: string[]) => execFileSync("git", args, { cwd: folder });
  git("init", "--quiet");
  git("add", "schema.yaml", "mcp.json");
  git("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "--message", "Schemas");
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (...args: string[]) => callLlmsr(args);

describe("llmsr lint", () => {
  it("reports for each target whether it accepts the schema, the locations, and the fixes", async () => {
    const { code, output } = await run("lint", file("schema.json"), "--targets", "openai,mcp");

    expect(code).toBe(0);
    expect(output).toMatch(/lossless +openai-strict@2026-11/);
    expect(output).toContain("/properties/1");
    expect(output).toContain('fix: Add "additionalProperties": false.');
    expect(output).toMatch(/ready +mcp@/);
  });

  it("finds the schemas in tool definitions, and reports on each", async () => {
    const { output } = await run("lint", file("mcp.json"), "--targets", "openai", "--json");

    expect(JSON.parse(output)).toMatchObject({
      schemas: [
        { name: "first", pointer: "/tools/0/inputSchema", reports: [{ readiness: "lossless" }] },
        { name: "second", pointer: "/tools/1/inputSchema", reports: [{ readiness: "lossy" }] },
      ],
    });
  });

  it.each([
    ["ready.json", "ready", 0],
    ["schema.json", "ready", 1],
    ["schema.json", "lossless", 0],
    ["mcp.json", "lossless", 1],
    ["mcp.json", "lossy", 0],
    ["never.json", "lossy", 1],
  ])("exits for %s and --require %s with %i", async (name, level, code) => {
    expect((await run("lint", file(name), "--targets", "openai", "--require", level)).code).toBe(code);
  });

  it.each([
    [["absent.json"], "cannot be read"],
    [["broken.json"], "1:10"],
    [["schema.json", "--targets=nobody"], "not a profile"],
    [["schema.json", "--require=perfect"], "--require"],
    [["record.avsc"], "is avro; a JSON Schema is needed here"],
    [["folder"], "is a folder"],
    [["schema.json", "--colour"], "colour"],
    [[], "takes one file"],
  ])("exits with 2 for %j and prints the reason", async (args, said) => {
    const { code, errors } = await run("lint", ...args.map((arg) => (arg.startsWith("-") ? arg : file(arg))));

    expect(code).toBe(2);
    expect(errors).toContain(said);
  });
});

describe("llmsr lint and project", () => {
  const registered = async () =>
    Response.json({
      id: "s-1",
      subject: "orders",
      version: "1.0.0",
      version_number: 1,
      format: "json-schema",
      content: JSON.stringify({ ...SCHEMA, title: "Orders" }),
      role: null,
      context: ".",
      references: [],
    });
  const inFolder = (args: readonly string[], stdin = "") => callLlmsr(args, { cwd: folder, stdin, fetch: registered });

  it.each([
    ["schema.yaml", "FromYaml"],
    ["git:HEAD:schema.yaml", "FromYaml"],
    ["git:HEAD:mcp.json", "first"],
    ["mcp.json#/tools/1/inputSchema", "second"],
    ["orders@1.0.0", "Orders"],
    ["order.mjs#Order", "FromZod"],
    ["-", "FromStdin"],
  ])("read %s", async (reference, name) => {
    const stdin = JSON.stringify({ ...SCHEMA, title: "FromStdin" });
    const linted = await inFolder(["lint", reference, "--targets", "openai", "--json"], stdin);
    const projected = await inFolder(["project", reference, "--target", "openai", "--all"], stdin);

    expect(JSON.parse(linted.output).schemas[0]).toMatchObject({ name, reports: [{ profile: expect.anything() }] });
    expect(JSON.parse(projected.output.split("\n")[0]!)).toMatchObject({ name });
  });

  it("follow references to the files of llmsr.toml, which --ref replaces", async () => {
    writeFileSync(file("llmsr.toml"), '[subjects]\nreferring = "referring.json"\nzip = "zip.json"\n');
    const ofProject = await inFolder(["project", "referring.json", "--target", "openai"]);
    const given = await inFolder(["project", "referring.json", "--target", "openai", "--ref", "zip.json=number.json"]);
    rmSync(file("llmsr.toml"));

    expect(ofProject.output).toContain('"zip":{"type":"string"}');
    expect(given.output).toContain('"zip":{"type":"number"}');
  });
});

describe("llmsr lint --format github", () => {
  it("names line and column of standard input and of YAML", async () => {
    const lint = (reference: string, stdin?: string) =>
      callLlmsr(["lint", reference, "--targets", "openai", "--require", "ready", "--format", "github"], {
        cwd: folder,
        // As of a pipe, which is empty once it was read.
        readStdin: () => [stdin ?? "", ""][reads++] ?? "",
      });
    let reads = 0;

    expect((await lint("-", `{"type":"object",\n"properties":{\n"a":{"type":"string"}}}`)).output).toContain(
      "::error file=-,line=3,col=5,",
    );
    expect((await lint("schema.yaml")).output).toContain("::error file=schema.yaml,line=5,col=7,");
  });
});

describe("llmsr project", () => {
  it("prints the schema in the provider's form, keeping the order of properties", async () => {
    const { code, output } = await run("project", file("ordered.json"), "--target", "openai");

    expect(code).toBe(0);
    expect(output).toBe(
      '{"type":"object","properties":{"2":{"type":"string"},"1":{"type":["integer","null"]}},"required":["2","1"],"additionalProperties":false}\n',
    );
  });

  it("prints the request that carries it, named after the tool", async () => {
    const { output } = await run("project", file("mcp.json"), "--target", "anthropic", "--shape", "anthropic-tool");

    const [first, second] = output
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(first).toMatchObject({
      tools: [{ name: "first", description: "One", strict: true, input_schema: { additionalProperties: false } }],
    });
    expect(second).toMatchObject({ tools: [{ name: "second" }] });
  });

  it("prints everything with --all", async () => {
    const { output } = await run("project", file("schema.json"), "--target", "openai-strict@2026-11", "--all");

    expect(JSON.parse(output)).toMatchObject({
      profile: "openai-strict@2026-11",
      loss: "lossless",
      decoder: { version: 1 },
      fragment: { response_format: {} },
    });
  });

  it("reads Gemini's spelling", async () => {
    const { output } = await run("project", file("gemini.json"), "--target", "openai");

    expect(JSON.parse(output)).toMatchObject({ type: "object", properties: { a: { type: ["string", "null"] } } });
  });

  it("resolves references to other files", async () => {
    expect((await run("project", file("referring.json"), "--target", "openai")).code).toBe(2);
    expect(
      (await run("project", file("referring.json"), "--target", "openai", "--ref", `zip.json=${file("zip.json")}`))
        .code,
    ).toBe(0);
  });

  it("exits with 1 if the schema cannot be expressed", async () => {
    expect(await run("project", file("never.json"), "--target", "openai")).toMatchObject({
      code: 1,
      errors: expect.stringContaining("allows no value"),
    });
  });

  describe("of more tools than a request may have", () => {
    const project = (...options: string[]) =>
      run("project", file("many.json"), "--target", "anthropic", "--shape", "anthropic-tool", ...options);
    const strictOf = (output: string) =>
      output
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { tools: { strict?: boolean }[] }).tools[0]!.strict);

    it("projects each on its own by default", async () => {
      const { code, output } = await project();

      expect(code).toBe(0);
      expect(strictOf(output)).toEqual(Array.from({ length: 21 }, () => true));
    });

    it("sends those that do not fit without strict, with --together and --fallback", async () => {
      const { code, output, errors } = await project("--together", "--fallback", "anthropic-tool");

      expect(code).toBe(0);
      expect(strictOf(output)).toEqual([...Array.from({ length: 20 }, () => true), undefined]);
      expect(errors).toContain("t20 is projected for anthropic-tool: Anthropic allows 20 strict schemas");
    });

    it("prints none with --together alone, and exits with 1", async () => {
      expect(await project("--together")).toMatchObject({
        code: 1,
        output: "",
        errors: expect.stringContaining("t20: Anthropic allows 20 strict schemas in one request."),
      });
    });

    it("exits with 2 for --fallback alone", async () => {
      expect(await project("--fallback", "anthropic-tool")).toMatchObject({ code: 2 });
    });
  });
});
