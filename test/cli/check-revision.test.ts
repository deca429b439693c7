import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { callLlmsr } from "./call-llmsr.ts";

const numbered = (type: string) => JSON.stringify({ type: "object", properties: { n: { type } }, required: ["n"] });
const record = (name: string, field: string, type: string) =>
  JSON.stringify({ type: "record", name, namespace: "shop", fields: [{ name: field, type }] });
const toolList = (...tools: [name: string, type: string][]) =>
  JSON.stringify({ tools: tools.map(([name, type]) => ({ name, inputSchema: JSON.parse(numbered(type)) })) });
const declared = (...lines: string[]) => `[subjects]\n${lines.join("\n")}\n`;

let folder: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "llmsr-revision-")));
  git("init", "--quiet", "--initial-branch=main");
});
afterEach(() => rmSync(folder, { recursive: true }));

function git(...args: string[]): void {
  execFileSync("git", args, { cwd: folder });
}

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** The files as they are at `main`. */
function commit(files: Readonly<Record<string, string>>): void {
  write(files);
  git("add", "--all");
  git("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "--message", "Schemas");
}

const check = (args: readonly string[] = [], cwd = folder) =>
  callLlmsr(["check", ...args, "--against", "git:main", "--no-witness"], { cwd });

describe("llmsr check --against a git revision", () => {
  it("compares a subject whose file was renamed with its former file", async () => {
    commit({ "s/o.json": numbered("integer"), "llmsr.toml": declared('o = "s/o.json"') });
    rmSync(join(folder, "s/o.json"));
    write({ "s/o2.json": numbered("string"), "llmsr.toml": declared('o = "s/o2.json"') });

    expect(await check()).toMatchObject({ code: 1, output: expect.stringContaining("o s/o2.json: incompatible") });
    expect(await check([], join(folder, "s"))).toMatchObject({ code: 1 });
    expect(await check(["s/o2.json"])).toMatchObject({ code: 1 });
  });

  it("compares the schemas of a renamed folder and of a renamed list of tools", async () => {
    const avro = { "a/nested/one.avsc": record("One", "f", "int"), "a/.hidden/x.avsc": "{", "a/package.json": "{" };
    commit({
      ...avro,
      "tools.json": toolList(["find", "integer"], ["drop", "integer"]),
      "llmsr.toml": declared('"shop.*" = "a"', '"*" = "tools.json"'),
    });
    git("mv", "a", "b");
    rmSync(join(folder, "tools.json"));
    write({
      "b/nested/one.avsc": record("One", "f", "string"),
      "list.json": toolList(["new", "string"], ["find", "string"], ["drop", "integer"]),
      "llmsr.toml": declared('"shop.*" = "b"', '"*" = "list.json"'),
    });

    const { code, output } = await check();

    expect(code).toBe(1);
    expect(output).toMatch(/^shop\.nested\.one .*: incompatible/m);
    expect(output).toMatch(/^find .*: incompatible/m);
    expect(output).toMatch(/^drop .*: unchanged/m);
    expect(output).toMatch(/^new .*: new/m);
  });

  it("compares one part of a document with the same part", async () => {
    const api = (type: string) =>
      JSON.stringify({ openapi: "3.1.0", components: { schemas: { A: {}, User: JSON.parse(numbered(type)) } } });
    const source = 'user = "api.json#/components/schemas/User"';
    commit({ "api.json": api("integer"), "llmsr.toml": declared(source) });
    write({ "api.json": api("string"), "llmsr.toml": declared(source, 'a = "api.json#/components/schemas/A"') });

    const { code, output } = await check();

    expect(code).toBe(1);
    expect(output).toMatch(/^user api\.json: incompatible/m);
  });

  it("finds what a schema referenced at the revision, under the names of the revision", async () => {
    commit({
      "address.avsc": record("Address", "street", "string"),
      "customer.avsc": record("Customer", "home", "shop.Address"),
      "llmsr.toml": declared('address = "address.avsc"', 'customer = "customer.avsc"'),
    });
    rmSync(join(folder, "address.avsc"));
    write({
      "customer.avsc": record("Customer", "home", "string"),
      "llmsr.toml": declared('customer = "customer.avsc"'),
    });

    const { code, output } = await check();

    expect(code).toBe(1);
    expect(output).toContain("customer customer.avsc: incompatible");
    expect(output).toContain("address git:main:address.avsc: removed\n");
  });

  it("resolves a reference by --ref before the files of llmsr.toml", async () => {
    commit({
      "address.avsc": record("Address", "street", "int"),
      "customer.avsc": record("Customer", "home", "shop.Address"),
      "llmsr.toml": declared('address = "address.avsc"', 'customer = "customer.avsc"'),
    });
    write({ "address.avsc": record("Address", "street", "string"), "fixed.avsc": record("Address", "street", "int") });

    expect(await check(["customer.avsc"])).toMatchObject({ code: 1 });
    expect(await check(["customer.avsc", "--ref", "shop.Address=fixed.avsc"])).toMatchObject({ code: 0 });
  });

  it("compares a file that llmsr.toml did not list by its path", async () => {
    commit({ "o.json": numbered("integer") });
    write({ "o.json": numbered("string"), "llmsr.toml": declared('o = "o.json"') });

    expect(await check()).toMatchObject({ code: 1, output: expect.stringContaining("o o.json: incompatible") });
  });

  it("calls a tool new that joins a list of one", async () => {
    commit({ "tools.json": toolList(["find", "integer"]), "llmsr.toml": declared('"*" = "tools.json"') });
    write({ "tools.json": toolList(["find", "integer"], ["drop", "string"]) });

    expect(await check()).toMatchObject({ code: 0, output: expect.stringMatching(/^drop .*: new$/m) });
    expect(await check(["tools.json"])).toMatchObject({ code: 0 });
  });

  it("refuses a subject that changed its format", async () => {
    commit({ "o.json": numbered("integer"), "llmsr.toml": declared('o = "o.json"') });
    write({ "o.avsc": record("O", "n", "int"), "llmsr.toml": declared('o = "o.avsc"') });

    expect(await check()).toMatchObject({ code: 2, errors: expect.stringContaining("one subject holds one format") });
  });

  it("names the revision of an llmsr.toml that cannot be read", async () => {
    commit({ "o.json": numbered("integer"), "llmsr.toml": "subjects = 1\n" });
    write({ "llmsr.toml": declared('o = "o.json"') });

    expect(await check()).toMatchObject({ code: 2, errors: expect.stringContaining("git:main:llmsr.toml: subjects") });
  });
});

describe("llmsr check --against a git revision, of a subject that was removed", () => {
  beforeEach(() => {
    commit({
      "s/o.json": numbered("integer"),
      "kept.json": numbered("integer"),
      "llmsr.toml": declared('o = "s/o.json"', 'kept = "kept.json"'),
    });
    rmSync(join(folder, "s"), { recursive: true });
    write({ "llmsr.toml": declared('kept = "kept.json"') });
  });

  it("says so in every form, and does not fail", async () => {
    const forms = { text: "o git:main:s/o.json: removed\n", markdown: "| `o` | `git:main:s/o.json` | removed | |\n" };
    for (const [format, said] of Object.entries(forms)) {
      expect(await check(["--format", format])).toMatchObject({ code: 0, output: expect.stringContaining(said) });
    }
    expect((await check(["--format", "github"])).output).toBe(
      "::notice title=Removed subject::o (git:main:s/o.json) is removed.\n",
    );
    expect(JSON.parse((await check(["--json"])).output)).toMatchObject({
      removed: [{ subject: "o", file: "git:main:s/o.json" }],
    });
  });

  it("says so only if the subject was among the named files", async () => {
    expect((await check(["kept.json"])).output).not.toContain("removed");
    expect((await check(["."])).output).toContain("removed");
  });
});

describe("llmsr check --against a git revision, of a program", () => {
  const program = (type: string) => `import { z } from "zod";\nexport const Order = z.object({ n: ${type} });\n`;

  beforeEach(() => {
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(join(process.cwd(), "node_modules", "zod"), join(folder, "node_modules", "zod"));
    commit({ ".gitignore": "node_modules\n" });
  });

  it("refuses to call a change compatible that it cannot see", async () => {
    commit({ "m.mjs": program("z.number().int()"), "llmsr.toml": declared('orders = "m.mjs#Order"') });
    write({ "m.mjs": program("z.string()") });

    const { code, output, errors } = await check();

    expect({ code, output }).toEqual({ code: 2, output: "" });
    expect(errors).toContain("orders is read from m.mjs#Order, which is not a file");
    expect(errors).toContain("Compare it with a registry (llmsr check)");
  });

  it("refuses it without an llmsr.toml, too", async () => {
    commit({ "m.mjs": program("z.number().int()") });

    expect(await check(["m.mjs#Order", "--subject", "orders"])).toMatchObject({ code: 2 });
  });

  it("refuses a file that takes the place of a program", async () => {
    commit({ "m.mjs": program("z.number().int()"), "llmsr.toml": declared('"*" = "m.mjs#Order"') });
    write({ "o.json": numbered("string"), "llmsr.toml": declared('Order = "o.json"') });

    expect(await check()).toMatchObject({ code: 2, errors: expect.stringContaining("Order is read from m.mjs#Order") });
  });

  it("checks the named files beside it", async () => {
    const lines = ['orders = "m.mjs#Order"', 'o = "o.json"'];
    commit({ "m.mjs": program("z.string()"), "o.json": numbered("integer"), "llmsr.toml": declared(...lines) });
    write({ "o.json": numbered("string") });

    expect(await check(["o.json"])).toMatchObject({ code: 1 });
  });

  it("compares it with the file that it takes the place of", async () => {
    commit({ "o.json": numbered("integer"), "llmsr.toml": declared('o = "o.json"') });
    rmSync(join(folder, "o.json"));
    write({ "m.mjs": program("z.string()"), "llmsr.toml": declared('o = "m.mjs#Order"') });

    expect(await check()).toMatchObject({ code: 1, output: expect.stringContaining("o m.mjs#Order: incompatible") });
  });

  it("calls it new where llmsr.toml did not list it", async () => {
    commit({ "o.json": numbered("integer"), "llmsr.toml": declared('o = "o.json"') });
    write({ "m.mjs": program("z.string()"), "llmsr.toml": declared('o = "o.json"', 'orders = "m.mjs#Order"') });

    expect(await check()).toMatchObject({ code: 0, output: expect.stringContaining("orders m.mjs#Order: new") });
  });
});
