// Started by start.mjs under the project's own Node: builds the Worker and serves it from workerd, with KV, R2, objects and
// queues on disk.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { VAR_NAMES } from "../workers/settings.ts";
import { accessVars } from "./access-vars.ts";
import { build, isBuilt } from "./build.ts";
import { type LocalDatabase, startLocalDatabase, startLocalDatabaseWhenUsed } from "./database/local.ts";
import { ROOT } from "./install.mjs";
import { keyVars } from "./key-vars.ts";
import { type Runtime, startRuntime } from "./runtime.ts";

/** Startup takes a second on an idle machine; a longer one is reported as an error. */
const READY_WITHIN_MS = 60_000;

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8080" },
    host: { type: "string", default: "127.0.0.1" },
    state: { type: "string", default: join(ROOT, ".registry") },
    "no-build": { type: "boolean", default: false },
    "no-database": { type: "boolean", default: false },
  },
});
const { host, port, state } = values;

try {
  // PGlite takes as much memory as all the rest and seconds to make its files, and nothing needs it until the first write or search.
  const databaseUrl = process.env.DATABASE_URL || undefined;
  const startDatabase = databaseUrl === undefined ? startLocalDatabaseWhenUsed : startLocalDatabase;
  const database = values["no-database"] ? undefined : await startDatabase({ stateDir: state, url: databaseUrl });
  if (!values["no-build"] && !isBuilt()) {
    console.log("Building …");
    await build();
  }
  const access = accessVars(state, process.env, asksForKeys(host, process.env));
  const runtime = await startRuntime({
    host,
    port: Number(port),
    stateDir: state,
    distDir: join(ROOT, "dist"),
    vars: { ...database?.vars, ...settingVars(process.env), ...keyVars(state, process.env), ...access.vars },
  });
  // Called by the supervisor, or by the system when the supervisor was killed.
  const stop = () => Promise.all([runtime.dispose(), database?.close()]).finally(() => process.exit(0));
  process.once("disconnect", stop);
  if (process.connected === false) await stop();

  const url = `http://${host === "0.0.0.0" || host === "127.0.0.1" ? "localhost" : host}:${port}`;
  await requireHealth(url);
  console.log(welcome(url, state));
  if (access.firstKey !== undefined) {
    console.log(`The first administrator's key, shown this once (curl -H 'X-API-Key: …'):\n  ${access.firstKey}\n`);
  }
  if (database !== undefined) await reportDatabase(database, runtime);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

/**
 * Anyone who can reach this machine's loopback interface may administer the registry; on any other address callers need
 * a key, unless AUTH says otherwise.
 */
function asksForKeys(listensOn: string, { AUTH }: NodeJS.ProcessEnv): boolean {
  return AUTH ? AUTH === "required" : !["127.0.0.1", "::1", "localhost"].includes(listensOn);
}

/** Every setting can be overridden for one start, as in `REQUEST_LOG=all npm start`; empty values are ignored. */
function settingVars(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(VAR_NAMES.flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])));
}

/** Once the read model is open, fills a new or deleted one from the log instead of at the next cron run. */
async function reportDatabase({ ready }: LocalDatabase, runtime: Runtime): Promise<void> {
  try {
    const { restarted } = await ready;
    if (restarted) console.warn("The read model did not open and is refilled from the log.");
    await runtime.runCron();
  } catch (error) {
    console.warn(`Search is unavailable; everything else works: ${(error as Error).message}`);
  }
}

async function requireHealth(url: string): Promise<void> {
  const until = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const answered = await fetch(`${url}/api/v1/health`).then(
      ({ status }) => String(status),
      (error: Error) => String(error.cause ?? error),
    );
    if (answered === "200") return;
    if (Date.now() > until)
      throw new Error(`The registry does not respond: GET ${url}/api/v1/health returned ${answered}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function welcome(url: string, stateDir: string): string {
  return `
The registry is ready at ${url}  (stop: Ctrl-C; kept in ${stateDir})
Every operation, with what it takes and answers: ${url}/docs

Try:
  curl -s ${url}/api/v1/schemas -H 'content-type: application/json' -d '{"subject": "user", "format": "avro", "content": {"type": "record", "name": "User", "fields": [{"name": "name", "type": "string"}]}}'
  curl -s ${url}/api/v1/subjects/user/versions/latest
  curl -s ${url}/subjects
`;
}
