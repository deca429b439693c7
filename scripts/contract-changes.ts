// Breaking changes between a released contract/openapi.json and the current one, found by oasdiff.
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import semver from "semver";
import { ROOT } from "./install.mjs";

/**
 * Pinned, because oasdiff decides what counts as breaking. Run with Go, which fetches and builds it once
 * (docs/decisions/0021).
 */
const OASDIFF = "github.com/oasdiff/oasdiff@v1.37.0";
/** The first run downloads and compiles. */
export const OASDIFF_WITHIN_MS = 600_000;
const MAX_REPORT_BYTES = 16 * 1_024 * 1_024;

export const RELEASED = join(ROOT, "contract", "released");

type BreakingChange = { id: string; text: string; operation?: string; path?: string; level: number };

/** The newest released contract, or undefined before the first release. */
export function newestRelease(
  files: readonly string[] = readdirSync(RELEASED),
): { version: string; file: string } | undefined {
  const versions = files.flatMap((file) => /^openapi-(\d+\.\d+\.\d+)\.json$/.exec(file)?.[1] ?? []);
  const newest = semver.rsort(versions)[0];
  return newest === undefined ? undefined : { version: newest, file: join(RELEASED, `openapi-${newest}.json`) };
}

/** Whether the step between two releases may break callers: the leftmost nonzero number increases (semver §4, §8). */
export function mayBreak(released: string, next: string): boolean {
  return semver.gt(next, released) && !semver.satisfies(next, `^${released}`);
}

/** The changes that break callers of `base` when they talk to `revision`; warnings are omitted. */
export function breakingChanges(base: string, revision: string): Promise<BreakingChange[]> {
  const args = ["run", OASDIFF, "breaking", "--format", "json", base, revision];
  return new Promise((resolve, reject) => {
    execFile("go", args, { timeout: OASDIFF_WITHIN_MS, maxBuffer: MAX_REPORT_BYTES }, (error, stdout, stderr) => {
      if (error) return reject(new Error(`oasdiff failed: ${stderr || error.message}`));
      const changes = stdout.trim() === "" ? [] : (JSON.parse(stdout) as BreakingChange[]);
      resolve(changes.filter(({ level }) => level >= ERROR_LEVEL));
    });
  });
}

const ERROR_LEVEL = 3;
