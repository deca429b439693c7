import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callLlmsr } from "./call-llmsr.ts";

const FILES: Record<string, string | Uint8Array> = {
  "order.json": JSON.stringify({ type: "object", properties: { id: { type: "string" } }, required: ["id"] }),
  "order.avsc": JSON.stringify({ type: "record", name: "Order", fields: [{ name: "id", type: "string" }] }),
  "order.proto": 'syntax = "proto3"; message Other { int32 n = 1; } message Order { string id = 1; }',
  "tool.json": JSON.stringify({ name: "f", inputSchema: { type: "object", required: ["id"] } }),
  "referring.json": JSON.stringify({ $ref: "order.json" }),
  "good.json": '{"id":"a"}',
  "bad.json": '{"id":12345678901234567890}',
  "broken.json": '{"id":',
  "many.ndjson": `{"id":"a"}\n\n{"id":1}\n${JSON.stringify({ id: "x".repeat(200_000) })}\n{"id":"last"}`,
  "message.bin": Uint8Array.of(2, 0x61),
};

let folder: string;
const file = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llmsr-validate-"));
  for (const [name, content] of Object.entries(FILES)) writeFileSync(join(folder, name), content);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(...args: string[]): Promise<{ code: number; out: string; errors: string }> {
  const { code, output, errors } = await callLlmsr(["validate", ...args]);
  return { code, out: output, errors };
}

describe("llmsr validate", () => {
  it.each(["order.json", "order.avsc", "tool.json"])("accepts a value of %s", async (schema) => {
    expect(await run(file("good.json"), "--schema", file(schema))).toMatchObject({ code: 0 });
  });

  it("accepts a value of a selected Protobuf message", async () => {
    const args = [file("good.json"), "--schema", file("order.proto")];

    expect((await run(...args, "--message", "Order")).code).toBe(0);
    expect((await run(...args)).code).toBe(1);
  });

  it("reports where an invalid value violates the schema, with numbers as written", async () => {
    const { code, out } = await run(file("bad.json"), "--schema", file("order.json"));

    expect(code).toBe(1);
    expect(out).toContain("/id: Expected a string, got 12345678901234567890. (schema: /properties/id/type)");
  });

  it("follows references to files", async () => {
    const args = [file("bad.json"), "--schema", file("referring.json"), "--ref", `order.json=${file("order.json")}`];

    expect((await run(...args)).out).toContain("order.json#/properties/id/type");
  });

  it("prints JSON, and sentences for a prompt", async () => {
    const { out } = await run(file("bad.json"), "--schema", file("order.json"), "--json", "--sentences");

    expect(JSON.parse(out)).toMatchObject({
      valid: false,
      errors: [{ pointer: "/id" }],
      sentences: ["The value at /id must be a string, but it is 12345678901234567890."],
    });
  });

  it("checks NDJSON line by line, including lines longer than one read", async () => {
    const text = await run(file("many.ndjson"), "--schema", file("order.json"));
    const json = await run(file("many.ndjson"), "--schema", file("order.json"), "--json");

    expect(text.code).toBe(1);
    expect(text.out).toMatch(/many\.ndjson:3\n {2}\/id: .*\n3 of 4 valid\n$/);
    expect(
      json.out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).line),
    ).toEqual([1, 3, 4, 5, undefined]);
  });

  it("checks the bytes of a message", async () => {
    expect((await run(file("message.bin"), "--schema", file("order.avsc"), "--binary")).code).toBe(0);
    expect((await run(file("good.json"), "--schema", file("order.avsc"), "--binary")).code).toBe(1);
  });

  it("distinguishes an invalid value from an invalid schema and a missing file", async () => {
    expect((await run(file("broken.json"), "--schema", file("order.json"))).code).toBe(1);
    expect((await run(file("good.json"), "--schema", file("broken.json"))).code).toBe(2);
    expect((await run(file("none.json"), "--schema", file("order.json"))).code).toBe(2);
    expect((await run(file("good.json"))).code).toBe(2);
  });
});
