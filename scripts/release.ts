// `npm run release`: creates the next version from the files in .changeset/: in every package, the contract and
// CHANGELOG.md. It then prints how to commit and tag it.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { confluentOpenapiJson } from "./confluent-openapi.ts";
import { RELEASED } from "./contract-changes.ts";
import { ROOT } from "./install.mjs";
import { openapiJson } from "./openapi.ts";

/** Not a dependency: 78 packages for a command that is only run at releases. */
const CHANGESETS = "@changesets/cli@3.0.3";

/** A changeset's text, without the packages and steps at its head. */
export function readNote(changeset: string): string {
  return changeset.replace(/^---\n[\s\S]*?\n---\n/, "").trim();
}

/** The changelog with the release on top, each note a line of its list. */
export function withRelease(changelog: string, version: string, day: string, notes: readonly string[]): string {
  const lines = notes.map((note) => `- ${note.replaceAll("\n", "\n  ")}`);
  const section = `## ${version} (${day})\n\n${lines.join("\n")}\n\n`;
  const first = changelog.indexOf("\n## ");
  return first === -1
    ? `${changelog.trimEnd()}\n\n${section}`
    : `${changelog.slice(0, first + 1)}${section}${changelog.slice(first + 1)}`;
}

/** openapi.yaml with a new version and no other change. */
export function withContractVersion(yaml: string, version: string): string {
  return yaml.replace(/^( {2}version: ).*$/m, `$1${version}`);
}

if (import.meta.main) release();

function release(): void {
  const folder = join(ROOT, ".changeset");
  const files = readdirSync(folder).filter((file) => file.endsWith(".md") && file !== "README.md");
  if (files.length === 0) {
    console.error("There is nothing to release. Say what has changed first: npm run changeset");
    process.exit(1);
  }
  const notes = files.sort().map((file) => readNote(readFileSync(join(folder, file), "utf8")));
  execFileSync("npx", ["--yes", CHANGESETS, "version"], { cwd: ROOT, stdio: "inherit" });

  // All packages have one version, so any of them can be read.
  const { version } = readJson("cli/package.json") as { version: string };
  edit("package.json", (manifest) => ({ ...manifest, version }));
  edit("package-lock.json", ({ packages, ...lock }) => ({
    ...lock,
    version,
    packages: withVersions(packages as Record<string, { version?: string }>, version),
  }));
  const source = join(ROOT, "contract", "openapi.yaml");
  const yaml = withContractVersion(readFileSync(source, "utf8"), version);
  writeFileSync(source, yaml);
  const confluentSource = join(ROOT, "contract", "confluent.openapi.yaml");
  const confluentYaml = withContractVersion(readFileSync(confluentSource, "utf8"), version);
  writeFileSync(confluentSource, confluentYaml);
  writeFileSync(join(ROOT, "contract", "confluent.openapi.json"), confluentOpenapiJson(confluentYaml));
  for (const file of [join(ROOT, "contract", "openapi.json"), join(RELEASED, `openapi-${version}.json`)]) {
    writeFileSync(file, openapiJson(yaml));
  }
  const changelog = join(ROOT, "CHANGELOG.md");
  const day = new Date().toISOString().slice(0, 10);
  writeFileSync(changelog, withRelease(readFileSync(changelog, "utf8"), version, day, notes));
  const commit = `git commit -m "release: ${version}" -m "CHANGELOG.md says what is new."`;
  console.log(`\nRead CHANGELOG.md once more, then:\n  git add -A && ${commit} && git tag v${version}`);
}

/** The lock file's own entries: the root and the workspaces, which are outside node_modules. */
function withVersions(packages: Record<string, { version?: string }>, version: string): object {
  return Object.fromEntries(
    Object.entries(packages).map(([place, entry]) => [
      place,
      place.includes("node_modules/") || entry.version === undefined ? entry : { ...entry, version },
    ]),
  );
}

function readJson(file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(ROOT, file), "utf8")) as Record<string, unknown>;
}

function edit(file: string, change: (value: Record<string, unknown>) => object): void {
  writeFileSync(join(ROOT, file), `${JSON.stringify(change(readJson(file)), null, 2)}\n`);
}
