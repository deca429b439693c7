import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_PUSHED_TOGETHER } from "../../cli/push-changes.ts";
import { callLlmsr } from "./call-llmsr.ts";

let folder: string;
let refusesFrom: number;
let sizes: number[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llmsr-push-"));
  mkdirSync(join(folder, ".git"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A registry that takes so many change sets, and then refuses. */
async function fetchChangeSet(_: string | URL | Request, init?: RequestInit): Promise<Response> {
  const { changes } = JSON.parse(String(init?.body)) as { changes: { subject: string }[] };
  sizes.push(changes.length);
  if (sizes.length >= refusesFrom) {
    const headers = { "Content-Type": "application/problem+json" };
    return Response.json({ code: "forbidden", detail: "Not these." }, { status: 403, headers });
  }
  const made = changes.map(({ subject }) => ({ result: "registered", id: `id-${subject}`, subject, version: "1.0.0" }));
  return Response.json({ changes: made });
}

async function push(count: number, ...args: string[]) {
  sizes = [];
  const tools = Array.from({ length: count }, (_, index) => ({ name: `t${index}`, inputSchema: { type: "object" } }));
  writeFileSync(join(folder, "tools.json"), JSON.stringify({ tools }));
  return callLlmsr(["push", "tools.json", ...args], { cwd: folder, fetch: fetchChangeSet });
}

describe("llmsr push", () => {
  it(`registers ${MAX_PUSHED_TOGETHER} schemas in one transaction, and one more in two`, async () => {
    refusesFrom = Number.POSITIVE_INFINITY;

    await push(MAX_PUSHED_TOGETHER);
    expect(sizes).toEqual([MAX_PUSHED_TOGETHER]);
    const { code, output } = await push(MAX_PUSHED_TOGETHER + 1);

    expect(sizes).toEqual([MAX_PUSHED_TOGETHER, 1]);
    expect([code, output.trimEnd().split("\n").length]).toEqual([0, MAX_PUSHED_TOGETHER + 1]);
  });

  it("prints what is registered when a later transaction is refused", async () => {
    refusesFrom = 2;

    const { code, output, errors } = await push(MAX_PUSHED_TOGETHER + 1);
    const asJson = await push(MAX_PUSHED_TOGETHER + 1, "--json");

    expect(code).toBe(4);
    expect(output.trimEnd().split("\n")).toHaveLength(MAX_PUSHED_TOGETHER);
    expect(output).toMatch(/^registered t0@1\.0\.0 id-t0\n/);
    expect(errors).toContain(`${MAX_PUSHED_TOGETHER} of ${MAX_PUSHED_TOGETHER + 1} schemas are registered`);
    expect(errors).toContain("Not these.");
    expect((JSON.parse(asJson.output) as { changes: unknown[] }).changes).toHaveLength(MAX_PUSHED_TOGETHER);
  });

  it("prints nothing on standard output when the only transaction is refused", async () => {
    refusesFrom = 1;

    expect(await push(1)).toMatchObject({ code: 4, output: "", errors: expect.not.stringContaining("are registered") });
  });
});
