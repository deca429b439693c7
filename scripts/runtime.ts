// Runs the built bundle in workerd on its own socket, without a Worker in front.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { convertV4MiniflareOptions, type LegacyWorkerOptions, Log, LogLevel, Miniflare } from "miniflare";
import { parseSettings, type Vars } from "../workers/settings.ts";
import { NODE, ROOT } from "./install.mjs";

type ModuleType = "ESModule" | "CompiledWasm" | "Data" | "Text";

const MODULE_TYPES: Readonly<Record<string, ModuleType>> = {
  ".js": "ESModule",
  ".wasm": "CompiledWasm",
  ".bin": "Data",
  ".txt": "Text",
  ".html": "Text",
  ".sql": "Text",
  ".yaml": "Text",
};

/** A fixed value for data that would be fetched from Cloudflare. */
const CF = { colo: "LOC", country: "XX", continent: "EU", timezone: "UTC" };

export const REGISTRY_WORKER = "registry";

/**
 * In MB, four times the platform's limit. Without a limit V8 lets an isolate's heap quadruple before collecting it;
 * with this one the heap grows by half, for the same CPU time.
 */
const V8_FLAGS = "--max-heap-size=512 --max-semi-space-size=8";

type RuntimeOptions = {
  host: string;
  port: number;
  stateDir: string;
  distDir: string;
  /** Vars that override those in wrangler.toml. */
  vars?: Readonly<Record<string, string>>;
  /** Whether a profiler may attach. */
  inspect?: boolean;
  /** Without the binding that starts validating isolates. */
  withoutLoader?: boolean;
  /**
   * Other Workers, which call the registry as the service REGISTRY_WORKER; keyed by the binding of the queue that
   * nudges each.
   */
  followers?: Readonly<Record<string, { queue: string; worker: LegacyWorkerOptions }>>;
};

export type Runtime = {
  /** The inspector's WebSocket for our Worker. */
  inspectorUrl(): Promise<string>;
  /** Runs the cron trigger. */
  runCron(): Promise<void>;
  /** A follower's cron trigger, and its own database. */
  runFollowerCron(name: string): Promise<void>;
  followerDatabase(name: string, binding: string): Promise<D1Database>;
  dispose(): Promise<void>;
};

/**
 * Starts the bundle in distDir with the bindings that wrangler.toml gives `local`; everything it stores is in stateDir.
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { host, port, stateDir, distDir, vars = {}, inspect = false, withoutLoader = false, followers = {} } = options;
  const worker = bindingsOfLocal();
  process.env.MINIFLARE_WORKERD_V8_FLAGS ??= V8_FLAGS;
  // An invalid value is reported before anything starts, instead of by every request.
  parseSettings({ ...worker.bindings, ...vars } as Vars);
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      log: new Log(LogLevel.WARN),
      cf: CF,
      resourcePersistencePath: stateDir,
      host: "127.0.0.1",
      ...(inspect ? { inspectorPort: 0 } : {}),
      workers: [
        {
          ...worker,
          ...(withoutLoader ? { workerLoaders: {} } : {}),
          name: REGISTRY_WORKER,
          bindings: { ...worker.bindings, ...vars },
          queueProducers: { ...worker.queueProducers, ...queuesOf(followers) },
          modulesRoot: distDir,
          modules: builtModules(distDir),
          unsafeDirectSockets: [{ host, port }],
        },
        ...Object.values(followers).map(({ worker: follower }) => follower),
      ],
    }),
  );
  await runtime.ready;
  const [cron] = worker.cronTriggers ?? [];
  const ticking = cron === undefined ? undefined : setInterval(() => runCron(runtime, cron), cronEveryMs(cron));
  return {
    inspectorUrl: async () => `ws://${(await runtime.getInspectorURL()).host}/core:user:${REGISTRY_WORKER}`,
    runCron: async () => {
      if (cron !== undefined) await runCron(runtime, cron);
    },
    runFollowerCron: async (name) => {
      await (await runtime.getWorker(name)).scheduled();
    },
    followerDatabase: async (name, binding) => (await runtime.getD1Database(binding, name)) as unknown as D1Database,
    dispose: async () => {
      clearInterval(ticking);
      await runtime.dispose();
    },
  };
}

function queuesOf(followers: NonNullable<RuntimeOptions["followers"]>): Record<string, { queueName: string }> {
  return Object.fromEntries(Object.entries(followers).map(([binding, { queue }]) => [binding, { queueName: queue }]));
}

type LocalOptions = Pick<LegacyWorkerOptions, "bindings" | "cronTriggers"> & {
  queueProducers?: Record<string, { queueName: string }>;
};

/** Prints the options without the rules for finding modules: Miniflare is given the built ones. */
const PRINT_OPTIONS = `
  import { unstable_getMiniflareWorkerOptions } from "wrangler";
  const { modulesRules, ...options } = unstable_getMiniflareWorkerOptions("wrangler.toml", "local").workerOptions;
  console.log(JSON.stringify(options));
`;

/**
 * The bindings that Wrangler reads from wrangler.toml, computed in a separate process and cached until the file or
 * Wrangler changes: loading
 * wrangler takes 100 MiB and a second, and nothing else here needs it.
 */
function bindingsOfLocal(): LocalOptions {
  const read = (...path: string[]) => readFileSync(join(ROOT, ...path));
  const hash = createHash("sha256")
    .update(read("wrangler.toml"))
    .update(read("node_modules", "wrangler", "package.json"));
  const folder = join(ROOT, "node_modules", ".cache", "local-bindings");
  const kept = join(folder, `${hash.update(PRINT_OPTIONS).digest("hex").slice(0, 16)}.json`);
  if (!existsSync(kept)) {
    const options = execFileSync(NODE, ["--input-type=module", "--eval", PRINT_OPTIONS], {
      cwd: ROOT,
      encoding: "utf8",
    });
    mkdirSync(folder, { recursive: true });
    // Renamed, so that a process that starts at the same time never reads half a file.
    writeFileSync(`${kept}.${process.pid}`, options);
    renameSync(`${kept}.${process.pid}`, kept);
  }
  return JSON.parse(readFileSync(kept, "utf8")) as LocalOptions;
}

function builtModules(distDir: string): { type: ModuleType; path: string }[] {
  const others = readdirSync(distDir).filter(
    (name) => name !== "index.js" && MODULE_TYPES[extname(name)] !== undefined,
  );
  return ["index.js", ...others].map((name) => ({ type: MODULE_TYPES[extname(name)]!, path: join(distDir, name) }));
}

/** Locally no platform calls the cron trigger. */
async function runCron(runtime: Miniflare, cron: string): Promise<void> {
  try {
    const worker = await runtime.getWorker(REGISTRY_WORKER);
    await worker.scheduled({ cron });
  } catch (error) {
    console.error(`cron: ${error instanceof Error ? error.message : error}`);
  }
}

/** Understands "every n minutes", the only form that wrangler.toml uses. */
function cronEveryMs(cron: string): number {
  const minutes = /^\*\/(\d+) \* \* \* \*$/.exec(cron)?.[1];
  if (minutes === undefined) {
    throw new Error(`wrangler.toml: only crons like "*/5 * * * *" run locally, got "${cron}".`);
  }
  return Number(minutes) * 60_000;
}
