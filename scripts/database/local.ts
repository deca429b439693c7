// The local database, in its own thread, because Postgres inside a process blocks it.
import { once } from "node:events";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { ROOT } from "../install.mjs";
import type { Said, ThreadOptions } from "./thread.ts";

export type LocalDatabase = {
  /** Vars for the Worker. */
  vars: { DATABASE_URL: string; DATABASE_PROXY: string };
  /** Resolves once it is open and its tables exist, or rejects. Until then clients wait. */
  ready: Promise<{ restarted: boolean }>;
  close(): Promise<void>;
};

/** The server at `url`, or PGlite on files in the state folder. Resolves once it has an address. */
export async function startLocalDatabase(options: ThreadOptions): Promise<LocalDatabase> {
  const thread = new Worker(join(ROOT, "scripts", "database", "thread.ts"), { workerData: options });
  const ready = Promise.withResolvers<{ restarted: boolean }>();
  const listening = Promise.withResolvers<LocalDatabase["vars"]>();
  ready.promise.catch(() => undefined);
  thread.on("message", (said: Said) => {
    if (said.type === "listening") listening.resolve(said.vars);
    if (said.type === "ready") ready.resolve({ restarted: said.restarted });
    if (said.type === "failed") ready.reject(new Error(said.message));
  });
  thread.on("error", (error) => {
    listening.reject(error);
    ready.reject(error);
  });
  return {
    vars: await listening.promise,
    ready: ready.promise,
    async close() {
      const exited = once(thread, "exit");
      thread.postMessage("close");
      await exited;
    },
  };
}
