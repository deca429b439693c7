/**
 * A real PostgreSQL for suites that need more than PGlite's single session: Debian's packages, in a temporary folder
 * that is removed afterwards.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import pg from "pg";
import { eventually, freePort } from "./registry-process.ts";

export const OLDEST_POSTGRESQL = 15;

export type PostgresqlServer = {
  /** Creates an empty database and returns its URL. */
  createDatabase(): Promise<string>;
  /** Ends every connection and accepts no more until `start`. */
  stop(): Promise<void>;
  /** SIGQUIT to all its processes: nothing more is written. */
  crash(): Promise<void>;
  start(): Promise<void>;
  /** Stops it and removes its files. */
  remove(): Promise<void>;
};

/** The folder of its programs, undefined if there is none that is new enough. */
export function postgresqlBin(): string | undefined {
  const debian = "/usr/lib/postgresql";
  const installed = existsSync(debian)
    ? readdirSync(debian)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => join(debian, version, "bin"))
    : [];
  return [...installed, ...(process.env.PATH ?? "").split(delimiter)].find(
    (folder) => existsSync(join(folder, "initdb")) && versionOf(folder) >= OLDEST_POSTGRESQL,
  );
}

/**
 * Vitest's global set-up for suites that need a server: installs it if it is missing and this machine allows it, and
 * reports that.
 */
export default function setup(): void {
  if (postgresqlBin() !== undefined) return;
  if (process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) {
    console.warn(`No PostgreSQL ≥ ${OLDEST_POSTGRESQL} here: the suites that need one are skipped.`);
    return;
  }
  console.warn("Installing PostgreSQL from Debian's packages for the tests …");
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    execFileSync("apt-get", ["update", "-q"], { env, stdio: "ignore" });
    execFileSync("apt-get", ["install", "-q", "-y", "--no-install-recommends", "postgresql"], { env, stdio: "ignore" });
  } catch (error) {
    console.warn(`It cannot be installed (${(error as Error).message}): the suites that need it are skipped.`);
  }
}

export async function startPostgresql(): Promise<PostgresqlServer> {
  const bin = postgresqlBin();
  if (bin === undefined) throw new Error(`There is no PostgreSQL ≥ ${OLDEST_POSTGRESQL} on this machine.`);
  const user = unprivileged();
  const folder = mkdtempSync(join(tmpdir(), "registry-postgresql-"));
  const data = join(folder, "data");
  const password = randomBytes(12).toString("hex");
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, password);
  chmodSync(folder, 0o700);
  if (user) for (const path of [folder, passwordFile]) chownSync(path, user.uid, user.gid);
  execFileSync(
    join(bin, "initdb"),
    [
      "-D",
      data,
      "-U",
      "registry",
      "-A",
      "scram-sha-256",
      `--pwfile=${passwordFile}`,
      "-E",
      "UTF8",
      "--locale=C.UTF-8",
      "-N",
    ],
    { ...user, cwd: folder, stdio: "pipe" },
  );
  const port = await freePort();
  const urlOf = (database: string) => `postgres://registry:${password}@127.0.0.1:${port}/${database}`;
  let server: ChildProcess | undefined;
  let databases = 0;

  const running: PostgresqlServer = {
    async createDatabase() {
      databases += 1;
      const name = `registry_${databases}`;
      await query(urlOf("postgres"), `CREATE DATABASE ${name}`);
      return urlOf(name);
    },
    async start() {
      server = spawn(
        join(bin, "postgres"),
        [
          "-D",
          data,
          "-p",
          String(port),
          "-k",
          folder,
          "-h",
          "127.0.0.1",
          ...FAST.flatMap((setting) => ["-c", setting]),
        ],
        { ...user, cwd: folder, stdio: "ignore" },
      );
      process.once("exit", () => server?.kill("SIGQUIT"));
      const accepts = () =>
        query(urlOf("postgres"), "SELECT 1").then(
          () => true,
          () => false,
        );
      if (!(await eventually(accepts, 30_000))) throw new Error("PostgreSQL does not start.");
    },
    stop: () => end("SIGINT"),
    crash: () => end("SIGQUIT"),
    async remove() {
      await end("SIGINT");
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  async function end(signal: NodeJS.Signals): Promise<void> {
    const ending = server;
    server = undefined;
    if (ending === undefined || ending.exitCode !== null) return;
    ending.kill(signal);
    await once(ending, "exit");
  }
  await running.start();
  return running;
}

/** No data here needs to survive a crash of the machine. */
const FAST = [
  "fsync=off",
  "synchronous_commit=off",
  "full_page_writes=off",
  "max_connections=60",
  "log_min_messages=panic",
];

/** PostgreSQL refuses to run as root. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const account of ["postgres", "nobody"]) {
    const [uid, gid] = [idOf(account, "-u"), idOf(account, "-g")];
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  throw new Error("PostgreSQL does not run as root, and there is no account here to run it as.");
}

function idOf(account: string, which: "-u" | "-g"): number | undefined {
  try {
    return Number(execFileSync("id", [which, account], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
  } catch {
    return undefined;
  }
}

function versionOf(folder: string): number {
  const said = execFileSync(join(folder, "initdb"), ["--version"], { encoding: "utf8" });
  return Number(/(\d+)/.exec(said)?.[1] ?? 0);
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query(sql);
  } finally {
    await client.end().catch(() => undefined);
  }
}
