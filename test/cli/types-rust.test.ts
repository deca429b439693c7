/** A long test, because cargo compiles serde first. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callLlmsr } from "./call-llmsr.ts";
import { TYPED_SCHEMAS } from "./typed-schemas.ts";

const COMPILES_WITHIN_MS = 300_000;

const MANIFEST = `[package]
name = "schemas"
version = "0.1.0"
edition = "2021"

[dependencies]
serde = { version = "1", features = ["derive"] }
serde_json = "1"
`;

let folder: string;
const cargo = (...args: string[]) => spawnSync("cargo", args, { cwd: folder, encoding: "utf8" });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llmsr-rust-"));
  mkdirSync(join(folder, "src"));
  writeFileSync(join(folder, "Cargo.toml"), MANIFEST);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("llmsr types --language rust", () => {
  it(
    "writes Rust for each format that compiles",
    async (test) => {
      const modules: string[] = [];
      for (const [file, text] of Object.entries(TYPED_SCHEMAS)) {
        writeFileSync(join(folder, file), text);
        const { code, output, errors } = await callLlmsr(["types", join(folder, file), "-l", "rust"]);
        expect(code, errors).toBe(0);
        const module = file.replace(/\..*$/, "");
        writeFileSync(join(folder, "src", `${module}.rs`), output);
        modules.push(`pub mod ${module};`);
      }
      writeFileSync(join(folder, "src", "lib.rs"), `${modules.join("\n")}\n`);
      if (cargo("fetch", "--quiet").status !== 0) test.skip("cargo, or serde from its registry, is not here");

      const { status, stderr } = cargo("check", "--quiet");

      expect(status, stderr).toBe(0);
    },
    COMPILES_WITHIN_MS,
  );
});
