import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runWrangler } from "../../scripts/build.ts";

/**
 * The limit of a Worker's compressed script on Workers Paid
 * (https://developers.cloudflare.com/workers/platform/limits/).
 */
const MAX_COMPRESSED_KIB = 10 * 1_024;

describe("wrangler deploy --dry-run", () => {
  const outDir = mkdtempSync(join(tmpdir(), "registry-deploy-"));
  afterAll(() => rmSync(outDir, { recursive: true, force: true }));

  it.each(["local", "staging", "production"])(
    "builds for %s with every binding and within the size limit",
    async (environment) => {
      const { code, output } = await runWrangler([
        "deploy",
        "--dry-run",
        "--env",
        environment,
        "--outdir",
        join(outDir, environment),
      ]);

      expect(output).not.toMatch(/warning/i);
      expect(code).toBe(0);
      for (const binding of [
        "PRIMARIES (PrimaryObject)",
        "CACHE",
        "TEXTS",
        "CHANGES",
        `ENVIRONMENT ("${environment}")`,
      ]) {
        expect(output).toContain(`env.${binding}`);
      }
      const [, compressed] = /gzip: ([\d.]+) KiB/.exec(output) ?? [];
      expect(Number(compressed)).toBeLessThan(MAX_COMPRESSED_KIB);
    },
  );

  it("gives staging and production the same bindings", () => {
    const toml = readFileSync("wrangler.toml", "utf8");
    const section = (environment: string) =>
      toml
        .slice(toml.indexOf(`# ---- ${environment} ----`))
        .split("\n# ----")[0]!
        .trim()
        .replaceAll(environment, "<environment>");

    expect(section("staging")).toBe(section("production"));
  });
});
