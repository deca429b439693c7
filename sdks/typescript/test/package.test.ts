/** The package as users install it: packed, installed into an empty folder, and used from each kind of project. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VERSION } from "../src/version.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Raw size of the bundle that a program pays for, the validation engine included. */
const MAX_BUNDLE_BYTES = 160_000;
const OLDEST_TYPESCRIPT = "4.5.5";
const NEWEST_TYPESCRIPT = "5.9.3";

const USE = `
const registry = new SchemaRegistry("http://localhost:8080");
const schema = new JSONSchema({ type: "object" });
async function use(): Promise<boolean> {
  const id: string = await registry.registerSchema({ subject: "s", schema });
  for await (const subject of registry.listSubjects({ prefix: "s" })) console.log(subject.subject);
  try {
    return await registry.validate({}, id);
  } catch (error) {
    if (isRegistryError(error, "incompatible_schema")) console.log(error.verdict.differences.length);
    throw error;
  }
}
`;

const folder = mkdtempSync(join(tmpdir(), "sdk-package-"));
const run = (command: string, args: string[], cwd = folder) =>
  execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

beforeAll(() => {
  const packed = run("npm", ["pack", "--silent", "--pack-destination", folder], ROOT)
    .trim()
    .split("\n")
    .at(-1) as string;
  writeFileSync(join(folder, "package.json"), '{ "private": true }');
  const packages = [
    `./${packed}`,
    `ts-old@npm:typescript@${OLDEST_TYPESCRIPT}`,
    `ts-new@npm:typescript@${NEWEST_TYPESCRIPT}`,
  ];
  run("npm", ["install", "--no-audit", "--no-fund", "--silent", ...packages]);
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe("the packed package", () => {
  it("has the version that the user agent names, and a license", () => {
    const installed = join(folder, "node_modules/@llm/schema-registry");

    expect(JSON.parse(readFileSync(join(installed, "package.json"), "utf8"))).toMatchObject({ version: VERSION });
    expect(readFileSync(join(installed, "LICENSE"), "utf8")).toContain("Apache License");
  });

  it("brings no dependency along", () => {
    const tree = JSON.parse(run("npm", ["ls", "--all", "--json", "@llm/schema-registry"])) as {
      dependencies: Record<string, { dependencies?: object }>;
    };

    expect(tree.dependencies["@llm/schema-registry"]?.dependencies).toBeUndefined();
  });

  it.each([
    ["an ES module", "use.mjs", 'import { SchemaRegistry, JSONSchema } from "@llm/schema-registry";'],
    ["CommonJS", "use.cjs", 'const { SchemaRegistry, JSONSchema } = require("@llm/schema-registry");'],
  ])("is loaded by %s", (_kind, file, load) => {
    writeFileSync(
      join(folder, file),
      `${load}\nconsole.log(typeof new SchemaRegistry("http://localhost:8080").validate, new JSONSchema(true).format);`,
    );

    expect(run(process.execPath, [file]).trim()).toBe("function json-schema");
  });

  it.each([
    ["ts-old", ["--moduleResolution", "node", "--module", "commonjs", "--lib", "es2020,dom"]],
    ["ts-new", ["--moduleResolution", "node16", "--module", "node16", "--lib", "es2022,dom"]],
    ["ts-new", ["--moduleResolution", "bundler", "--module", "esnext", "--lib", "es2022,dom"]],
  ])("has types that %s reads with %j", (compiler, options) => {
    const project = join(folder, `types-${compiler}-${options[1]}`);
    mkdirSync(project);
    writeFileSync(
      join(project, "use.ts"),
      `import { SchemaRegistry, JSONSchema, isRegistryError } from "@llm/schema-registry";\n${USE}\nvoid use;\n`,
    );
    const checks = ["--strict", "--noEmit", "--target", "es2018", "--skipLibCheck", "false", "use.ts"];

    expect(() =>
      run(process.execPath, [join(folder, "node_modules", compiler, "bin/tsc"), ...options, ...checks], project),
    ).not.toThrow();
  });

  it("runs in a Worker, its validation engine included, and stays small", async () => {
    const entry = `
      import { SchemaRegistry } from "@llm/schema-registry";
      export default { async fetch() {
        const content = { format: "json-schema", dialect: "2020-12", content: { type: "integer" }, references: [] };
        const registry = new SchemaRegistry("http://registry.test", { fetch: async () => Response.json(content) });
        return Response.json([await registry.validate(3, "a"), await registry.validate("x", "a")]);
      } };`;
    const bundled = await build({
      stdin: { contents: entry, resolveDir: folder },
      bundle: true,
      format: "esm",
      platform: "browser",
      minify: true,
      write: false,
    });
    const script = bundled.outputFiles[0]?.text ?? "";
    const worker = new Miniflare(convertV4MiniflareOptions({ modules: true, script, compatibilityDate: "2026-11-01" }));

    const answer = await (await worker.dispatchFetch("http://worker.test/")).json();

    await worker.dispose();
    expect(answer).toEqual([true, false]);
    expect(script.length).toBeLessThan(MAX_BUNDLE_BYTES);
  });
});
