// Calls a registry step by step, for scripts that can be stopped between two steps.
import type { Address } from "../cli/address.ts";
import { callRegistry } from "./registry-calls.ts";

/** Aborted by Ctrl-C or SIGTERM; a second one ends the process immediately. */
export function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (stopping.signal.aborted) process.exit(130);
      console.error("Stopping after this step …");
      stopping.abort();
    });
  }
  return stopping.signal;
}

/** Runs a script to its exit code, and prints the error of one that fails. */
export async function runToExitCode(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    console.error(`\n${error instanceof Error ? error.message : error}`);
    process.exitCode = 2;
  }
}

/** The body of a successful response. */
export async function ask<T>(registry: Address, method: "GET" | "POST", path: string, body?: unknown): Promise<T> {
  const init =
    body === undefined ? {} : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await callRegistry(registry, path, { method, ...init });
  return (await response.json()) as T;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Overwrites the last line on a terminal, and prints a line per second elsewhere. */
export function progressLine(): (text: string) => void {
  let lastMs = 0;
  return (text) => {
    if (process.stderr.isTTY) return void process.stderr.write(`\r\x1b[K${text}`);
    if (Date.now() - lastMs < 1_000) return;
    lastMs = Date.now();
    console.error(text);
  };
}
