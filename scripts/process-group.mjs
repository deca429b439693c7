// A running registry is one process group (serve.ts and workerd), so that stopping it leaves nothing behind.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const END_WITHIN_MS = 3_000;

/** Kills every process of a group; it is not an error if the group has already ended. */
export function killGroup(group) {
  try {
    process.kill(-group, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

/** Records in the state folder which group serves it. */
export function claimState(stateDir, group) {
  mkdirSync(stateDir, { recursive: true });
  writeFileSync(claimPath(stateDir), String(group));
}

export function releaseState(stateDir) {
  rmSync(claimPath(stateDir), { force: true });
}

/**
 * Two runtimes on one SQLite file would both act as its owner. Returns "busy" if another run serves this state folder,
 * and ends a runtime whose supervisor was killed.
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
  // The pid may have been reused by an unrelated process, so only our own runtime is ended.
  if (members.some((command) => command.includes("workerd"))) {
    killGroup(group);
    await groupEnds(group);
  }
  releaseState(stateDir);
  return "free";
}

/** The port is free only once the kernel has closed it. */
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
    // Without `ps`, the port check still detects a live run.
    return [];
  }
}

function claimPath(stateDir) {
  return join(stateDir, "process-group");
}
