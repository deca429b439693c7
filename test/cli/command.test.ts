import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callLlmsr } from "./call-llmsr.ts";

let folder: string;
const file = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llmsr-command-"));
  mkdirSync(file(".git"));
  writeFileSync(file("user.json"), '{"type":"object"}');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A registry of one schema. */
async function fetchRecord(): Promise<Response> {
  const record = { context: ".", subject: "a", content: "{}", format: "json-schema", version: "1.0.0", references: [] };
  return Response.json(record);
}

const llmsr = (args: readonly string[], shell: Parameters<typeof callLlmsr>[1] = {}) =>
  callLlmsr(args, { cwd: folder, fetch: fetchRecord, ...shell });

const LINE = { subject: "a", context: ".", content: "{}", references: [], tags: [], metadata: {} };

describe("a command that fails unexpectedly", () => {
  it.each([
    ["types into a folder that is a file", ["types", "user.json", "--language", "python", "-o", "user.json"]],
    ["pull into a folder that is a file", ["pull", "a", "-o", "user.json"]],
  ])("exits with 2 and the system's reason for %s", async (_, args) => {
    const { code, output, errors } = await llmsr(args);

    expect([code, output]).toEqual([2, ""]);
    expect(errors).toMatch(/^llmsr: E[A-Z]+: .*user\.json.*\n$/);
  });

  it("exits with 2, not with the 1 of an answer, and says how to report a defect", async () => {
    const stdinChunks = () => {
      throw new TypeError("chunks is not a function");
    };

    const { code, errors } = await llmsr(["stream", "--schema", "user.json"], { stdinChunks });

    expect(code).toBe(2);
    expect(errors).toMatch(/^llmsr: internal error: chunks is not a function\nThis is a defect of llmsr \d.*report it/);
  });

  it("exits with 130 if it was interrupted, whichever call that aborts", async () => {
    const { code, errors } = await llmsr(["sketch", "/nowhere"], { signal: AbortSignal.abort() });

    expect([code, errors]).toEqual([130, "llmsr: interrupted\n"]);
  });
});

describe("a command whose output is no longer read", () => {
  const closed = () => {
    const reader = new AbortController();
    return { outputClosed: reader.signal, print: () => reader.abort() };
  };
  const event = (seq: number) => `id: ${seq}\ndata: ${JSON.stringify({ type: "t", time: "now", data: { seq } })}\n\n`;
  const fetch = async (input: string | URL | Request) => {
    if (!String(input).includes("/events")) return Response.json({ items: [LINE], next_cursor: "more" });
    return new Response(event(1) + event(2), { headers: { "Content-Type": "text/event-stream" } });
  };

  it.each([["export"], ["watch"]])("stops with 141 instead of printing further output (%s)", async (command) => {
    expect(await llmsr([command], { fetch, ...closed() })).toMatchObject({ code: 141, errors: "" });
  });

  it("keeps its own exit code if its output is short", async () => {
    writeFileSync(file("five.json"), "5");

    expect((await llmsr(["validate", file("five.json"), "--schema", file("user.json")], closed())).code).toBe(1);
  });

  it("does not count a change as seen if it was not read", async () => {
    await llmsr(["watch", "--state", "seen"], { fetch, ...closed() });

    expect(existsSync(file("seen"))).toBe(false);
  });
});

describe("llmsr import FILE", () => {
  it.each([
    ["no references", { ...LINE, references: undefined }],
    ["references without a subject", { ...LINE, references: [{}] }],
    ["references that are not objects", { ...LINE, references: [null] }],
    ["no tags", { ...LINE, tags: undefined }],
    ["tags that are not a list", { ...LINE, tags: "a" }],
    ["no metadata", { ...LINE, metadata: undefined }],
    ["metadata that is null", { ...LINE, metadata: null }],
    ["no context", { ...LINE, context: undefined }],
    ["no content", { ...LINE, content: undefined }],
    ["null", null],
  ])("refuses a line with %s by its number, and registers nothing", async (_, line) => {
    let asked = 0;
    const fetch = () => {
      asked += 1;
      return fetchRecord();
    };

    const stdin = `${JSON.stringify(LINE)}\n${JSON.stringify(line)}\n`;
    const { code, errors } = await llmsr(["import", "-"], { fetch, stdin });

    expect([code, asked]).toEqual([2, 0]);
    expect(errors).toContain("-:2: this is not a line of `llmsr export`");
  });
});
