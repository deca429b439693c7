/**
 * Prometheus' own checker: from the machine, or from Debian's package, unpacked into a temporary folder without
 * installing a server.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** Kept between runs, because the package has 19 MB. */
const KEPT = join(tmpdir(), "registry-promtool");

/** Its path; undefined, with a message, if there is none and none can be downloaded. */
export function findPromtool(): string | undefined {
  const kept = join(KEPT, "usr", "bin", "promtool");
  const onPath = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "promtool"));
  const found = [...onPath, kept].find(existsSync);
  if (found !== undefined) return found;
  if (process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) {
    console.warn("No promtool here: the tests that need it are skipped.");
    return undefined;
  }
  console.warn("Fetching promtool from Debian's package prometheus for the tests …");
  const folder = `${KEPT}.${process.pid}`;
  try {
    mkdirSync(folder);
    download(folder);
    const [archive] = readdirSync(folder).filter((name) => name.endsWith(".deb"));
    execFileSync("dpkg", ["-x", join(folder, archive!), folder], { stdio: "ignore" });
    rmSync(join(folder, archive!));
    // A concurrent run may have been faster; both have the same file.
    if (existsSync(kept)) rmSync(folder, { recursive: true });
    else renameSync(folder, KEPT);
    return kept;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    console.warn(`It cannot be fetched (${(error as Error).message}): the tests that need it are skipped.`);
    return undefined;
  }
}

/** A fresh machine has no package index yet. */
function download(folder: string): void {
  const fetch = () => execFileSync("apt-get", ["download", "-q", "prometheus"], { cwd: folder, stdio: "ignore" });
  try {
    fetch();
  } catch {
    execFileSync("apt-get", ["update", "-q"], { stdio: "ignore" });
    fetch();
  }
}

/** Runs it; returns its exit code and output. */
export function runPromtool(promtool: string, args: readonly string[], input = ""): { code: number; output: string } {
  try {
    return { code: 0, output: execFileSync(promtool, args, { encoding: "utf8", input, stdio: "pipe" }) };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number | null; stdout: string; stderr: string };
    return { code: status ?? 1, output: `${stdout}${stderr}` };
  }
}
