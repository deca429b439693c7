import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { paintFor } from "../../cli/output/paint.ts";
import { isColoured, withoutEscapes } from "../../cli/shell.ts";
import { callLlmsr } from "./call-llmsr.ts";

/** A fake registry with given answers that records the credentials it receives. */
let server: Server;
let url: string;
let folder: string;
let sent: (string | undefined)[] = [];
let answer: { status: number; body: object };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "llmsr-settings-"));
  server = createServer((request, response) => {
    sent.push(request.headers.authorization);
    const type = answer.status < 400 ? "application/json" : "application/problem+json";
    response.writeHead(answer.status, { "Content-Type": type }).end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  sent = [];
  answer = { status: 200, body: { items: [], actor: "ana", tenant: "default", name: null, permissions: [] } };
});

let places = 0;
/** A folder of its own, with a configuration of its own. */
function place(project?: string) {
  const cwd = join(folder, `place-${places++}`);
  mkdirSync(join(cwd, ".git"), { recursive: true });
  if (project !== undefined) writeFileSync(join(cwd, "llmsr.toml"), project);
  const config = join(cwd, "config");
  return {
    cwd,
    keys: join(config, "llmsr", "keys.toml"),
    llmsr: (args: readonly string[], env: Record<string, string> = {}, stdin?: string) =>
      callLlmsr(args, { cwd, env: { XDG_CONFIG_HOME: config, ...env }, ...(stdin === undefined ? {} : { stdin }) }),
  };
}

describe("llmsr login", () => {
  it("tries the key, and stores it for its user alone", async () => {
    const { llmsr, keys } = place();

    const { code, output } = await llmsr(["login", url], {}, "llmsr_default_k1_secret\n");

    expect({ code, output }).toEqual({ code: 0, output: "" });
    expect(sent).toEqual(["Bearer llmsr_default_k1_secret"]);
    expect(statSync(keys).mode & 0o777).toBe(0o600);
  });

  it("stores no key that the registry refuses", async () => {
    answer = { status: 401, body: { code: "unauthorized", detail: "The key is not known." } };
    const { llmsr, keys } = place();

    expect((await llmsr(["login", url], {}, "wrong")).code).toBe(4);
    expect(() => statSync(keys)).toThrow();
  });

  it("sends a stored key to its own URL only, and forgets it on request", async () => {
    const { llmsr, keys } = place();
    await llmsr(["login", url], {}, "secret");
    sent = [];

    await llmsr(["list", "--url", url]);
    await llmsr(["list", "--url", url.replace("127.0.0.1", "localhost")]);
    await llmsr(["login", url, "--forget"]);

    expect(sent).toEqual(["Bearer secret", undefined]);
    expect(readFileSync(keys, "utf8")).not.toContain("secret");
  });
});

describe("settings", () => {
  it("prefer an option to the environment, and that to llmsr.toml", async () => {
    const { llmsr } = place('url = "http://127.0.0.1:1"\n');
    const source = async (args: string[], env: Record<string, string> = {}) => {
      const { output } = await llmsr(["doctor", "--json", ...args], env);
      return (JSON.parse(output) as { settings: { url: { source: string } } }).settings.url.source;
    };

    expect(await source([])).toMatch(/llmsr\.toml$/);
    expect(await source([], { LLMSR_URL: url })).toBe("LLMSR_URL");
    expect(await source(["--url", url], { LLMSR_URL: "http://127.0.0.1:1" })).toBe("--url");
  });

  it("never print a key", async () => {
    const { output } = await place().llmsr(["doctor", "--url", url], { LLMSR_KEY: "llmsr_default_k1_secret" });

    expect(output).toContain("llmsr_default_k1_…");
    expect(output).not.toContain("secret");
  });

  it("send LLMSR_KEY to no registry that only llmsr.toml names", async () => {
    const { llmsr } = place(`url = "${url}"\n`);
    const key = { LLMSR_KEY: "secret" };

    for (const command of [["list"], ["doctor"], ["audit", "checkpoint"], ["import", "--from", url]]) {
      const { code, errors } = await llmsr(command, key);
      expect([code, sent.filter((value) => value !== undefined)], command.join(" ")).toEqual([2, []]);
      expect(errors).toContain(`LLMSR_KEY is not sent to ${url}`);
    }
  });

  it("send LLMSR_KEY to a registry that the environment or an option names, also if llmsr.toml names it", async () => {
    const { llmsr } = place(`url = "${url}"\n`);

    await llmsr(["list"], { LLMSR_KEY: "secret", LLMSR_URL: url });
    await llmsr(["list", "--url", url], { LLMSR_KEY: "secret" });
    await llmsr(["list", "--key", "mine"], { LLMSR_KEY: "secret" });

    expect(sent).toEqual(["Bearer secret", "Bearer secret", "Bearer mine"]);
  });

  it("prefer the key that is stored for the URL of llmsr.toml to LLMSR_KEY", async () => {
    const { llmsr } = place(`url = "${url}"\n`);
    await llmsr(["login"], { LLMSR_KEY: "secret" }, "stored");
    sent = [];

    await llmsr(["list"], { LLMSR_KEY: "secret" });

    expect(sent).toEqual(["Bearer stored"]);
  });

  it("send one Authorization, whatever the case of the header's name", async () => {
    const args = ["--url", url, "--header", "authorization: Basic mine"];

    for (const command of [["list"], ["audit", "checkpoint"]]) {
      await place().llmsr([...command, ...args], { LLMSR_KEY: "secret" });
    }

    expect(sent).toEqual(["Basic mine", "Basic mine"]);
  });

  it.each([["list"], ["audit", "checkpoint"]])("never quote a key that cannot be sent (%s)", async (...command) => {
    const { code, errors } = await place().llmsr([...command, "--url", url], { LLMSR_KEY: "two\nlines" });

    expect([code, sent]).toEqual([2, []]);
    expect(errors).not.toContain("lines");
    expect(errors).toContain("copy it once more");
  });

  it("keep LLMSR_KEY from modules that hold schemas", async () => {
    const { cwd, llmsr } = place();
    const python = join(cwd, "python");
    writeFileSync(python, `#!/bin/sh\nprintf '{"title":"key %s"}' "\${LLMSR_KEY-none}" >&3\n`, { mode: 0o700 });

    const { output } = await llmsr(["bundle", "shop.models:Order"], { LLMSR_KEY: "secret", PYTHON: python });

    expect(output).toContain('"key none"');
  });

  it.each([
    ['key = "x"', "a key does not belong in a repository"],
    ['colour = "red"', '"colour" is unknown'],
    ["subjects = 1", "subjects is not a table"],
    ["[subjects]\na = 1", 'subjects."a" is neither'],
    ['[subjects]\na = { file = "a.avsc", format = "xml" }', "must be one of"],
    ['[subjects]\na = { file = "a.avsc", formt = "avro" }', "formt is unknown"],
    ["url = ", "llmsr.toml:1:"],
  ])("refuse an llmsr.toml with %j", async (project, said) => {
    const { code, errors } = await place(project).llmsr(["list", "--url", url]);

    expect(code).toBe(2);
    expect(errors).toContain(said);
    expect(sent).toEqual([]);
  });
});

describe("exit codes", () => {
  it.each([
    [401, "unauthorized", 4],
    [403, "forbidden", 4],
    [404, "not_found", 5],
    [409, "conflict", 5],
    [501, "not_configured", 5],
    [400, "bad_request", 5],
  ])("of a %i %s is %j", async (status, code, expected) => {
    answer = { status, body: { code, detail: "No." } };

    const called = await place().llmsr(["list", "--url", url, "--json"]);

    expect(called).toMatchObject({ code: expected, output: "" });
    expect(JSON.parse(called.errors.trimEnd().split("\n").at(-1)!)).toMatchObject({ code });
  });

  it("of an unreachable registry is 3", async () => {
    const { code, errors } = await place().llmsr(["list", "--url", "http://127.0.0.1:9"]);

    expect(code).toBe(3);
    expect(errors).toContain("llmsr doctor");
  });
});

describe("llmsr init", () => {
  it("lists schemas and tool lists, gives equal names their folders, and leaves other files out", async () => {
    const { cwd, llmsr } = place();
    const write = (name: string, text: string) => {
      mkdirSync(join(cwd, name, ".."), { recursive: true });
      writeFileSync(join(cwd, name), text);
    };
    write("a/order.avsc", '{"type":"record","name":"Order","fields":[]}');
    write("b/order.avsc", '{"type":"record","name":"Order","fields":[]}');
    write("tools.json", '{"tools":[{"name":"f","inputSchema":{"type":"object"}}]}');
    write("package.json", '{"name":"x","properties":{}}');
    write("data.json", '{"id":1}');
    write("node_modules/x/x.avsc", "{}");

    const { code, output } = await llmsr(["init", "--dry-run", "--prefix", "shop."]);

    expect(code).toBe(0);
    expect(output.split("[subjects]\n")[1]).toBe(
      '"shop.a.order" = "a/order.avsc"\n"shop.b.order" = "b/order.avsc"\n"shop.*" = "tools.json"\n',
    );
  });

  it("does not replace a file unasked", async () => {
    const { cwd, llmsr } = place("# mine\n");

    expect((await llmsr(["init"])).code).toBe(2);
    expect(readFileSync(join(cwd, "llmsr.toml"), "utf8")).toBe("# mine\n");
    expect((await llmsr(["init", "--force"])).code).toBe(0);
  });
});

describe("llmsr", () => {
  it("prints help on one screen, its version and its topics to standard output", async () => {
    const help = await callLlmsr(["--help"]);

    expect(help.output.split("\n").length).toBeLessThan(50);
    expect((await callLlmsr(["--version"])).output).toMatch(/^llmsr \d+\.\d+\.\d+\n$/);
    expect((await callLlmsr(["help", "exit-codes"])).output).toContain("130");
    expect((await callLlmsr(["push", "--help"])).output).toContain("llmsr push --dry-run");
  });

  it("prints wrong usage to standard error", async () => {
    for (const args of [[], ["nonsense"], ["show"], ["push", "--nonsense"], ["help", "nothing"]]) {
      const { code, output, errors } = await callLlmsr(args);
      expect({ code, output }, args.join(" ")).toEqual({ code: 2, output: "" });
      expect(errors).not.toBe("");
    }
  });

  it("suggests the command that was meant", async () => {
    expect((await callLlmsr(["hist"])).errors).toContain("did you mean history?");
  });

  it.each(["bash", "zsh", "fish"])("completes every command in %s", async (shell) => {
    const { output } = await callLlmsr(["completion", shell]);

    for (const name of ["push", "check", "watch", "types"]) expect(output).toContain(name);
    expect(output).toContain(shell === "fish" ? "-l dry-run" : "--dry-run");
  });

  it("prints a completion script that bash reads", async () => {
    const { output } = await callLlmsr(["completion", "bash"]);

    execFileSync("bash", ["-n"], { input: output });
  });
});

describe("withoutEscapes", () => {
  it("keeps text, its lines and tabs, and the colours of llmsr", () => {
    const paint = paintFor(true);
    const text = `${Object.values(paint)
      .map((colour) => colour("é\t中"))
      .join("\n")}\n`;

    expect(withoutEscapes(text)).toBe(text);
  });

  it.each([
    ["a title", "\u001b]0;pwned\u0007", "]0;pwned"],
    ["another colour", "\u001b[41mx\u001b[8m", "[41mx[8m"],
    ["a moved cursor", "\u001b[2J\u001b[1A\r\bx", "[2J[1Ax"],
    ["a C1 control", "\u009b31mx\u009d0;t\u009c", "31mx0;t"],
    ["an escape that removing another would make", "\u001b\u001b[2J", "[2J"],
    ["DEL and NUL", "a\u007f\u0000b", "ab"],
  ])("removes the controls of %s", (_, text, expected) => {
    expect(withoutEscapes(text)).toBe(expected);
  });
});

describe("isColoured", () => {
  it.each([
    ["auto", {}, true, true],
    ["auto", {}, false, false],
    ["auto", { NO_COLOR: "1" }, true, false],
    ["auto", { CLICOLOR_FORCE: "1" }, false, true],
    ["always", { NO_COLOR: "1" }, false, true],
    ["never", { CLICOLOR_FORCE: "1" }, true, false],
  ] as const)("of %s with %j on a terminal or not (%s) is %s", (color, env, isTerminal, expected) => {
    expect(isColoured(color, env, isTerminal)).toBe(expected);
  });
});
