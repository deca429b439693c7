import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";
import { runWrangler } from "../../scripts/build.ts";
import { type Runtime, startRuntime } from "../../scripts/runtime.ts";
import { VAR_NAMES } from "../../workers/settings.ts";
import { freePort } from "../support/registry-process.ts";

const folder = mkdtempSync(join(tmpdir(), "registry-deploy-check-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** wrangler.toml as edited by an operator. */
function edited(name: string, edit: (toml: string) => string): string {
  const file = join(folder, name);
  const toml = readFileSync("wrangler.toml", "utf8").replace('main = "', `main = "${resolve(".")}/`);
  writeFileSync(file, edit(toml));
  return file;
}

const filledIn = (toml: string) => toml.replaceAll("registry.example.com", "registry.acme.dev");

async function check(config: string, environment = "production"): Promise<{ code: number; output: string }> {
  return promisify(execFile)(process.execPath, ["scripts/deploy-check.ts", environment, "--config", config]).then(
    ({ stdout }) => ({ code: 0, output: stdout }),
    ({ code, stderr }: { code: number; stderr: string }) => ({ code, output: stderr }),
  );
}

describe("scripts/deploy-check.ts", () => {
  it("refuses wrangler.toml as it comes, and takes it once the host is filled in", async () => {
    for (const environment of ["staging", "production"]) {
      const before = await check("wrangler.toml", environment);
      expect(before.code).toBe(1);
      expect(before.output).toContain("placeholder");
      expect((await check(edited(`filled-${environment}.toml`, filledIn), environment)).code).toBe(0);
    }
  });

  it.each<[string, (toml: string) => string, string]>([
    ["a workers.dev address", (toml) => toml.replaceAll("workers_dev = false", "workers_dev = true"), "workers_dev"],
    ["preview addresses", (toml) => toml.replaceAll("preview_urls = false", ""), "preview_urls"],
    ["no route", (toml) => toml.replaceAll(/^routes = .*$/gm, ""), "routes is empty"],
    [
      "AUTH none",
      (toml) => toml.replaceAll('ENVIRONMENT = "production"', 'ENVIRONMENT = "production"\nAUTH = "none"'),
      "AUTH",
    ],
    [
      "another environment",
      (toml) => toml.replaceAll('ENVIRONMENT = "production"', 'ENVIRONMENT = "local"'),
      "ENVIRONMENT",
    ],
    [
      "a secret in a file",
      (toml) => toml.replaceAll('ENVIRONMENT = "production"', 'ENVIRONMENT = "production"\nACCESS_HASH_KEY = "x"'),
      "ACCESS_HASH_KEY",
    ],
  ])("refuses %s", async (name, edit, said) => {
    const { code, output } = await check(edited(`${name}.toml`, (toml) => edit(filledIn(toml))));

    expect(code).toBe(1);
    expect(output).toContain(said);
  });

  it("leaves what wrangler then deploys", async () => {
    const config = edited("deployed.toml", filledIn);
    const { code, output } = await runWrangler([
      ...["deploy", "--dry-run", "--config", config, "--env", "production", "--outdir", join(folder, "out")],
    ]);

    expect(code, output).toBe(0);
    expect(output).toContain("DIRECTORY (DirectoryObject)");
  });
});

describe("a Worker with the settings of production", () => {
  let runtime: Runtime | undefined;

  async function start(vars: Record<string, string>): Promise<string> {
    const port = await freePort();
    runtime = await startRuntime({
      host: "127.0.0.1",
      port,
      stateDir: join(folder, "state"),
      distDir: "dist",
      vars: { ENVIRONMENT: "production", ...vars },
    });
    return `http://127.0.0.1:${port}`;
  }

  it("is closed before it is configured, and open to a key after the page's commands", async () => {
    const printed = await promisify(execFile)("npm", ["run", "key:first", "--silent"]);
    const [, hashKey] = /^ACCESS_HASH_KEY .*\n {2}(\S+)$/m.exec(printed.stdout) ?? [];
    const [, kept] = /^FIRST_ADMINISTRATOR_KEY .*\n {2}(\S+)$/m.exec(printed.stdout) ?? [];
    const [key = ""] = /\bllmsr_default_\S+/.exec(printed.stdout) ?? [];
    const get = async (url: string, path: string, headers: Record<string, string> = {}) =>
      (await fetch(url + path, { headers })).status;

    const closed = await start({});
    try {
      expect(await get(closed, "/health")).toBe(200);
      for (const path of ["/subjects", "/api/v1/subjects", "/docs", "/metrics", "/health/ready"]) {
        expect(await get(closed, path, { "X-API-Key": key }), path).toBe(503);
      }
    } finally {
      await runtime?.dispose();
    }

    const open = await start({ ACCESS_HASH_KEY: hashKey!, FIRST_ADMINISTRATOR_KEY: kept! });
    try {
      expect(await get(open, "/subjects")).toBe(401);
      expect(await get(open, "/subjects", { Authorization: `Bearer ${key}` })).toBe(200);
      expect(await get(open, "/subjects", { Authorization: `Bearer ${key.slice(0, -1)}-` })).toBe(401);
      expect(await get(open, "/health/ready")).toBe(200);
    } finally {
      await runtime?.dispose();
    }
  });
});

describe("docs/deploy.md", () => {
  const page = readFileSync("docs/deploy.md", "utf8");
  const commands = [...page.matchAll(/^```\n([\s\S]*?)^```$/gm)].flatMap(([, block]) => block!.split("\n"));
  const named = (pattern: RegExp) => commands.flatMap((command) => pattern.exec(command)?.[1] ?? []).sort();
  const config = unstable_readConfig({ config: "wrangler.toml", env: "production" }) as unknown as {
    queues: { producers: { queue: string }[]; consumers: { queue: string; dead_letter_queue: string }[] };
    r2_buckets: { bucket_name: string }[];
  };

  it("creates the buckets and queues that wrangler.toml names, and no others", () => {
    const { producers, consumers } = config.queues;
    const queues = [
      ...producers.map(({ queue }) => queue),
      ...consumers.flatMap(({ queue, dead_letter_queue: parked }) => [queue, parked]),
    ];

    expect(named(/wrangler r2 bucket create (\S+)/)).toEqual(
      config.r2_buckets.map(({ bucket_name: name }) => name).sort(),
    );
    expect(named(/wrangler queues create (\S+)/)).toEqual([...new Set(queues)].sort());
  });

  it("sets only secrets that the registry reads, among them those that open it", () => {
    const secrets = new Set(named(/wrangler secret put (\S+) --env production/));

    expect([...VAR_NAMES, "DATABASE_URL"]).toEqual(expect.arrayContaining([...secrets]));
    expect([...secrets]).toEqual(expect.arrayContaining(["ACCESS_HASH_KEY", "FIRST_ADMINISTRATOR_KEY"]));
  });

  it("uses only scripts that there are", () => {
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };

    for (const script of named(/npm run (\S+)/)) expect(Object.keys(scripts)).toContain(script);
  });
});
