/** Files of a git revision, without a checkout. */
import { execFileSync } from "node:child_process";
import { UsageError } from "../usage-error.ts";

/** A repository's largest schema file is far smaller. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** `git:main`, or `git:main:schemas/order.avsc`. */
export function parseRevision(reference: string): { revision: string; path: string | undefined } {
  const [, revision = "", path] = /^git:([^:]*)(?::(.*))?$/s.exec(reference) ?? [];
  // A leading dash would be an option of git.
  if (revision === "" || revision.startsWith("-")) {
    throw new UsageError(`"${reference}" is not git:REVISION or git:REVISION:PATH.`);
  }
  return { revision, path };
}

/** The text of a file at a revision; undefined if the revision has no such file. The path is relative to `cwd`. */
export function readAtRevision(revision: string, path: string, cwd: string): string | undefined {
  git(["rev-parse", "--verify", "--quiet", `${revision}^{commit}`], cwd, () => {
    throw new UsageError(`${revision} is not a revision of the repository around ${cwd}.`);
  });
  const relative = path.startsWith("/") ? relativeToTop(path, cwd) : `./${path.replace(/^\.\//, "")}`;
  return git(["show", `${revision}:${relative}`], cwd, (message) => {
    if (/does not exist|exists on disk, but not in|not in/.test(message)) return undefined;
    throw new UsageError(`git:${revision}:${path} cannot be read: ${message.trim()}`);
  });
}

function relativeToTop(path: string, cwd: string): string {
  const top = git(["rev-parse", "--show-toplevel"], cwd, () => undefined)?.trim();
  return top !== undefined && path.startsWith(`${top}/`) ? path.slice(top.length + 1) : path;
}

function git(args: readonly string[], cwd: string, failed: (message: string) => undefined): string | undefined {
  try {
    return execFileSync("git", args, {
      cwd,
      encoding: "utf8",
      maxBuffer: MAX_FILE_BYTES,
      stdio: ["ignore", "pipe", "pipe"],
      // Messages are matched above.
      env: { ...process.env, LC_ALL: "C" },
    });
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: string };
    if (code === "ENOENT") throw new UsageError("git is not installed.");
    return failed(stderr ?? String(error));
  }
}
