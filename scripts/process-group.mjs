// A running registry is one process group (serve.ts and workerd), so that stopping it leaves nothing behind.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const END_WITHIN_MS = 3_000;

/** Kills every process of a group; a group that has already ended is not an error. */
export function killGroup(group) {
  try {
    process.kill(-group, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

/** Remembers in the state folder which group serves it. */
export function claimState(stateDir, group) {
  mkdirSync(stateDir, { recursive: true });
  writeFileSync(claimPath(stateDir), String(group));
}

export function releaseState(stateDir) {
  rmSync(claimPath(stateDir), { force: true });
}

/**
 * Two runtimes on one SQLite file would both believe they own it. Says "busy" where another run serves this state folder, and ends a
 * runtime whose supervisor was killed, since nobody else would.
 */
export async function takeOverState(stateDir) {
  let group;
  try {
    group = Number(readFileSync(claimPath(stateDir), "utf8"));
  } catch {
    return "free";
  }
  const members = groupMembers(group);
  if (members.some((command) => command.includes("serve.ts"))) return "busy";
  // The number may belong to a stranger by now: only our own runtime is ended.
  if (members.some((command) => command.includes("workerd"))) {
    killGroup(group);
    await groupEnds(group);
  }
  releaseState(stateDir);
  return "free";
}

/** Its port is free only when the kernel is done with it. */
async function groupEnds(group) {
  const until = Date.now() + END_WITHIN_MS;
  while (groupMembers(group).length > 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
}

function groupMembers(group) {
  try {
    return execFileSync("ps", ["-A", "-o", "pgid=,command="], { encoding: "utf8" })
      .split("\n")
      .map((line) => line.trim().match(/^(\d+)\s+(.*)$/))
      .filter((match) => match !== null && Number(match[1]) === group)
      .map((match) => match[2]);
  } catch {
    // No `ps` on this machine: the port check still speaks for a run that is alive.
    return [];
  }
}

function claimPath(stateDir) {
  return join(stateDir, "process-group");
}
