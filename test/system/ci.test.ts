import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ROOT } from "../../scripts/install.mjs";

type Step = { id?: string; name: string; run: string };

const action = parse(readFileSync(join(ROOT, "action.yml"), "utf8")) as { runs: { steps: Step[] } };
const stepNamed = (name: string) => action.runs.steps.find((step) => step.name === name)!.run;

let folder: string;
let repository: string;
let base: string;
const file = (name: string) => join(repository, name);

beforeAll(() => {
  execFileSync("node", [join("cli", "build.mjs")], { cwd: ROOT });
  folder = mkdtempSync(join(tmpdir(), "llmsr-ci-"));
  repository = join(folder, "repository");
  mkdirSync(repository);
  const tool = (properties: object) =>
    JSON.stringify({ tools: [{ name: "find", inputSchema: { type: "object", properties } }] });
  git("init", "--quiet", "--initial-branch=main");
  writeFileSync(file("address.avsc"), avro("Address", { name: "street", type: "string" }));
  writeFileSync(file("customer.avsc"), avro("Customer", { name: "home", type: "shop.Address" }));
  writeFileSync(file("plain.avsc"), avro("Plain"));
  writeFileSync(file("tools.json"), tool({ q: { type: "string" } }));
  writeFileSync(
    file("llmsr.toml"),
    '[subjects]\naddress = "address.avsc"\ncustomer = "customer.avsc"\n"*" = "tools.json"\n',
  );
  git("add", "--all");
  git("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "--message", "Schemas");
  base = git("rev-parse", "HEAD").trim();
  writeFileSync(file("address.avsc"), avro("Address", { name: "street", type: "long" }));
  writeFileSync(file("tools.json"), tool({ q: { type: "string", pattern: "^(?=a)b" } }));
});
afterAll(() => rmSync(folder, { recursive: true }));

function avro(name: string, ...fields: object[]): string {
  return JSON.stringify({ type: "record", name, namespace: "shop", fields });
}

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: repository, encoding: "utf8" });
}

/** Runs a step's script as a runner does. */
function runStep(name: string, env: Record<string, string>) {
  for (const output of ["summary", "output"]) writeFileSync(join(folder, output), "");
  const { status, stdout, stderr } = spawnSync(
    "bash",
    ["--noprofile", "--norc", "-eo", "pipefail", "-c", stepNamed(name)],
    {
      cwd: repository,
      encoding: "utf8",
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        GITHUB_ACTIONS: "true",
        GITHUB_ACTION_PATH: ROOT,
        GITHUB_STEP_SUMMARY: join(folder, "summary"),
        GITHUB_OUTPUT: join(folder, "output"),
        LLMSR_REPORT: join(folder, "report.md"),
        ...env,
      },
    },
  );
  const read = (output: string) => readFileSync(join(folder, output), "utf8");
  return {
    status,
    stdout,
    stderr,
    report: () => read("report.md"),
    summary: () => read("summary"),
    output: () => read("output"),
  };
}

describe("action.yml", () => {
  const inputs = { FILES: "", AGAINST: "", LLMSR_URL: "", LLMSR_KEY: "", DEFAULT_BRANCH: "main" };

  it("reports the version step, the break with its witness, the affected subjects and the providers", () => {
    const { status, report, summary, output } = runStep("Check", { ...inputs, BASE: base });

    expect(status).toBe(1);
    expect(report()).toContain("## Schemas: not compatible");
    expect(report()).toMatch(/\| `address` \| `git:\w+` \| \*\*breaking\*\* \(BACKWARD\) \| major \|/);
    expect(report()).toMatch(/- \*\*.*\*\* at `address\.avsc:1:\d+`\n {2}For example `\{"street":"\w*"\}`/);
    expect(report()).toContain("### Affected references\n\n- `customer`");
    expect(report()).toMatch(/- Model providers: .* → lossy/);
    expect(summary()).toBe(report());
    expect(output()).toContain("exit-code=1\n");
  });

  it("annotates the lines of the change", () => {
    const { stdout } = runStep("Check", { ...inputs, BASE: base });

    expect(stdout).toMatch(/^::error file=address\.avsc,line=1,col=\d+,title=\w+::/m);
  });

  it("passes if nothing breaks", () => {
    const { status, report } = runStep("Check", { ...inputs, BASE: base, FILES: "plain.avsc" });

    expect(status).toBe(0);
    expect(report()).toContain("No schema has changed.");
  });

  it("compares a renamed file, and reports a removed subject", () => {
    const listed = readFileSync(file("llmsr.toml"), "utf8");
    writeFileSync(file("moved.avsc"), avro("Address", { name: "street", type: "long" }));
    writeFileSync(file("llmsr.toml"), '[subjects]\naddress = "moved.avsc"\n"*" = "tools.json"\n');

    const { status, report } = runStep("Check", { ...inputs, BASE: base });
    writeFileSync(file("llmsr.toml"), listed);

    expect(status).toBe(1);
    expect(report()).toMatch(/\| `address` \| `git:\w+` \| \*\*breaking\*\*/);
    expect(report()).toMatch(/\| `customer` \| `git:\w+:customer\.avsc` \| removed \| \|/);
  });

  it("says what could not be checked, and fails with another code than a break", () => {
    const { status, report } = runStep("Check", { ...inputs, BASE: base, FILES: "missing.avsc" });

    expect(status).toBe(2);
    expect(report()).toContain("## Schemas: not checked");
    expect(report()).toContain("missing.avsc cannot be read");
  });

  it("checks files on several lines", () => {
    const { status, report } = runStep("Check", { ...inputs, BASE: base, FILES: "plain.avsc\n address.avsc\n" });

    expect(status).toBe(1);
    expect(report()).toContain("| `address` |");
  });

  it.each([
    ["zeros, as of a new branch", "0".repeat(40)],
    ["nothing, as of a schedule", ""],
  ])("compares with where the branch left the default branch, if the base is %s", (_, before) => {
    git("checkout", "--quiet", "-b", "new-branch");
    git("remote", "add", "origin", repository);

    const { status, report } = runStep("Check", { ...inputs, BASE: before });
    git("remote", "remove", "origin");
    git("checkout", "--quiet", "main");
    git("branch", "--quiet", "-D", "new-branch");

    expect(status).toBe(1);
    expect(report()).toContain(`| \`address\` | \`git:${base}\` |`);
  });

  it.each([
    ["1".repeat(40), "1".repeat(40)],
    ["0".repeat(40), "origin/main"],
  ])("says in the report that the base %s cannot be fetched", (before, named) => {
    const { status, report } = runStep("Check", { ...inputs, BASE: before });

    expect(status).toBe(2);
    expect(report()).toContain(`${named} is not a revision`);
  });

  it("refuses a key without a url, which llmsr.toml could choose", () => {
    const key = { ...inputs, BASE: base, FILES: "plain.avsc", LLMSR_KEY: "secret" };
    const refused = runStep("Check", key);

    expect(refused.status).toBe(2);
    expect(refused.stdout).toContain("::error::The input key needs the input url");
    expect(runStep("Check", { ...key, LLMSR_URL: "http://localhost:1" }).status).toBe(0);
  });

  it("lets no message of llmsr.toml be a workflow command", () => {
    const listed = readFileSync(file("llmsr.toml"), "utf8");
    writeFileSync(file("llmsr.toml"), '[subjects]\nplain = "none\\n::add-mask::e\\n##[add-mask]e"\n');

    const { status, stdout, stderr } = runStep("Check", { ...inputs, BASE: base });
    writeFileSync(file("llmsr.toml"), listed);

    expect(status).toBe(2);
    expect(stdout).not.toContain("add-mask");
    expect(stderr).toMatch(
      /^::stop-commands::([\da-f]{32})\n[\s\S]*\n::add-mask::e\n##\[add-mask\]e[\s\S]*\n::\1::\n$/,
    );
  });

  it("writes one comment, and updates it", () => {
    const bin = join(folder, "bin");
    mkdirSync(bin);
    // In place of the GitHub CLI: a comment exists once one was posted.
    writeFileSync(
      join(bin, "gh"),
      `#!/bin/bash\necho "$@" >> ${join(folder, "gh.log")}\nif [ "$2" != --method ] && grep -q POST ${join(folder, "gh.log")}; then echo 7; fi\n`,
    );
    chmodSync(join(bin, "gh"), 0o755);
    const env = {
      PATH: `${bin}:${process.env.PATH}`,
      GH_TOKEN: "t",
      GITHUB_REPOSITORY: "o/r",
      REPORT: join(folder, "report.md"),
      PULL_REQUEST: "12",
    };

    runStep("Comment", env);
    runStep("Comment", env);

    const calls = readFileSync(join(folder, "gh.log"), "utf8");
    expect(calls.match(/--method \w+ \S+/g)).toEqual([
      "--method POST repos/o/r/issues/12/comments",
      "--method PATCH repos/o/r/issues/comments/7",
    ]);
  });
});

describe("ci/gitlab.yml", () => {
  it("compares with the revision where the branch began", () => {
    const job = parse(readFileSync(join(ROOT, "ci", "gitlab.yml"), "utf8")) as { schemas: { script: string[] } };
    const script = job.schemas.script.join("\n").replaceAll(".llmsr/", `${ROOT}/`);

    const { status, stderr } = spawnSync("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", script], {
      cwd: repository,
      encoding: "utf8",
      env: { PATH: process.env.PATH, LLMSR_REPORT: join(folder, "report.md"), CI_MERGE_REQUEST_DIFF_BASE_SHA: base },
    });

    expect(status, stderr).toBe(1);
    expect(readFileSync(join(folder, "report.md"), "utf8")).toContain(`| \`address\` | \`git:${base}\` |`);
  });
});

describe(".pre-commit-hooks.yaml", () => {
  const [hook] = parse(readFileSync(join(ROOT, ".pre-commit-hooks.yaml"), "utf8")) as {
    entry: string;
    files: string;
  }[];

  it.each(["o.avsc", "a/o.proto", "o.json", "o.yml", "llmsr.toml", "shop/models.py", "order.ts", "order.mjs"])(
    "runs for a change of %s",
    (name) => {
      expect(name).toMatch(new RegExp(hook!.files));
    },
  );

  it("refuses a commit that breaks, by its entry", () => {
    const entry = hook!.entry.replace(/^llmsr/, `node ${join(ROOT, "cli", "dist", "llmsr.mjs")}`);

    expect(spawnSync("bash", ["-c", entry], { cwd: repository }).status).toBe(1);
  });
});
