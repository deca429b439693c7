/** A real Redis from Debian's package, and Upstash's REST API in front of it. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import { delimiter, join } from "node:path";
import { eventually, freePort } from "./registry-process.ts";

export type RedisServer = {
  url: string;
  token: string;
  /** One command, past the REST API. */
  command(...words: (string | number)[]): Promise<unknown>;
  /** Commands that came by the REST API. */
  asked: string[][];
  stop(): Promise<void>;
};

/** Installs it where it is missing and this machine allows that; undefined if it is not to be had. */
export function redisProgram(): string | undefined {
  const find = () =>
    ["/usr/bin", ...(process.env.PATH ?? "").split(delimiter)]
      .map((folder) => join(folder, "redis-server"))
      .find((file) => existsSync(file));
  const found = find();
  if (found !== undefined || process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) return found;
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    execFileSync("apt-get", ["update", "-q"], { env, stdio: "ignore" });
    execFileSync("apt-get", ["install", "-q", "-y", "--no-install-recommends", "redis-server"], {
      env,
      stdio: "ignore",
    });
  } catch (error) {
    console.warn(`Redis cannot be installed (${(error as Error).message}): the suites that need it are skipped.`);
  }
  return find();
}

export async function startRedis(program: string): Promise<RedisServer> {
  const port = await freePort();
  const child = spawn(program, ["--port", String(port), "--save", "", "--appendonly", "no"], { stdio: "ignore" });
  await eventually(() => canConnect(port));
  const token = "redis-test-token";
  const asked: string[][] = [];
  const command = (...words: (string | number)[]) => send(port, words.map(String));
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const words = JSON.parse(Buffer.concat(chunks).toString() || "[]") as (string | number)[];
    const isAllowed = request.headers.authorization === `Bearer ${token}`;
    asked.push(words.map(String));
    const answer = isAllowed
      ? await command(...words).then(
          (result) => ({ result }),
          (error: Error) => ({ error: error.message }),
        )
      : { error: "WRONGPASS" };
    response
      .writeHead("error" in answer ? 400 : 200, { "Content-Type": "application/json" })
      .end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    token,
    command,
    asked,
    stop: async () => {
      child.kill("SIGKILL");
      await closed(server);
    },
  };
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

/** RESP2 (https://redis.io/docs/latest/develop/reference/protocol-spec/), as far as the commands of limits need it. */
function send(port: number, words: string[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(`*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`);
    });
    let received = "";
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      received += chunk.toString();
      const end = received.indexOf("\r\n");
      if (end === -1) return;
      socket.destroy();
      const [type, rest] = [received[0], received.slice(1, end)];
      if (type === "-") reject(new Error(rest));
      else if (type === ":") resolve(Number(rest));
      else if (type === "$") resolve(rest === "-1" ? null : received.slice(end + 2, end + 2 + Number(rest)));
      else resolve(rest);
    });
  });
}
