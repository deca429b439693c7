import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callLlmsr } from "./call-llmsr.ts";
import { TYPED_SCHEMAS } from "./typed-schemas.ts";

const FILES = Object.keys(TYPED_SCHEMAS);

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llmsr-types-"));
  for (const [name, text] of Object.entries(TYPED_SCHEMAS)) writeFileSync(join(folder, name), text);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function generate(file: string, language: string, ...more: string[]): Promise<string> {
  const output = join(folder, `${language}-${file}`);
  const { code, errors } = await callLlmsr(["types", join(folder, file), "-l", language, "-o", output, ...more]);
  expect(code, errors).toBe(0);
  return output;
}

/** Fails with what a compiler says. */
function compile(command: string, args: readonly string[], cwd: string): void {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  expect(status, `${stdout}${stderr}`).toBe(0);
}

function isThere(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

const PYTHON = process.env.PYTHON ?? "python3";
const hasPydantic = isThere(PYTHON, "-c", "import pydantic; assert pydantic.VERSION >= '2'");

describe("llmsr types", () => {
  it.each(FILES)("writes TypeScript for %s that compiles", async (file) => {
    const output = await generate(file, "typescript");

    const tsc = join(process.cwd(), "node_modules", ".bin", "tsc");
    compile(tsc, ["--noEmit", "--strict", "--ignoreConfig", ...readdirSync(output)], output);
  });

  it.skipIf(!isThere("go", "version")).each(FILES)("writes Go for %s that compiles", async (file) => {
    const output = await generate(file, "go", "--package", "schemas");
    writeFileSync(join(output, "go.mod"), "module schemas\n\ngo 1.19\n");

    compile("go", ["vet", "./..."], output);
  });

  it.skipIf(!isThere("javac", "-version")).each(FILES)("writes Java for %s that compiles", async (file) => {
    const output = await generate(file, "java", "--package", "schemas");

    mkdirSync(join(output, "classes"));
    const sources = readdirSync(output).filter((name) => name.endsWith(".java"));
    compile("javac", ["-Xlint:all", "-Werror", "-d", "classes", ...sources], output);
  });

  it.skipIf(!hasPydantic).each(FILES)("writes Pydantic models for %s that are imported", async (file) => {
    const output = await generate(file, "python");
    const [module] = readdirSync(output).map((name) => name.replace(/\.py$/, ""));

    compile(PYTHON, ["-W", "error", "-c", `import ${module}`], output);
  });

  it.skipIf(!isThere(PYTHON, "-m", "mypy", "--version"))("writes Pydantic models that mypy accepts", async () => {
    for (const file of FILES) {
      const output = await generate(file, "python");
      compile(
        PYTHON,
        ["-m", "mypy", "--strict", ...readdirSync(output).filter((name) => name.endsWith(".py"))],
        output,
      );
    }
  });

  it.skipIf(!hasPydantic)("keeps in Python what the schema constrains", async () => {
    const output = await generate("order.json", "python");
    const script = `
import json, sys
from order import Order
from pydantic import ValidationError
good = {"id": "o-1", "class": "a", "lines": [{}]}
Order.model_validate(good)
for bad in ({"id": "o-"}, {"id": "x-1"}, {"id": "o-123456789"}, {"class": "c"}, {"lines": []}, {"total": -1}, {"placed": "soon"},
            {"tags": {"a": "too long"}}, {"unknown": 1}, {"either": []}, {"ship-to": {}}):
    try:
        Order.model_validate({**good, **bad})
        print("accepted", bad)
    except ValidationError:
        pass
`;

    expect(execFileSync(PYTHON, ["-c", script], { cwd: output, encoding: "utf8" })).toBe("");
  });

  it("writes Rust, with the names that serde reads", async () => {
    const { code, output } = await callLlmsr(["types", join(folder, "order.json"), "-l", "rust"]);

    expect(code).toBe(0);
    expect(output).toContain("pub struct Order");
    expect(output).toContain('#[serde(rename_all = "kebab-case")]');
  });

  it("includes what an Avro schema references", async () => {
    const holder = { type: "record", name: "Holder", fields: [{ name: "node", type: "tree.Node" }] };
    writeFileSync(join(folder, "holder.avsc"), JSON.stringify(holder));

    const { output } = await callLlmsr([
      ...["types", join(folder, "holder.avsc"), "-l", "python", "--ref", `tree.Node=${join(folder, "node.avsc")}`],
    ]);

    expect(output).toContain("class Node(BaseModel):");
    expect(output).toContain("    node: Node");
  });

  it.each([
    [["types", "x.json"], "--language is required"],
    [["types", "x.json", "-l", "cobol"], "--language must be one of"],
    [["types"], "types takes one schema"],
  ])("exits with 2 for %j", async (args, said) => {
    expect(await callLlmsr(args)).toMatchObject({ code: 2, errors: expect.stringContaining(said) });
  });

  it("asks for a folder where Java needs several files", async () => {
    const { code, errors } = await callLlmsr(["types", join(folder, "order.json"), "-l", "java"]);

    expect(code).toBe(2);
    expect(errors).toContain("-o FOLDER");
  });
});
