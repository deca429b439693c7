import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_COUNTED_VALUES, SketchBuilder } from "../../schema/dataset/build-sketch.ts";
import { MAX_SKETCH_COLUMNS } from "../../schema/dataset/shape.ts";
import { compareSketches, type Sketch, sketchProblem } from "../../schema/dataset/sketch.ts";
import { callLlmsr } from "./call-llmsr.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llmsr-sketch-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(...lines: string[]): string {
  const path = join(folder, "rows.ndjson");
  writeFileSync(path, lines.join("\n"));
  return path;
}

describe("llmsr sketch", () => {
  it("counts nulls, types and values, and needs no server", async () => {
    const { code, output } = await callLlmsr([
      "sketch",
      fileOf(
        '{"text": "a", "stars": 5}',
        '{"text": "a", "stars": 1.5}',
        '{"text": null, "stars": 5}',
        "",
        '{"stars": 3}',
      ),
    ]);

    expect(code).toBe(0);
    expect(JSON.parse(output)).toEqual({
      rows: 4,
      columns: {
        text: { nulls: 2, types: { string: 2 }, top: [{ value: "a", count: 2 }] },
        stars: {
          nulls: 0,
          types: { integer: 3, number: 1 },
          quantiles: expect.any(Array),
          top: [
            { value: 5, count: 2 },
            { value: 1.5, count: 1 },
            { value: 3, count: 1 },
          ],
        },
      },
    });
  });

  it.each([
    ["a row that is not JSON", ['{"a": 1}', "{"], ":2:"],
    ["a row that is not an object", ["[1]"], ":1: a row is a JSON object"],
  ])("refuses %s with its line", async (_, lines, place) => {
    const { code, errors } = await callLlmsr(["sketch", fileOf(...lines)]);

    expect(code).toBe(2);
    expect(errors).toContain(place);
  });

  it("refuses a file that is not there, and none", async () => {
    expect((await callLlmsr(["sketch", join(folder, "none")])).code).toBe(2);
    expect((await callLlmsr(["sketch"])).code).toBe(2);
  });

  it.each([
    [["--against", "reviews@production"], "/datasets/reviews/drift?version=production"],
    [["--against", "reviews"], "/datasets/reviews/drift"],
    [["--against", "reviews@2", "--context", "prod"], "/datasets/%3A.prod%3Areviews/drift?version=2"],
    [["--against", ":.test:reviews", "--context", "prod"], "/datasets/%3A.test%3Areviews/drift"],
  ])("compares with the subject of the context: %j", async (args, asked) => {
    const calls: string[] = [];
    const fetch = async (input: string | URL | Request) => {
      calls.push(String(input));
      return Response.json({ drift: "strong", columns: [], proposed_row: null });
    };

    const { code, output } = await callLlmsr(["sketch", fileOf('{"a": 1}'), ...args], { fetch });

    expect({ code, output }).toEqual({ code: 1, output: "strong\n" });
    expect(calls).toEqual([`http://localhost:8080/api/v1${asked}`]);
  });

  it("refuses a folder", async () => {
    expect(await callLlmsr(["sketch", folder])).toMatchObject({
      code: 2,
      errors: expect.stringContaining(`${folder} is a folder`),
    });
  });
});

describe("a built sketch", () => {
  const built = (rows: Iterable<Record<string, unknown>>): Sketch => {
    const builder = new SketchBuilder();
    for (const row of rows) builder.add(row);
    return builder.finish();
  };
  const numbers = (count: number, shift = 0) => Array.from({ length: count }, (_, i) => ({ n: i + shift }));

  it("is possible, and close to the data whatever their number", () => {
    const sketch = built(numbers(50_000));

    expect(sketchProblem(sketch)).toBeUndefined();
    expect(sketch.columns.n).toMatchObject({ nulls: 0, types: { integer: 50_000 } });
    const { quantiles } = sketch.columns.n!;
    expect(quantiles!.at(0)).toBe(0);
    expect(quantiles!.at(-1)).toBe(49_999);
    expect(Math.abs(quantiles!.at(10)! - 25_000)).toBeLessThan(1_500);
  });

  it("does not drift from more rows of the same kind, and drifts from others", () => {
    const before = built(numbers(20_000));

    expect(compareSketches(before, built(numbers(20_000)))[0]!.drift).toBe("none");
    expect(compareSketches(before, built(numbers(20_000, 9_000)))[0]!.drift).toBe("strong");
  });

  it("lists the commonest values up to a bound of different ones, and no part of them beyond it", () => {
    const texts = (count: number) => Array.from({ length: count }, (_, i) => ({ t: `v${i}` }));

    expect(built(texts(MAX_COUNTED_VALUES)).columns.t!.top).toHaveLength(100);
    expect(built(texts(MAX_COUNTED_VALUES + 1)).columns.t).not.toHaveProperty("top");
  });

  it("has a bounded number of columns", () => {
    const row = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`c${i}`, 1]));

    expect(new SketchBuilder().add(row(MAX_SKETCH_COLUMNS))).toBe(true);
    expect(new SketchBuilder().add(row(MAX_SKETCH_COLUMNS + 1))).toBe(false);
  });
});
