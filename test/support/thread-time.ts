/** The processor time of a process's main thread: what a stretch of work costs, however busy the machine is. */
import { existsSync, readFileSync } from "node:fs";

/** Linux counts it in nanoseconds; other systems do not tell threads apart. */
export const COUNTS_THREADS: boolean = existsSync("/proc/self/schedstat");

/** Milliseconds of processor time that the main thread has used so far. */
export function mainThreadMs(pid: number): number {
  const [onCpu] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ");
  return Number(onCpu) / 1_000_000;
}
