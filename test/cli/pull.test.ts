import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { callLlmsr } from "./call-llmsr.ts";

let folder: string;
let repository: string;
const file = (name: string) => join(repository, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "llmsr-pull-"));
  repository = join(folder, "repository");
  mkdirSync(file(".git"), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A registry in which every name is a schema that says where it is. */
async function fetchRecord(input: string | URL | Request): Promise<Response> {
  const [, name = ""] = /\/subjects\/([^/]+)\/versions\//.exec(String(input)) ?? [];
  const [, context = ".", subject = ""] = /^(?::(\.[^:]*):)?(.*)$/s.exec(decodeURIComponent(name)) ?? [];
  const content = `message M {} // ${context} ${subject}`;
  return Response.json({ context, subject, content, format: "protobuf", version: "1.0.0", references: [] });
}

function pull(args: readonly string[], project?: string) {
  if (project !== undefined) writeFileSync(file("llmsr.toml"), project);
  return callLlmsr(["pull", ...args], { cwd: repository, fetch: fetchRecord });
}

describe("llmsr pull and show", () => {
  const text = '// Of the shop.\n{"type":"record","name":"R","fields":[]}';
  const absent = { version_number: null, state: null, role: null, owner: null, description: null };
  const record = { ...absent, id: "r-1", subject: "r", context: ".", version: "1.0.0", tags: [], references: [] };
  const fetchCommented = async () => Response.json({ ...record, format: "avro", content: text });

  it.each(["pull", "show"])("give Avro with a comment as it is registered: %s", async (command) => {
    const { code, output } = await callLlmsr([command, "r"], { cwd: repository, fetch: fetchCommented });

    expect(code).toBe(0);
    expect(output.endsWith(`${text}\n`)).toBe(true);
  });
});

describe("llmsr pull", () => {
  it("writes the files of llmsr.toml, in folders that do not exist yet and through links that stay inside", async () => {
    mkdirSync(file("real"));
    symlinkSync("real", file("linked"));

    const { code } = await pull([], '[subjects]\norders = "a/b/orders.proto"\nusers = "linked/users.proto"\n');

    expect(code).toBe(0);
    expect(readFileSync(file("a/b/orders.proto"), "utf8")).toBe("message M {} // . orders\n");
    expect(readFileSync(file("real/users.proto"), "utf8")).toBe("message M {} // . users\n");
  });

  it.each([
    ["a path above the folder", "../victim/.bashrc"],
    ["an absolute path", "/nowhere/victim"],
    ["a folder that is a link", "outside/.bashrc"],
    ["a file that is a link", "file.proto"],
    ["a link to a file that does not exist", "dangling.proto"],
    ["Git's own folder", ".GIT/config"],
    ["the folder itself", "."],
  ])("refuses %s in llmsr.toml, and writes nothing", async (_, target) => {
    mkdirSync(join(folder, "victim"));
    writeFileSync(join(folder, "victim", "file"), "mine");
    symlinkSync(join(folder, "victim"), file("outside"));
    symlinkSync(join(folder, "victim", "file"), file("file.proto"));
    symlinkSync(join(folder, "victim", ".bashrc"), file("dangling.proto"));

    const { code } = await pull([], `[subjects]\nfine = "fine.proto"\nx = ${JSON.stringify(target)}\n`);

    expect(code).toBe(2);
    expect(existsSync(file("fine.proto"))).toBe(false);
    expect(existsSync(join(folder, "victim", ".bashrc"))).toBe(false);
    expect(readFileSync(join(folder, "victim", "file"), "utf8")).toBe("mine");
    expect(existsSync(file(".GIT/config"))).toBe(false);
  });

  it("puts schemas of other contexts into folders of their own", async () => {
    const { code } = await pull(["orders", ":.prod:orders", ":..dots:orders", "-o", "out"]);
    const inProd = await pull([":.:orders", ":.prod:orders", "--context", "prod", "-o", "prod"]);

    expect([code, inProd.code]).toEqual([0, 0]);
    expect(readFileSync(file("out/orders.proto"), "utf8")).toContain("// . orders");
    expect(readFileSync(file("out/prod/orders.proto"), "utf8")).toContain("// .prod orders");
    expect(readFileSync(file("out/_dots/orders.proto"), "utf8")).toContain("// ..dots orders");
    expect(readFileSync(file("prod/orders.proto"), "utf8")).toContain("// .prod orders");
    expect(readFileSync(file("prod/default/orders.proto"), "utf8")).toContain("// . orders");
  });

  it("keeps a subject's name inside the folder", async () => {
    await pull(["../../x", "-o", "out"]);

    expect(existsSync(file("out/_%2F..%2Fx.proto"))).toBe(true);
  });

  it.each([
    [".a and _a", [".a", "_a"]],
    ["two versions of a subject", ["a@1", "a@2"]],
  ])("refuses %s, which would be one file", async (_, names) => {
    const { code, errors } = await pull([...names, "-o", "out"]);

    expect(code).toBe(2);
    expect(errors).toContain(`${names[0]} and ${names[1]} would both be written to`);
    expect(existsSync(file("out"))).toBe(false);
  });

  it("refuses two subjects of llmsr.toml that are one file, also through a link", async () => {
    mkdirSync(file("real"));
    symlinkSync("real", file("linked"));

    expect((await pull([], '[subjects]\na = "real/x.proto"\nb = "linked/x.proto"\n')).code).toBe(2);
    expect(existsSync(file("real/x.proto"))).toBe(false);
  });
});
