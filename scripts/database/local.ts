// The local database, in its own thread, because Postgres inside a process blocks it.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream";
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

type Options = Pick<ThreadOptions, "stateDir" | "url">;
type Thread = Pick<LocalDatabase, "ready" | "close"> & { address: string };

/** Opens the server at `url`, or PGlite on files in the state folder. Resolves once it has an address. */
export async function startLocalDatabase(options: Options): Promise<LocalDatabase> {
  const password = newPassword();
  const { address, ready, close } = await startThread({ ...options, password });
  return { vars: varsOf(address, password), ready, close };
}

/** The same, opened for its first client: until then there is only its address. */
export async function startLocalDatabaseWhenUsed(options: Options): Promise<LocalDatabase> {
  const password = newPassword();
  const ready = Promise.withResolvers<{ restarted: boolean }>();
  ready.promise.catch(() => undefined);
  let starting: Promise<Thread> | undefined;
  const server = createServer({ noDelay: true }, (client) => {
    // It may give up while the database opens.
    client.on("error", () => undefined);
    if (starting === undefined) {
      starting = startThread({ ...options, password });
      ready.resolve(starting.then((thread) => thread.ready));
    }
    starting.then(
      ({ address }) => joinSockets(client, address),
      () => client.destroy(),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    vars: varsOf(`127.0.0.1:${(server.address() as AddressInfo).port}`, password),
    ready: ready.promise,
    async close() {
      server.close();
      await starting?.then(
        (thread) => thread.close(),
        () => undefined,
      );
    },
  };
}

/** When one side of a connection ends or breaks, so does the other; other connections are not affected. */
function joinSockets(client: Socket, address: string): void {
  // A client may have given up while the database opened, and a closed socket cannot be piped.
  if (!client.readable || !client.writable) {
    client.destroy();
    return;
  }
  const [host, port] = address.split(":");
  const thread = connect({ host: host!, port: Number(port), noDelay: true });
  pipeline(client, thread, () => undefined);
  pipeline(thread, client, () => undefined);
}

async function startThread(options: ThreadOptions): Promise<Thread> {
  const thread = new Worker(join(ROOT, "scripts", "database", "thread.ts"), { workerData: options });
  const ready = Promise.withResolvers<{ restarted: boolean }>();
  const listening = Promise.withResolvers<string>();
  ready.promise.catch(() => undefined);
  thread.on("message", (said: Said) => {
    if (said.type === "listening") listening.resolve(said.address);
    if (said.type === "ready") ready.resolve({ restarted: said.restarted });
    if (said.type === "failed") ready.reject(new Error(said.message));
  });
  thread.on("error", (error) => {
    listening.reject(error);
    ready.reject(error);
  });
  return {
    address: await listening.promise,
    ready: ready.promise,
    async close() {
      const exited = once(thread, "exit");
      thread.postMessage("close");
      await exited;
    },
  };
}

/** Required from every client, because other users of this machine can reach the address. */
function newPassword(): string {
  return randomBytes(24).toString("hex");
}

function varsOf(address: string, password: string): LocalDatabase["vars"] {
  return { DATABASE_URL: `postgres://registry:${password}@${address}/registry`, DATABASE_PROXY: address };
}
