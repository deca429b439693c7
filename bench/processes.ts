/** Resource use of server processes: CPU time and memory from /proc, file syncs from strace. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Linux reports CPU time in hundredths of a second, independent of the kernel's tick. */
const US_PER_TICK = 10_000;
/** The time that strace needs to attach to every thread. */
const ATTACHED_AFTER_MS = 500;

/** Processor time that processes have used so far, in microseconds: user and system, all threads. */
export function cpuUs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The process name may contain spaces, the fields after it do not.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return sum + (Number(fields[11]) + Number(fields[12])) * US_PER_TICK;
  }, 0);
}

/** Memory of processes in MiB. */
export function memoryMiB(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return sum + Number(kib) / 1_024;
  }, 0);
}

/** A process and all its descendants. */
export function withDescendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
  return [pid, ...children.flatMap((child) => withDescendants(Number(child)))];
}

/** How often a process syncs a file while `work` runs; undefined where strace is missing or may not attach. */
export async function countFsyncs(pid: number, work: () => Promise<unknown>): Promise<number | undefined> {
  const out = join(tmpdir(), `registry-bench-fsyncs-${pid}`);
  const tracer = spawn("strace", ["-f", "-e", "trace=fsync,fdatasync", "-p", String(pid), "-o", out], {
    stdio: "ignore",
  });
  const failed = once(tracer, "error").then(() => true);
  const ended = once(tracer, "exit").then(() => true);
  const started = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), ATTACHED_AFTER_MS));
  if (await Promise.race([failed, ended, started])) return undefined;
  await work();
  tracer.kill("SIGINT");
  await Promise.race([failed, ended]);
  if (!existsSync(out)) return undefined;
  // strace splits an interrupted call into two lines; only the first is counted.
  const calls = readFileSync(out, "utf8").match(/^\d+ +f(?:data)?sync\(/gm) ?? [];
  rmSync(out);
  return calls.length;
}
