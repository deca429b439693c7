import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";

/** Commits from here on are checked; older ones keep their form. */
const SINCE = "a2a0e820e8ce7321df0d3904625af21112c509cc";
const MAX_SUBJECT_CHARACTERS = 72;
/** `area: what changed`; subjects that git generates are exempt. */
const SUBJECT = /^(?:[a-z][^:]*: \S|Revert "|Reapply ")/;

type Commit = { hash: string; subject: string; body: string };

function git(...args: string[]): string | undefined {
  const { status, stdout } = spawnSync("git", args, { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

/**
 * After the newest release or, before the first one, after SINCE; undefined if that commit is not in the available
 * history.
 */
function newCommits(): Commit[] | undefined {
  const base = git("describe", "--tags", "--abbrev=0", "--match=v[0-9]*") ?? SINCE;
  if (git("merge-base", "--is-ancestor", base, "HEAD") === undefined) return undefined;
  const log = git("log", "--no-merges", "--format=%h%x1f%s%x1f%b%x1e", `${base}..HEAD`) ?? "";
  return log
    .split("\x1e")
    .map((entry) => entry.trim().split("\x1f"))
    .flatMap(([hash, subject, body]) => (hash && subject ? [{ hash, subject, body: body ?? "" }] : []));
}

const commits = newCommits();

// A shallow clone or a copy without git has no history to check.
describe.skipIf(commits === undefined)("new commits", () => {
  it(`have subjects like "area: what changed" of at most ${MAX_SUBJECT_CHARACTERS} characters`, () => {
    const strays = commits!.filter(({ subject }) => subject.length > MAX_SUBJECT_CHARACTERS || !SUBJECT.test(subject));

    expect(strays.map(({ hash, subject }) => `${hash} ${subject}`)).toEqual([]);
  });

  it("explain the reason in a body", () => {
    const strays = commits!.filter(({ body }) => body.trim() === "");

    expect(strays.map(({ hash, subject }) => `${hash} ${subject}`)).toEqual([]);
  });
});
