// `npm start`: installs what is missing, then supervises the registry on this machine. Plain Node 20 and no package, so it runs on a fresh clone.
import { spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ensureInstalled, NODE, ROOT } from "./install.mjs";
import { claimState, killGroup, releaseState, takeOverState } from "./process-group.mjs";

const USAGE = `npm start [-- options]

  --port <n>      the port to listen on (or PORT; 8080)
  --host <name>   the address to listen on (or HOST; 127.0.0.1: on others AUTH is required)
  --state <dir>   where everything is kept (.registry)
  --reset         empties that folder first
  --no-build      serves dist/ as it is, however old
  --no-database   without the read model: no search

The read model is kept in that folder too, or on the Postgres that DATABASE_URL names. Settings of the registry are read from
the environment: CONFLUENT_API_LEVEL=7.9 npm start (docs/deploy.md lists them).`;

/** How long a stop may take before the processes are killed; nothing needs it, since every acknowledged write is on disk. */
const STOP_AFTER_MS = 5_000;
const LOOK_AT_PARENT_EVERY_MS = 1_000;

/** Aborted by a signal, or when the parent process ends. */
const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stopping.abort());
if (process.env.npm_lifecycle_event === "start") {
  // A killed npm does not forward signals.
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && stopping.abort(), LOOK_AT_PARENT_EVERY_MS).unref();
}

try {
  await main();
} catch (error) {
  console.error(stopping.signal.aborted ? "Stopped." : error.message);
  process.exit(1);
}

async function main() {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: process.env.PORT || "8080" },
      host: { type: "string", default: process.env.HOST || "127.0.0.1" },
      state: { type: "string", default: ".registry" },
      reset: { type: "boolean", default: false },
      "no-build": { type: "boolean", default: false },
      "no-database": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error(`The port must be a number from 1 to 65535, got "${values.port}".`);
  }
  const stateDir = resolve(ROOT, values.state);

  if ((await takeOverState(stateDir)) === "busy") {
    throw new Error(
      `A registry is already running on ${stateDir}. Stop it first, or give another folder: npm start -- --state other`,
    );
  }
  await requireFreePort(values.host, port);
  await ensureInstalled(stopping.signal);
  stopping.signal.throwIfAborted();
  if (values.reset && existsSync(stateDir)) {
    rmSync(stateDir, { recursive: true });
    console.log(`Emptied ${stateDir}.`);
  }
  supervise(stateDir, [
    `--port=${port}`,
    `--host=${values.host}`,
    `--state=${stateDir}`,
    ...(values["no-build"] ? ["--no-build"] : []),
    ...(values["no-database"] ? ["--no-database"] : []),
  ]);
}

/** Runs serve.ts in its own process group: Ctrl-C only reaches this process, which stops the others in order. */
function supervise(stateDir, args) {
  // The registry runs in workerd; this process allocates little, but V8 would by default reserve 30 MiB.
  const server = spawn(NODE, ["--max-semi-space-size=2", join(ROOT, "scripts", "serve.ts"), ...args], {
    cwd: ROOT,
    detached: true,
    // What Node has compiled, and stripped of types, is kept: the compiler that strips them takes 30 MiB.
    env: { NODE_COMPILE_CACHE: join(ROOT, "node_modules", ".cache", "node"), ...process.env },
    // The channel tells serve.ts to stop; its closing shows that this process was killed.
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  claimState(stateDir, server.pid);

  stopping.signal.addEventListener("abort", () => {
    if (server.connected) server.disconnect();
    setTimeout(() => killGroup(server.pid), STOP_AFTER_MS).unref();
  });
  server.once("exit", (code) => {
    killGroup(server.pid);
    releaseState(stateDir);
    process.exit(stopping.signal.aborted ? 0 : (code ?? 1));
  });
}

function requireFreePort(host, port) {
  return new Promise((free, busy) => {
    const probe = createServer();
    probe.once("error", (error) => {
      if (error.code !== "EADDRINUSE") return busy(new Error(`Cannot listen on ${host}:${port}: ${error.message}`));
      busy(
        new Error(
          `Port ${port} is in use. Stop the process that uses it, or choose another: PORT=${port + 1} npm start`,
        ),
      );
    });
    probe.listen(port, host, () => probe.close(() => free()));
  });
}
