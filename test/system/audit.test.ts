import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  eventually,
  freePort,
  type RegistryProcess,
  spawnRegistry,
  temporaryState,
} from "../support/registry-process.ts";

const hasGo = spawnSync("go", ["version"]).status === 0;

describe("the log of a running registry", () => {
  let state: ReturnType<typeof temporaryState>;
  let registry: RegistryProcess;
  let buildDir: string;

  beforeEach(async () => {
    buildDir = mkdtempSync(join(tmpdir(), "verifier-"));
    state = temporaryState();
    registry = spawnRegistry({ port: await freePort(), stateDir: state.stateDir, args: ["--no-database"] });
    await registry.ready();
  });

  afterEach(async () => {
    await registry.kill();
    state.remove();
    rmSync(buildDir, { recursive: true, force: true });
  });

  async function register(subjects: number, prefix: string): Promise<void> {
    const changes = Array.from({ length: subjects }, (_, index) => ({
      operation: "register",
      subject: `${prefix}-${index}`,
      format: "json-schema",
      content: { type: "object", title: `${prefix} ${index}` },
    }));
    const { status } = await fetch(`${registry.url}/api/v1/change-sets`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ changes }),
    });
    expect(status).toBe(200);
  }

  it.skipIf(!hasGo)("is verified by Go's sumdb packages: signature, consistency, and every entry", async () => {
    const base = `${registry.url}/api/v1`;
    const binary = join(buildDir, "verifier");
    execFileSync("go", ["build", "-o", binary, "."], { cwd: "test/system/verifier" });
    await register(200, "first");
    await register(200, "second");
    expect(await eventually(async () => (await fetch(`${base}/audit/checkpoint`)).status === 200)).toBe(true);
    const { items } = (await (await fetch(`${base}/audit/keys`)).json()) as { items: { verifier: string }[] };

    const { status, stdout, stderr } = spawnSync(binary, [base, items[0]!.verifier, "7"], { encoding: "utf8" });

    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^verified \d+ entries\n$/);
  });
});
