/** Writes docs/benchmarks.md from a full run. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { ROOT } from "../scripts/install.mjs";

export function writeBenchmarksPage(
  tables: readonly string[],
  { loadBefore, quick }: { loadBefore: number; quick: boolean },
): void {
  const git = (...args: string[]) => execFileSync("git", args, { cwd: ROOT, encoding: "utf8" }).trim();
  const changed =
    git("status", "--porcelain", "--untracked-files=no") === "" ? "" : " with changes that are not committed";
  const [cpu] = cpus();
  const page = `# Benchmarks

Written by \`npm run bench -- --full\`; do not edit. What the numbers say about a deployment is in [capacity.md](capacity.md).

| | |
|---|---|
| when | ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC |
| commit | ${git("rev-parse", "--short", "HEAD")}${changed} |
| machine | ${cpus().length} × ${cpu?.model ?? "unknown"}, ${Math.round(totalmem() / 1_024 ** 3)} GiB, Linux ${release()} |
| Node | ${process.version} |
| load when it began | ${loadBefore.toFixed(2)} |
${quick ? "| sizes | smaller ones (`--quick`): to see that it runs, not to quote |\n" : ""}
The built bundle is served by workerd on a direct socket, its state on the disk of /tmp; the load comes from the same machine.
"CPU of the server" is the processor time of workerd, from /proc, for each request: it hardly depends on what else the machine does, and
it includes what the simulator adds (its alarms, its KV and R2 in SQLite), which production has elsewhere. Targets of one table are measured
in turns; a value is the median of its turns.
${tables.map(section).join("\n")}`;
  writeFileSync(join(ROOT, "docs", "benchmarks.md"), page);
}

function section(table: string): string {
  const [title, ...lines] = table.trim().split("\n");
  return `\n## ${title}\n\n\`\`\`\n${lines.join("\n")}\n\`\`\`\n`;
}
