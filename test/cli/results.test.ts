import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { callLlmsr } from "./call-llmsr.ts";

const COMPARABLE = {
  verdict: "comparable",
  claimed_task_version: { before: "1", after: "2" },
  metrics: [
    {
      evaluation: "support",
      metric: "accuracy",
      verdict: "comparable",
      reasons: [],
      before: { score: 0.8, standard_error: null, samples: null },
      after: { score: 0.9, standard_error: null, samples: null },
      change: { by: 0.1, is_better: true },
    },
  ],
};
const reasons = [{ verdict: "not_comparable", rule: "SHOTS_CHANGED", message: "Models see \u001b[31m5 examples." }];
const [METRIC] = COMPARABLE.metrics;
const APART = {
  verdict: "not_comparable",
  claimed_task_version: { before: null, after: null },
  metrics: [{ ...METRIC, verdict: "not_comparable", reasons, after: null, change: null }],
};

/** A registry with one prepared answer, which records the requests. */
let server: Server;
let url: string;
let folder: string;
let asked: unknown[] = [];
let answer: unknown;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "llmsr-results-"));
  for (const day of ["monday", "tuesday"]) writeFileSync(join(folder, `${day}.json`), `{"evaluation_id": "${day}"}`);
  writeFileSync(join(folder, "broken.json"), "{");
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    asked.push([`${request.method} ${request.url}`, JSON.parse(body)]);
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  asked = [];
});

const results = (...args: string[]) => callLlmsr(["results", ...args, "--url", url], { cwd: folder });

describe("llmsr results", () => {
  it("sends both records and the versions that they are of", async () => {
    answer = COMPARABLE;

    const versions = ["--evaluation", "support", "--before", "1", "--after", "production", "--context", ".qa"];
    const { code, output } = await results("monday.json", "tuesday.json", ...versions);

    expect(code).toBe(0);
    expect(output).toContain("accuracy  0.8 → 0.9");
    expect(output).toContain("version 1 and 2, which proves nothing");
    expect(asked).toEqual([
      [
        "POST /api/v1/evaluations/compare-results",
        {
          before: { evaluation_id: "monday" },
          after: { evaluation_id: "tuesday" },
          evaluation: { subject: ":.qa:support", before: "1", after: "production" },
        },
      ],
    ]);
  });

  it("ends with 1 and the reasons if a metric is not comparable, and moves no terminal", async () => {
    answer = APART;

    const { code, output } = await results("monday.json", "tuesday.json");

    expect(code).toBe(1);
    expect(output).toContain("not comparable");
    expect(output).toContain("0.8 → -");
    expect(output).toContain("5 examples.");
    expect(output).not.toContain("\u001b");
  });

  it("prints the answer as JSON", async () => {
    answer = APART;

    expect(JSON.parse((await results("monday.json", "tuesday.json", "--json")).output)).toEqual(APART);
  });

  it.each([
    ["one file", ["monday.json"], "two files"],
    ["a file that is not there", ["monday.json", "none.json"], "none.json"],
    ["a file that is not JSON", ["monday.json", "broken.json"], "broken.json: the record is not JSON"],
    ["versions of no evaluation", ["monday.json", "tuesday.json", "--before", "1"], "together"],
    [
      "an evaluation without a version",
      ["monday.json", "tuesday.json", "--evaluation", "e", "--before", "1"],
      "together",
    ],
  ])("refuses %s without asking", async (_, args, message) => {
    const { code, errors } = await results(...args);

    expect(code).toBe(2);
    expect(errors).toContain(message);
    expect(asked).toEqual([]);
  });
});
