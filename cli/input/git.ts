/** Files of a git revision, without a checkout. */
import { execFileSync } from "node:child_process";
import { relative, resolve } from "node:path";
import { UsageError } from "../usage-error.ts";

/** Far larger than any schema file. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** `git:main`, or `git:main:schemas/order.avsc`. */
export function parseRevision(reference: string): { revision: string; path: string | undefined } {
  const [, revision = "", path] = /^git:([^:]*)(?::(.*))?$/s.exec(reference) ?? [];
  // git would read a leading dash as an option.
  if (revision === "" || revision.startsWith("-")) {
    throw new UsageError(`"${reference}" is not git:REVISION or git:REVISION:PATH.`);
  }
  return { revision, path };
}

/** The text of a file at a revision; undefined if the revision has no such file. */
export function readAtRevision(revision: string, path: string, cwd: string): string | undefined {
  requireRevision(revision, cwd);
  return ofObject("show", revision, path, cwd);
}

/** The files below a folder at a revision, as paths from `cwd`; undefined if it was not a folder. */
export function listFolderAtRevision(revision: string, path: string, cwd: string): string[] | undefined {
  requireRevision(revision, cwd);
  if (ofObject("cat-file", revision, path, cwd)?.trim() !== "tree") return undefined;
  const args = ["--literal-pathspecs", "ls-tree", "-r", "-z", revision, "--", relative(cwd, resolve(cwd, path)) || "."];
  const lines = git(args, cwd, (message) => {
    throw new UsageError(`git:${revision}:${path} cannot be read: ${message.trim()}`);
  });
  // "100644 blob HASH\tPATH"; symbolic links and submodules have other modes.
  return (lines ?? "")
    .split("\0")
    .flatMap((line) => (line.startsWith("100") ? [line.slice(line.indexOf("\t") + 1)] : []));
}

function requireRevision(revision: string, cwd: string): void {
  git(["rev-parse", "--verify", "--quiet", `${revision}^{commit}`], cwd, () => {
    throw new UsageError(`${revision} is not a revision of the repository around ${cwd}.`);
  });
}

function ofObject(command: "show" | "cat-file", revision: string, path: string, cwd: string): string | undefined {
  const options = command === "cat-file" ? ["-t"] : [];
  const object = `${revision}:./${relative(cwd, resolve(cwd, path))}`;
  return git([command, ...options, object], cwd, (message) => {
    if (/does not exist|exists on disk, but not in/.test(message)) return undefined;
    throw new UsageError(`git:${revision}:${path} cannot be read: ${message.trim()}`);
  });
}

function git(args: readonly string[], cwd: string, failed: (message: string) => undefined): string | undefined {
  try {
    return execFileSync("git", args, {
      cwd,
      encoding: "utf8",
      maxBuffer: MAX_FILE_BYTES,
      stdio: ["ignore", "pipe", "pipe"],
      // The messages are matched above, so they must be in English.
      env: { ...process.env, LC_ALL: "C" },
    });
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: string };
    if (code === "ENOENT") throw new UsageError("git is not installed.");
    return failed(stderr ?? String(error));
  }
}
