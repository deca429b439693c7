/** Starts the scripted registry that all SDKs' vectors run against. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const SERVER = fileURLToPath(new URL("../../../contract/vectors/sdk/server.mjs", import.meta.url));

export interface RunResult {
  mismatches: string[];
  left: number;
}

export class ScriptedServer {
  readonly #process: ChildProcess;
  readonly #control: string;

  private constructor(process: ChildProcess, control: string) {
    this.#process = process;
    this.#control = control;
  }

  static async start(): Promise<ScriptedServer> {
    const child = spawn(process.execPath, [SERVER], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    return new ScriptedServer(child, (JSON.parse(line.toString()) as { control: string }).control);
  }

  async script(exchanges: unknown[]): Promise<{ url: string; end(): Promise<RunResult> }> {
    const begun = await fetch(`${this.#control}/_run`, { method: "POST", body: JSON.stringify({ exchanges }) });
    const { run, url } = (await begun.json()) as { run: number; url: string };
    return { url, end: async () => (await (await fetch(`${this.#control}/_run/${run}`)).json()) as RunResult };
  }

  stop(): void {
    this.#process.kill();
  }
}
