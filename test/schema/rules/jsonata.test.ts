import { describe, expect, it } from "vitest";
import {
  evaluateJsonata,
  MAX_JSONATA_CHARACTERS,
  MAX_JSONATA_DEPTH,
  MAX_JSONATA_RESULT,
  MAX_JSONATA_STEPS,
  MAX_PADDED_CHARACTERS,
} from "../../../schema/rules/jsonata.ts";

describe("evaluateJsonata", () => {
  it(`evaluates an expression of ${MAX_JSONATA_CHARACTERS} characters and refuses a longer one`, async () => {
    const literal = (characters: number) => `"${"x".repeat(characters - 2)}"`;

    expect((await evaluateJsonata(literal(MAX_JSONATA_CHARACTERS), null)).ok).toBe(true);
    expect(await evaluateJsonata(literal(MAX_JSONATA_CHARACTERS + 1), null)).toMatchObject({
      ok: false,
      refusal: expect.stringContaining("characters"),
    });
  });

  it(`takes ${MAX_JSONATA_STEPS} steps and stops after them`, async () => {
    // The path and its first step, then a block and its number for each item.
    const stepping = (items: number) => evaluateJsonata("items.(1)", { items: Array(items).fill(0) });

    expect((await stepping(MAX_JSONATA_STEPS / 2 - 1)).ok).toBe(true);
    expect(await stepping(MAX_JSONATA_STEPS / 2)).toMatchObject({
      ok: false,
      refusal: expect.stringContaining("steps"),
    });
  });

  it("finds distinct values of a long list in linear time", async () => {
    const items = Array.from({ length: 100_000 }, (_, index) => ({ at: index % 50_000, of: [index % 50_000] }));

    expect(await evaluateJsonata("$count($distinct(items))", { items })).toEqual({ ok: true, value: 50_000 });
    expect(await evaluateJsonata("$distinct([1, 1.0, '1', {'a': 1, 'b': 2}, {'b': 2, 'a': 1}])", null)).toEqual({
      ok: true,
      value: [1, "1", { a: 1, b: 2 }],
    });
    expect(await evaluateJsonata("$distinct('text')", null)).toEqual({ ok: true, value: "text" });
  });

  it(`evaluates ${MAX_JSONATA_DEPTH} levels and refuses a deeper expression`, async () => {
    const nested = (blocks: number) => evaluateJsonata(`${"(".repeat(blocks)}1${")".repeat(blocks)}`, null);

    expect(await nested(MAX_JSONATA_DEPTH - 1)).toEqual({ ok: true, value: 1 });
    expect(await nested(MAX_JSONATA_DEPTH)).toMatchObject({ ok: false, refusal: expect.stringContaining("deeper") });
  });

  it(`returns texts of up to ${MAX_JSONATA_RESULT} characters`, async () => {
    const appended = (characters: number) => evaluateJsonata('s & "x"', { s: "y".repeat(characters - 1) });

    expect((await appended(MAX_JSONATA_RESULT)).ok).toBe(true);
    expect(await appended(MAX_JSONATA_RESULT + 1)).toMatchObject({
      ok: false,
      refusal: expect.stringContaining("grows"),
    });
  });

  it(`pads to at most ${MAX_PADDED_CHARACTERS} characters`, async () => {
    const padded = (width: number) => evaluateJsonata("$length($pad('a', width))", { width });

    expect(await padded(MAX_PADDED_CHARACTERS)).toEqual({ ok: true, value: MAX_PADDED_CHARACTERS });
    expect(await padded(-MAX_PADDED_CHARACTERS - 1)).toEqual({ ok: true, value: MAX_PADDED_CHARACTERS });
  });
});
