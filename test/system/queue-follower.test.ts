import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { ROOT } from "../../scripts/install.mjs";
import { REGISTRY_WORKER, type Runtime, startRuntime } from "../../scripts/runtime.ts";
import { sendUntilAnswered } from "../support/native-client.ts";
import { eventually, freePort, temporaryState } from "../support/registry-process.ts";

const EXAMPLE = join(ROOT, "examples", "queue-follower");
const state = temporaryState();
let url: string;
let runtime: Runtime;

beforeAll(async () => {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  runtime = await startRuntime({
    host: "127.0.0.1",
    port,
    stateDir: join(state.stateDir, "state"),
    distDir: join(ROOT, "dist"),
    followers: { FOLLOWER_EXAMPLE: await example(join(state.stateDir, "queue-follower.js")) },
  });
});

afterAll(async () => {
  await runtime.dispose();
  state.remove();
});

describe("examples/queue-follower", () => {
  it("receives messages from its own queue and brings its table up to date with the log", async () => {
    for (let n = 0; n < 30; n += 1) await write(`subject-${n % 10}`, n);
    await sendUntilAnswered(url, "DELETE", "/subjects/subject-3");

    await eventually(async () => (await marks())[0]?.seq === 31, 30_000);

    expect(await marks()).toEqual([{ tenant: "default", seq: 31 }]);
    const rows = await rowsOf("SELECT subject, last_type, seq FROM subjects ORDER BY seq");
    expect(rows).toHaveLength(10);
    expect(rows.at(-1)).toEqual({
      subject: "subject-3",
      last_type: "dev.llm-schema-registry.schema.deleted",
      seq: 31,
    });
    expect(rows[0]).toMatchObject({ subject: "subject-0", seq: 21 });
  });

  it("catches up in its cron after a lost nudge", async () => {
    await eventually(async () => (await marks())[0]?.seq === 31, 30_000);
    await (await database()).prepare("UPDATE marks SET seq = 5").run();
    await (await database()).prepare("DELETE FROM subjects").run();

    await runtime.runFollowerCron("queue-follower");

    expect(await marks()).toEqual([{ tenant: "default", seq: 31 }]);
    expect(await rowsOf("SELECT subject FROM subjects")).toHaveLength(10);
  });
});

/** As in its own wrangler.toml, with the registry's name in this test. */
async function example(outfile: string) {
  const { workerOptions, main } = unstable_getMiniflareWorkerOptions(join(EXAMPLE, "wrangler.toml"));
  await build({ entryPoints: [main!], outfile, bundle: true, format: "esm", target: "es2024", logLevel: "error" });
  const {
    modulesRules: _,
    rootPath: _root,
    ...options
  } = workerOptions as typeof workerOptions & { rootPath?: string };
  const [queue] = Object.keys(options.queueConsumers ?? {});
  const worker = {
    ...options,
    name: "queue-follower",
    serviceBindings: { REGISTRY: REGISTRY_WORKER },
    modules: true,
    modulesRoot: state.stateDir,
    scriptPath: outfile,
  };
  return { queue: queue!, worker: worker as never };
}

async function write(subject: string, n: number): Promise<void> {
  const fields = [{ name: `field_${n}`, type: "string", default: "" }];
  const content = { type: "record", name: "Event", fields };
  const { status } = await sendUntilAnswered(url, "POST", "/schemas", { subject, format: "avro", content });
  expect(status).toBe(201);
}

async function database(): Promise<D1Database> {
  return await runtime.followerDatabase("queue-follower", "DB");
}

async function rowsOf(sql: string): Promise<Record<string, unknown>[]> {
  return (await (await database()).prepare(sql).all()).results;
}

/** Empty until the example has created its tables. */
async function marks(): Promise<Record<string, unknown>[]> {
  return await rowsOf("SELECT * FROM marks").catch(() => []);
}
