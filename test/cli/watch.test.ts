import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callLlmsr } from "./call-llmsr.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llmsr-watch-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("llmsr watch", () => {
  it.each([
    ["9".repeat(15), 0],
    ["9".repeat(16), 2],
    ["-1", 2],
  ])("begins after the seq %s, from the option and from the state: exit code %i", async (seq, code) => {
    writeFileSync(join(folder, "state"), `${seq}\n`);
    const watch = (...args: string[]) => callLlmsr(["watch", "--limit", "0", ...args], { cwd: folder });

    expect((await watch(`--after=${seq}`)).code).toBe(code);
    expect((await watch("--state", "state")).code).toBe(code);
  });
});
