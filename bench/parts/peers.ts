import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../scripts/install.mjs";
import { javaOf } from "../java.ts";
import { requestBytes } from "../load.ts";
import type { Bench, BenchPart } from "../part.ts";
import { memoryMiB, withDescendants } from "../processes.ts";
import { avroSchema } from "../schemas.ts";
import { freePort, startRegistry } from "../servers.ts";
import { type LoadTarget, ratioOf, rowsOf, takeTurns } from "../turns.ts";

/** Apicurio Registry's runnable distribution on Maven Central. Downloaded once, like the other tools. */
const VERSION = "3.3.3";
const ARCHIVE = `https://repo1.maven.org/maven2/io/apicurio/apicurio-registry-app/${VERSION}/apicurio-registry-app-${VERSION}-all.tar.gz`;
const FOLDER = join(ROOT, "node_modules", ".cache", "peers", `apicurio-${VERSION}`);
const LEAST_JAVA = 21;
const READY_WITHIN_MS = 120_000;
const CONNECTIONS = 16;

type Peer = { url: string; port: number; pid: number; stop(): Promise<void> };

/** The same Confluent API calls sent to another registry, in turns. It keeps its data in memory; ours is on disk. */
export const peers: BenchPart = {
  name: "peers",
  title: `Beside Apicurio Registry ${VERSION} (H2 in memory, not durable)`,
  async run(bench) {
    const java = javaOf(LEAST_JAVA, bench);
    const problem =
      java === undefined
        ? `it needs Java ${LEAST_JAVA}, and neither this machine nor PyPI has it`
        : await obtain(bench);
    // A row, so that the page says that the comparison was skipped.
    if (java === undefined || problem !== undefined)
      return [{ what: `skipped: ${problem}`, value: Number.NaN, unit: "" }];
    const registry = await startRegistry({ vars: { CONFLUENT_STALENESS_SECONDS: "10" } });
    let peer: Peer | undefined;
    try {
      peer = await startApicurio(java);
      const ours = await registered(registry.url, "");
      const theirs = await registered(peer.url, "/apis/ccompat/v7");
      const both = (what: string, path: (id: number) => string): [LoadTarget, LoadTarget] => [
        { what, server: registry, request: requestBytes("GET", path(ours)) },
        { what: `${what}, Apicurio`, server: peer!, request: requestBytes("GET", `/apis/ccompat/v7${path(theirs)}`) },
      ];
      const series = (what: string, server: LoadTarget["server"], prefix: string): LoadTarget => ({
        what,
        server,
        connections: CONNECTIONS,
        request: (n) =>
          requestBytes(
            "POST",
            `${prefix}/subjects/s-${n % 100}/versions`,
            JSON.stringify({ schema: JSON.stringify(avroSchema(n)) }),
          ),
      });
      const pairs: [LoadTarget, LoadTarget][] = [
        both("content by id", (id) => `/schemas/ids/${id}`),
        both("latest", () => "/subjects/orders/versions/latest"),
        [
          series(`register, ${CONNECTIONS} at a time`, registry, ""),
          series(`register, ${CONNECTIONS} at a time, Apicurio`, peer, "/apis/ccompat/v7"),
        ],
      ];
      const measured = await takeTurns(bench, pairs.flat());
      return [
        ...pairs.flatMap(([mine, other]) => [
          ...rowsOf(mine.what, measured.get(mine.what)!),
          ...rowsOf(other.what, measured.get(other.what)!),
          { what: `${mine.what}: ours / theirs`, value: ratioOf(measured, mine.what, other.what), unit: "×" },
        ]),
        { what: "memory of workerd", value: memoryMiB([registry.pid]), unit: "MiB" },
        { what: "memory of Apicurio", value: memoryMiB([peer.pid]), unit: "MiB" },
      ];
    } finally {
      await peer?.stop();
      await registry.stop();
    }
  },
};

/** The reason why the other registry cannot be measured; undefined if it is installed in FOLDER. */
async function obtain(bench: Bench): Promise<string | undefined> {
  if (existsSync(FOLDER)) return undefined;
  bench.progress(`downloading ${ARCHIVE}`);
  const answer = await fetch(ARCHIVE).catch(() => undefined);
  if (!answer?.ok) return `${ARCHIVE} cannot be had (${answer?.status ?? "no connection"})`;
  const partial = `${FOLDER}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const archive = join(partial, "archive.tar.gz");
  writeFileSync(archive, Buffer.from(await answer.arrayBuffer()));
  execFileSync("tar", ["-xzf", archive, "-C", partial]);
  rmSync(archive);
  renameSync(partial, FOLDER);
  return undefined;
}

async function startApicurio(java: string): Promise<Peer> {
  const jar = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).find((path) =>
    /(?:runner|quarkus-run)\.jar$/.test(path),
  );
  if (jar === undefined) throw new Error(`There is no runnable jar in ${FOLDER}.`);
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "registry-bench-apicurio-"));
  const server = spawn(
    java,
    [
      `-Dquarkus.http.port=${port}`,
      "-Dquarkus.http.host=127.0.0.1",
      // 0 lets it choose a free port: its default port is in use on many machines.
      "-Dquarkus.management.port=0",
      "-Dquarkus.management.host=127.0.0.1",
      "-Dapicurio.rules.global.compatibility=NONE",
      "-jar",
      join(FOLDER, jar),
    ],
    { cwd: folder, stdio: "ignore" },
  );
  const exited = once(server, "exit");
  const stop = async () => {
    server.kill("SIGKILL");
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  for (const until = performance.now() + READY_WITHIN_MS; performance.now() < until; ) {
    const answer = await fetch(`${url}/apis/ccompat/v7/subjects`).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok) return { url, port, pid: withDescendants(server.pid!).at(-1)!, stop };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await stop();
  throw new Error(`Apicurio is not ready within ${READY_WITHIN_MS} ms.`);
}

async function registered(url: string, prefix: string): Promise<number> {
  const response = await fetch(`${url}${prefix}/subjects/orders/versions`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ schema: JSON.stringify(avroSchema(1)) }),
  });
  if (!response.ok) throw new Error(`Registering gives ${response.status}: ${await response.text()}`);
  return ((await response.json()) as { id: number }).id;
}
