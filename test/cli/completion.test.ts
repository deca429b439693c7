import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callLlmsr } from "./call-llmsr.ts";

let folder: string;
const trace = () => join(folder, "ran");
const hostile = () => [
  `$(touch\${IFS}${trace()})`,
  `\`touch ${trace()}\``,
  `a;touch ${trace()}`,
  `'"$(touch ${trace()})`,
];

/** Runs a shell in which `llmsr completion subjects` lists hostile names. */
function runShell(program: string, script: string): string[] {
  const env = { PATH: `${folder}${delimiter}${process.env.PATH}`, HOME: folder };
  return execFileSync(program, ["-c", script], { env, encoding: "utf8" }).split("\n").slice(0, -1);
}

async function writeScript(shell: string): Promise<string> {
  const file = join(folder, `script.${shell}`);
  writeFileSync(file, (await callLlmsr(["completion", shell])).output);
  return file;
}

const isInstalled = (program: string) => spawnSync(program, ["--version"]).status === 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llmsr-completion-"));
  writeFileSync(join(folder, "names"), [...hostile(), "orders", ""].join("\n"));
  writeFileSync(join(folder, "llmsr"), `#!/bin/sh\ncat '${join(folder, "names")}'\n`);
  chmodSync(join(folder, "llmsr"), 0o700);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("llmsr completion", () => {
  it("quotes the subjects that bash completes, so that none is executed", async () => {
    const script = await writeScript("bash");
    const complete = (word: string) =>
      `COMP_WORDS=(llmsr show "${word}"); COMP_CWORD=2; _llmsr; printf '%s\\n' "\${COMPREPLY[@]}"`;

    const all = runShell("bash", `source ${script}; ${complete("")}`);
    const some = runShell("bash", `source ${script}; ${complete("or")}`);
    // What readline inserts is what the shell reads when the line is run.
    const read = runShell("bash", all.map((word) => `printf '%s\\n' ${word}`).join("\n"));

    expect(read).toEqual([...hostile(), "orders"]);
    expect(some).toEqual(["orders"]);
    expect(existsSync(trace())).toBe(false);
  });

  it("leaves names of files to bash, which quotes them", async () => {
    const script = await writeScript("bash");
    writeFileSync(join(folder, "$(touch ran)"), "");

    const replies = runShell(
      "bash",
      `cd ${folder}; source ${script}; COMP_WORDS=(llmsr check ""); COMP_CWORD=2; _llmsr; echo "\${#COMPREPLY[@]}"`,
    );

    expect(replies).toEqual(["0"]);
  });

  it.skipIf(!isInstalled("zsh"))("gives zsh the subjects as they are, which quotes them", async () => {
    const script = await writeScript("zsh");

    const shown = runShell(
      "zsh",
      `compadd() { shift; print -rl -- "$@"; }; words=(llmsr show ""); CURRENT=3; source ${script}`,
    );

    expect(shown).toEqual([...hostile(), "orders"]);
    expect(existsSync(trace())).toBe(false);
  });

  it.skipIf(!isInstalled("fish"))("gives fish the subjects as they are, which quotes them", async () => {
    const script = await writeScript("fish");

    const shown = runShell("fish", `source ${script}; complete -C "llmsr show "`);

    expect(shown.sort()).toEqual([...hostile(), "orders"].sort());
    expect(existsSync(trace())).toBe(false);
  });

  it("lists no subject that holds a line break or an escape", async () => {
    const items = ["orders", "two\nlines", "\u001b]0;title\u0007"].map((subject) => ({ subject }));
    const fetch = async () => Response.json({ items });

    expect((await callLlmsr(["completion", "subjects"], { fetch })).output).toBe("orders\n");
  });
});
