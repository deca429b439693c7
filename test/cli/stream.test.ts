import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callLlmsr } from "./call-llmsr.ts";

const FILES: Record<string, string> = {
  "order.json": JSON.stringify({
    type: "object",
    properties: { id: { type: "string", maxLength: 5 }, count: { type: "integer" } },
    required: ["id"],
    additionalProperties: false,
  }),
  "person.json": JSON.stringify({ properties: { order: { $ref: "order.json" } } }),
  "item.avsc": JSON.stringify({ type: "record", name: "Item", fields: [] }),
  "list.avsc": JSON.stringify({ type: "array", items: "Item" }),
};

let folder: string;
const file = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llmsr-stream-"));
  for (const [name, content] of Object.entries(FILES)) writeFileSync(join(folder, name), content);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function* inPieces(text: string, taken: { pieces: number }): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += 3) {
    taken.pieces += 1;
    yield bytes.subarray(at, at + 3);
  }
}

async function stream(text: string) {
  const taken = { pieces: 0 };
  const { code, output } = await callLlmsr(["stream", "--schema", file("order.json"), "--json"], {
    stdinChunks: () => inPieces(text, taken),
  });
  return { code, ...(JSON.parse(output) as { outcome: string; errors: { pointer: string }[] }), ...taken };
}

describe("llmsr stream", () => {
  it.each([
    ['{"id":"äb","count":1}', 0, "valid"],
    ['{"id":"a', 1, "incomplete"],
    ['{"count":1}', 1, "invalid"],
    ['{"id":tru}', 1, "not_json"],
    ["", 1, "incomplete"],
  ])("says of %s, in pieces: exit code %i, %s", async (text, code, outcome) => {
    expect(await stream(text)).toMatchObject({ code, outcome });
  });

  it("stops early once later text cannot correct the beginning", async () => {
    const { outcome, errors, pieces } = await stream(`{"id":"too long to be valid ${"x".repeat(10_000)}"}`);

    expect([outcome, errors[0]!.pointer]).toEqual(["invalid", "/id"]);
    expect(pieces).toBeLessThan(20);
  });

  it("follows references to the files of llmsr.toml, as bundle does", async () => {
    writeFileSync(file("llmsr.toml"), '[subjects]\norder = "order.json"\nitem = "item.avsc"\n');
    const at = { cwd: folder, stdin: '{"order":{"id":1}}' };
    const streamed = await callLlmsr(["stream", "--schema", "person.json"], at);
    writeFileSync(file("data.json"), "[{}]");
    const validated = await callLlmsr(["validate", file("data.json"), "--schema", "list.avsc"], at);
    rmSync(file("llmsr.toml"));

    expect(streamed.output).toMatch(/^invalid .*\n {2}\/order\/id: /);
    expect(validated).toMatchObject({ code: 0, errors: "" });
  });

  it("refuses a schema that is not a JSON Schema", async () => {
    expect(await callLlmsr(["stream", "--schema", file("item.avsc")])).toMatchObject({
      code: 2,
      errors: expect.stringContaining("is avro; a JSON Schema is needed here"),
    });
  });

  it("refuses an answer beyond the limit, a file, and a missing schema", async () => {
    const misplaced = await callLlmsr(["stream", "x.json", "--schema", file("order.json")]);
    const missing = await callLlmsr(["stream"]);

    expect(misplaced.code).toBe(2);
    expect(missing).toMatchObject({ code: 2, errors: expect.stringContaining("requires --schema") });
  });
});

describe("llmsr bundle", () => {
  const bundle = (...args: string[]) => callLlmsr(["bundle", ...args]);

  it("inlines references", async () => {
    const json = await bundle(file("person.json"), "--ref", `order.json=${file("order.json")}`);
    const avro = await bundle(file("list.avsc"), "--ref", `Item=${file("item.avsc")}`);

    expect(json.code).toBe(0);
    expect(JSON.stringify(JSON.parse(json.output))).not.toContain('"order.json"}');
    expect(Object.keys((JSON.parse(json.output) as { $defs: object }).$defs)).toHaveLength(1);
    expect(JSON.parse(avro.output)).toMatchObject({ type: "array", items: { type: "record", name: "Item" } });
  });

  it("refuses what it cannot read", async () => {
    expect(await bundle(file("person.json"))).toMatchObject({ code: 2 });
    expect(await bundle()).toMatchObject({ code: 2 });
  });
});
