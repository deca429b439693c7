import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { breakingChanges, mayBreak, newestRelease, OASDIFF_WITHIN_MS } from "../../scripts/contract-changes.ts";

const CONTRACT = join("contract", "openapi.json");
const released = newestRelease();
const hasGo = spawnSync("go", ["version"]).status === 0;

type Document = {
  info: { version: string };
  paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
};

const read = () => JSON.parse(readFileSync(CONTRACT, "utf8")) as Document;

describe.skipIf(!hasGo)("the contract, for callers of the newest release", { timeout: OASDIFF_WITHIN_MS }, () => {
  const folder = mkdtempSync(join(tmpdir(), "registry-contract-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.skipIf(released === undefined)("has no breaking change without a major", async () => {
    const { version, file } = released!;

    const changes = mayBreak(version, read().info.version) ? [] : await breakingChanges(file, CONTRACT);

    expect(changes.map(({ operation, path, text }) => `${operation} ${path}: ${text}`)).toEqual([]);
  });

  it("detects a removed operation as breaking", async () => {
    const changed = read();
    delete changed.paths["/schemas"]!.post;
    const file = join(folder, "openapi.json");
    writeFileSync(file, JSON.stringify(changed));

    const changes = await breakingChanges(CONTRACT, file);

    expect(changes).toMatchObject([{ operation: "POST", path: "/schemas" }]);
  });
});

describe("mayBreak", () => {
  it.each([
    ["0.1.0", "0.1.1", false],
    ["0.1.0", "0.2.0", true],
    ["1.4.0", "1.5.0", false],
    ["1.4.0", "2.0.0", true],
    ["1.4.0", "1.4.0", false],
    ["0.2.0", "0.1.0", false],
  ])("answers for %s to %s: %s", (from, to, expected) => {
    expect(mayBreak(from, to)).toBe(expected);
  });
});

describe("newestRelease", () => {
  it("sorts by semver, not alphabetically", () => {
    expect(newestRelease(["openapi-0.9.0.json", "openapi-0.10.0.json", "notes.md"])?.version).toBe("0.10.0");
  });

  it("is undefined before the first release", () => {
    expect(newestRelease([])).toBeUndefined();
  });
});
