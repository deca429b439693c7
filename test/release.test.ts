import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readNote, withContractVersion, withRelease } from "../scripts/release.ts";

describe("a release", () => {
  it("uses a changeset's text without its head", () => {
    expect(readNote('---\n"llmsr": minor\n---\n\nServer: more.\nAnd more.\n')).toBe("Server: more.\nAnd more.");
  });

  it("is added above the last release in the changelog", () => {
    const changelog = "# Changelog\n\nWords.\n\n## 0.1.0 (2026-01-01)\n\n- Old.\n";

    expect(withRelease(changelog, "0.2.0", "2026-02-02", ["Server: a.", "CLI: b\nc."])).toBe(
      "# Changelog\n\nWords.\n\n## 0.2.0 (2026-02-02)\n\n- Server: a.\n- CLI: b\n  c.\n\n## 0.1.0 (2026-01-01)\n\n- Old.\n",
    );
  });

  it("is added below the introduction of an empty changelog", () => {
    expect(withRelease("# Changelog\n", "0.1.0", "2026-02-02", ["First."])).toBe(
      "# Changelog\n\n## 0.1.0 (2026-02-02)\n\n- First.\n\n",
    );
  });

  it("changes only the contract's version", () => {
    const yaml = readFileSync("contract/openapi.yaml", "utf8");

    const changed = withContractVersion(yaml, "9.8.7");

    expect(changed).toContain("\n  version: 9.8.7\n");
    expect(changed.split("\n").filter((line, index) => line !== yaml.split("\n")[index])).toEqual(["  version: 9.8.7"]);
  });
});

describe("versions", () => {
  it("are equal in all packages and the contract", () => {
    const manifest = JSON.parse(readFileSync("package.json", "utf8")) as { version: string; workspaces: string[] };
    const others = manifest.workspaces.map((folder) => `${folder}/package.json`);
    const versions = others.map((file) => (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version);
    const contract = JSON.parse(readFileSync("contract/openapi.json", "utf8")) as { info: { version: string } };

    expect([...versions, contract.info.version]).toEqual(
      [...versions, contract.info.version].map(() => manifest.version),
    );
  });
});
