import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { locateInProtobuf } from "../../cli/input/locate.ts";
import { callLlmsr } from "./call-llmsr.ts";

const WIDE = { type: "object", properties: { name: { type: "string", maxLength: 10 } } };
const NARROW = { type: "object", properties: { name: { type: "string", maxLength: 5 } } };
const PYTHON = process.env.PYTHON ?? "python3";
const hasPydantic = spawnSync(PYTHON, ["-c", "import pydantic"], { stdio: "ignore" }).status === 0;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llmsr-inputs-"));
  const git = (...args: string[]) => execFileSync("git", args, { cwd: folder });
  git("init", "--quiet", "--initial-branch=main");
  write("schema.json", JSON.stringify(WIDE));
  write("nested/one.avsc", '{"type":"record","name":"One","fields":[]}');
  git("add", "--all");
  git("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "--message", "Schemas");
  write("schema.json", JSON.stringify(NARROW, null, 2));
  write("schema.yaml", "type: object\nproperties:\n  name: &name\n    type: string\n    maxLength: 5\n");
  write("new.json", JSON.stringify(WIDE));
  write("shop/__init__.py", "");
  write(
    "shop/models.py",
    "from pydantic import BaseModel, Field\nprint('noise')\nclass Order(BaseModel):\n    name: str = Field(max_length=5)\n",
  );
  write(
    "order.mjs",
    'import { z } from "zod";\nconsole.log("noise");\nexport const Order = z.object({ name: z.string().max(5) });\n',
  );
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(join(process.cwd(), "node_modules", "zod"), join(folder, "node_modules", "zod"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}

const llmsr = (args: readonly string[], stdin?: string) =>
  callLlmsr(args, {
    cwd: folder,
    env: { PATH: process.env.PATH, PYTHON, XDG_CONFIG_HOME: "/nowhere" },
    ...(stdin === undefined ? {} : { stdin }),
  });

describe("llmsr check --against git", () => {
  it("compares a file with itself at a revision, and names the line and column", async () => {
    const { code, output } = await llmsr(["check", "schema.json", "--against", "git:main"]);

    expect(code).toBe(1);
    expect(output).toContain("schema.json:6:20");
  });

  it("calls a file new that the revision lacks", async () => {
    const { code, output } = await llmsr(["check", "new.json", "--against", "git:main"]);

    expect({ code, output }).toEqual({ code: 0, output: "new new.json: new\n" });
  });

  it("reads a file of a revision unchanged", async () => {
    expect((await llmsr(["diff", "git:main:schema.json", "new.json"])).code).toBe(0);
  });

  it.each([
    ["git:nowhere", "is not a revision"],
    ["git:--output=x", "is not git:REVISION"],
    ["git:", "is not git:REVISION"],
  ])("refuses %s", async (against, said) => {
    const { code, errors } = await llmsr(["check", "schema.json", "--against", against]);

    expect(code).toBe(2);
    expect(errors).toContain(said);
  });

  it("refuses a file that is neither there nor in the revision", async () => {
    expect(await llmsr(["diff", "git:main:none.json", "new.json"])).toMatchObject({
      code: 2,
      errors: expect.stringContaining("none.json does not exist at main"),
    });
  });
});

describe("inputs of llmsr", () => {
  it("reads YAML, with positions in the YAML", async () => {
    const { code, output } = await llmsr(["check", "git:main:schema.json", "schema.yaml"]);

    expect(code).toBe(1);
    expect(output).toContain("schema.yaml:5:16");
  });

  it("names the place of a mistake in YAML", async () => {
    write("broken.yaml", "type: object\nproperties: [\n");

    expect((await llmsr(["check", "broken.yaml", "broken.yaml"])).errors).toMatch(/broken\.yaml:\d+:\d+: /);
  });

  it.each([
    ["9223372036854775807", "9223372036854775807"],
    ["0.10000000000000000000001", "0.10000000000000000000001"],
    ["1e400", "1E+400"],
    ["0xFFFFFFFFFFFFFFFFFF", "4722366482869645213695"],
    ["0o777777777777777777777777", "4722366482869645213695"],
    ["+007", "7"],
    ["-.5", "-0.5"],
    ["'5'", '"5"'],
  ])("keeps the YAML value %s exact", async (written, exact) => {
    write("number.yaml", `const: ${written}\n2: first\n1: second\n`);

    expect(await llmsr(["bundle", "number.yaml"])).toMatchObject({
      code: 0,
      output: `{"const":${exact},"2":"first","1":"second"}\n`,
    });
  });

  it("finds no difference between a schema in YAML and the same in JSON", async () => {
    write("same.yaml", "type: integer\nmaximum: 9223372036854775807\n");
    write("same.json", '{"type":"integer","maximum":9223372036854775807}');

    expect(await llmsr(["diff", "same.json", "same.yaml", "--json"])).toMatchObject({ code: 0 });
    expect((await llmsr(["bump", "same.json", "same.yaml"])).output).toMatch(/^none\n/);
  });

  it("resolves anchors and merged keys of YAML, with positions where they are used", async () => {
    const merged = "base: &base {type: string, maxLength: 5}\nproperties:\n  name:\n    <<: *base\n    minLength: 1\n";
    write("merged.yaml", `type: object\n${merged}  other: *base\n`);

    const { code, output } = await llmsr(["check", "git:main:schema.json", "merged.yaml"]);

    expect(code).toBe(1);
    expect(output).toContain("merged.yaml:5:5");
  });

  it.each([
    ["const: .inf", "wrong.yaml:1:8: JSON has no number .inf"],
    ["enum: [1, .nan]", "wrong.yaml:1:11: JSON has no number .nan"],
    ["a: &a [*a]", "an alias repeats a value within itself"],
    ["a: *nowhere", "Unresolved alias"],
    ["? [a]\n: b", "a key is a list or a map"],
    ["# nothing", "wrong.yaml is empty"],
  ])("refuses the YAML %j", async (text, said) => {
    write("wrong.yaml", `${text}\n`);

    expect(await llmsr(["bundle", "wrong.yaml"])).toMatchObject({ code: 2, errors: expect.stringContaining(said) });
  });

  it("reads an anchored value a hundred times and refuses more, at a git revision too", async () => {
    const withAliases = (count: number) => `enum: [&a 1, ${"*a, ".repeat(count - 1)}2]\n`;
    write("few.yaml", withAliases(100));
    write("bomb.yaml", withAliases(101));
    execFileSync("git", ["add", "bomb.yaml"], { cwd: folder });
    const commit = ["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "--message", "Bomb"];
    execFileSync("git", commit, { cwd: folder });

    expect(await llmsr(["bundle", "few.yaml"])).toMatchObject({ code: 0 });
    for (const reference of ["bomb.yaml", "git:main:bomb.yaml"]) {
      expect(await llmsr(["bundle", reference])).toMatchObject({
        code: 2,
        errors: expect.stringContaining(`${reference}: Excessive alias count`),
      });
    }
  });

  it("reads standard input in every format", async () => {
    expect((await llmsr(["diff", "new.json", "-"], JSON.stringify(WIDE))).code).toBe(0);
    expect((await llmsr(["diff", "nested/one.avsc", "-"], '{"type":"record","name":"One","fields":[]}')).code).toBe(0);
    write("u.proto", 'syntax = "proto3";\nmessage U {}\n');
    expect((await llmsr(["diff", "u.proto", "-"], 'syntax = "proto3";\nmessage U {}\n')).code).toBe(0);
  });

  it("reads a Zod schema, whatever its module prints", async () => {
    const { code, output } = await llmsr(["check", "git:main:schema.json", "order.mjs#Order"]);

    expect(code).toBe(1);
    expect(output).toContain("MAX_LENGTH_DECREASED");
  });

  it.skipIf(!hasPydantic)("reads a Pydantic model, whatever its module prints", async () => {
    const { code, output } = await llmsr(["check", "git:main:schema.json", "shop.models:Order"]);

    expect(code).toBe(1);
    expect(output).toContain("MAX_LENGTH_DECREASED");
  });

  it.each([
    ["order.mjs#Missing", "exports no Missing"],
    ["nowhere.mjs#Order", "cannot be read"],
    ["no.such.module:Order", "cannot be read"],
    ["nothing", "it is not a file"],
    ["nested", "is a folder"],
  ])("refuses %s with a reason", async (reference, said) => {
    const { code, errors, output } = await llmsr(["diff", "new.json", reference]);

    expect({ code, output }).toEqual({ code: 2, output: "" });
    expect(errors).toContain(said);
  });
});

describe("llmsr with a path that cannot be read", () => {
  it("names a circle of links", async () => {
    symlinkSync("circle.json", join(folder, "circle.json"));

    expect(await llmsr(["diff", "new.json", "circle.json"])).toMatchObject({
      code: 2,
      errors: expect.stringMatching(/^llmsr: \S+circle\.json cannot be read: .*symbolic link/),
    });
  });

  it("takes a name longer than a file's for another kind of reference", async () => {
    expect(await llmsr(["diff", "new.json", "x".repeat(300)])).toMatchObject({
      code: 2,
      errors: expect.stringContaining("it is not a file"),
    });
  });

  it("refuses a zero byte in llmsr.toml", async () => {
    write("zero/llmsr.toml", '[subjects]\norders = "a\\u0000b"\n');

    const { code, errors } = await callLlmsr(["check"], { cwd: join(folder, "zero") });

    expect(code).toBe(2);
    expect(errors).toMatch(/^llmsr: \S+a\0b cannot be read: .*null bytes/);
  });
});

describe("llmsr push --dry-run", () => {
  it("sends invalid JSON as text, so that the registry reports the problem", async () => {
    write("pushed/bad.json", "hello");
    const sent: unknown[] = [];
    const refuse = async (_: unknown, init?: RequestInit) => {
      sent.push(JSON.parse(String(init?.body)));
      const verdict = { compatible: null, errors: [{ message: "It is not JSON." }], differences: [] };
      return Response.json({
        compatible: false,
        schemas: [{ ...verdict, compared_versions: [], suggestion_reasons: [], suggested_bump: null }],
        referencing: [],
      });
    };

    const { code, output } = await callLlmsr(["push", "--dry-run", "bad.json"], {
      cwd: join(folder, "pushed"),
      fetch: refuse,
    });

    expect(sent).toMatchObject([{ schemas: [{ content: "hello" }] }]);
    expect({ code, output }).toEqual({ code: 1, output: "bad bad.json: invalid\n  bad.json: It is not JSON.\n" });
  });
});

describe("llmsr check --format", () => {
  const check = (...format: string[]) => llmsr(["check", "git:main:schema.json", "schema.json", ...format]);

  it("writes annotations for GitHub with escaped text", async () => {
    expect((await check("--format", "github")).output).toMatch(
      /^::error file=schema\.json,line=6,col=20,title=MAX_LENGTH_DECREASED::.*For example \{"name":"\w+"\}/m,
    );
  });

  it("writes SARIF that names rule, level and region", async () => {
    const { output } = await check("--format", "sarif");

    expect(JSON.parse(output)).toMatchObject({
      version: "2.1.0",
      runs: [
        {
          tool: { driver: { name: "llmsr", rules: [{ id: "MAX_LENGTH_DECREASED" }] } },
          results: [
            {
              ruleId: "MAX_LENGTH_DECREASED",
              level: "error",
              locations: [{ physicalLocation: { artifactLocation: { uri: "schema.json" }, region: { startLine: 6 } } }],
            },
          ],
        },
      ],
    });
  });

  it("writes Markdown in which text of a schema stays text", async () => {
    const tricky = { type: "object", properties: { "`</b>|@all": { type: "string", maxLength: 1 } } };
    write("tricky-a.json", JSON.stringify({ type: "object", properties: { "`</b>|@all": { type: "string" } } }));
    write("tricky-b.json", JSON.stringify(tricky));

    const { output } = await llmsr(["check", "tricky-a.json", "tricky-b.json", "--format", "markdown"]);

    expect(output).toContain("## Schemas: not compatible");
    expect(output.replaceAll(/`[^\n]*`/g, "")).not.toContain("@all");
  });

  it("still takes the schema's format under its older name, and refuses others", async () => {
    expect((await check("--format", "json-schema")).output).toContain("incompatible under");
    expect(await check("--format", "xml")).toMatchObject({ code: 2, errors: expect.stringContaining("--format") });
  });

  it("gives the version of its JSON", async () => {
    expect(JSON.parse((await check("--json")).output)).toMatchObject({ format_version: 1, compatible: false });
  });
});

describe("locateInProtobuf", () => {
  const locate = locateInProtobuf(
    'syntax = "proto3";\n// message User { int32 decoy = 1; }\nmessage User {\n  message In {\n    int32 a = 1;\n  }\n  In i = 2;\n}\nenum Kind {\n  NONE = 0;\n}\n',
  );

  it.each([
    ["#/User", { line: 3, column: 1 }],
    ["#/User/In/1", { line: 5, column: 5 }],
    ["#/User/2", { line: 7, column: 3 }],
    ["#/Kind/NONE", { line: 10, column: 3 }],
  ])("finds %s", (pointer, position) => {
    expect(locate(pointer)).toEqual(position);
  });
});
