import { describe, expect, it } from "vitest";
import { MAX_DECIMAL_DIGITS } from "../../../schema/json/compare/decimal.ts";
import { readAnswerText } from "../../../schema/projection/answer-text.ts";
import {
  MAX_ALTERNATIVES,
  MAX_ANSWER_CHARACTERS,
  MAX_ANSWER_DEPTH,
  MAX_BUNDLED_SCHEMAS,
  MAX_COMBINING_STEPS,
  MAX_DRAFTED_SCHEMAS,
  MAX_EXCLUSION_STEPS,
  MAX_MOVED_CHARACTERS,
  MAX_NESTED_READS,
  MAX_PROJECTED_SCHEMAS,
  ProjectionMeter,
} from "../../../schema/projection/bounds.ts";
import { projectBundle } from "../../../schema/projection/bundle.ts";
import { decodeAnswer } from "../../../schema/projection/decode-answer.ts";
import { projectSchema } from "../../../schema/projection/project.ts";
import { closed, modelOf, profileOf, projectionOf } from "./given.ts";

const range = (length: number) => Array.from({ length }, (_, index) => index);
const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

describe("projectSchema", () => {
  it(`reads and intersects ${MAX_DRAFTED_SCHEMAS} schemas, and not one more`, () => {
    const meter = new ProjectionMeter();
    for (const _ of range(MAX_DRAFTED_SCHEMAS)) meter.draft("");

    expect(() => meter.draft("/allOf/1")).toThrow(`More than ${MAX_DRAFTED_SCHEMAS} schemas result`);
  });

  it("refuses a schema whose shared parts multiply beyond that", () => {
    const shared = { properties: Object.fromEntries(range(1_700).map((n) => [`p${n}`, { type: "string" }])) };
    const anyOf = range(MAX_ALTERNATIVES).map((n) => ({
      allOf: [{ $ref: "#/$defs/shared" }, { required: [`p${n}`] }],
    }));
    const model = modelOf({ ...shared, type: "object", anyOf, $defs: { shared } });

    expect(projectSchema(model, profileOf("openai-strict"))).toMatchObject({
      ok: false,
      refusal: { reason: "too_complex", problems: [{ message: expect.stringContaining("schemas result") }] },
    });
  });

  it(`takes ${MAX_COMBINING_STEPS} steps of combining, and not one more`, () => {
    const meter = new ProjectionMeter();
    meter.combine("", MAX_COMBINING_STEPS);

    expect(() => meter.combine("/allOf/1", 1)).toThrow(`more than ${MAX_COMBINING_STEPS} steps`);
  });

  it.each<[string, object]>([
    ["parts of an allOf", { allOf: range(10_000).map((n) => ({ not: { const: n } })) }],
    [
      "values, each validated by many parts",
      { enum: range(20_000), allOf: range(2_000).map((n) => ({ minimum: -n })) },
    ],
    [
      "alternatives that repeat a long condition",
      { not: { enum: range(15_000) }, type: "object", anyOf: range(3_000).map((n) => ({ required: [`p${n}`] })) },
    ],
    [
      "names held against a pattern",
      {
        type: "object",
        properties: Object.fromEntries(range(9_000).map((n) => ["x".repeat(60) + n, { type: "string" }])),
        patternProperties: { "^(x+x+)+y$": { minLength: 2 } },
      },
    ],
    [
      "references that lead through others",
      {
        type: "object",
        properties: Object.fromEntries(range(2_000).map((n) => [`p${n}`, { $ref: `#/$defs/d${n}` }])),
        $defs: Object.fromEntries(
          range(5_000).map((n) => [`d${n}`, n === 4_999 ? { type: "string" } : { $ref: `#/$defs/d${n + 1}` }]),
        ),
      },
    ],
  ])("refuses a schema of many %s, whose projection would take quadratic time", (_, schema) => {
    expect(projectSchema(modelOf(schema), profileOf("gemini-response-schema"))).toMatchObject({
      ok: false,
      refusal: { reason: "too_complex", problems: [{ message: expect.stringContaining("steps") }] },
    });
  });

  it(`merges references through ${MAX_NESTED_READS} schemas, and refuses more`, () => {
    const merged = (count: number) => {
      const definition = (n: number) => ({
        type: "object",
        ...(n < count - 1 && { allOf: [{ $ref: `#/$defs/d${n + 1}` }] }),
      });
      const $defs = Object.fromEntries(range(count).map((n) => [`d${n}`, definition(n)]));
      return projectSchema(modelOf({ $ref: "#/$defs/d0", $defs }), profileOf("mcp"));
    };

    expect(merged(MAX_NESTED_READS).ok).toBe(true);
    expect(merged(MAX_NESTED_READS + 1)).toMatchObject({
      ok: false,
      refusal: { reason: "too_complex", problems: [{ message: expect.stringContaining("lead through more than") }] },
    });
  });

  it("tells thousands of alternatives apart by their tags", () => {
    const tagged = (tagOf: (n: number) => object) => ({
      oneOf: range(2_000).map((n) => ({ type: "object", required: ["tag"], properties: { tag: tagOf(n) } })),
    });
    const lossOf = (schema: object) =>
      projectionOf(schema, "gemini-json-schema").changes.find(({ kind }) => kind === "one_of_as_any_of")?.loss;

    expect(lossOf(tagged((n) => ({ const: n })))).toBe("lossless");
    expect(lossOf(tagged((n) => ({ const: n % 1_999 })))).toBe("checked_after");
    expect(lossOf({ oneOf: range(100).map((n) => ({ enum: range(100).map((m) => n * 100 + m) })) })).toBe("lossless");
  });

  it(`assumes that alternatives overlap if telling them apart takes more than ${MAX_EXCLUSION_STEPS} steps`, () => {
    // They share one tag and differ in the other, so every pair is compared.
    const lossOf = (count: number) => {
      const oneOf = range(count).map((n) => ({
        type: "object",
        required: ["shared", "own"],
        properties: { shared: { const: 0 }, own: { const: n } },
      }));
      return projectionOf({ oneOf }, "gemini-json-schema").changes.find(({ kind }) => kind === "one_of_as_any_of")
        ?.loss;
    };

    expect(lossOf(150)).toBe("lossless");
    expect(lossOf(300)).toBe("checked_after");
  });

  it("finds the definitions that a decoder needs in a chain of thousands", () => {
    const $defs = Object.fromEntries(
      range(3_000).map((n) => [
        `d${n}`,
        n < 2_999
          ? { type: "object", required: ["next"], properties: { next: { $ref: `#/$defs/d${n + 1}` } } }
          : { type: "object", additionalProperties: { type: "string" } },
      ]),
    );
    const { decoder } = projectionOf({ $ref: "#/$defs/d0", $defs }, "openai-strict");

    expect(Object.keys(decoder.definitions ?? {}).length).toBeGreaterThan(2_990);
  });

  it(`projects a schema of ${MAX_PROJECTED_SCHEMAS} schemas and refuses a larger one`, () => {
    const withProperties = (count: number) =>
      projectSchema(
        modelOf({ type: "object", properties: Object.fromEntries(range(count).map((n) => [`p${n}`, {}])) }),
        profileOf("mcp"),
      );

    // The object is a schema too.
    expect(withProperties(MAX_PROJECTED_SCHEMAS - 1).ok).toBe(true);
    expect(withProperties(MAX_PROJECTED_SCHEMAS)).toMatchObject({
      ok: false,
      refusal: { reason: "too_complex", problems: [{ pointer: `/properties/p${MAX_PROJECTED_SCHEMAS - 1}` }] },
    });
  });

  it.each(["openai-strict", "anthropic-strict", "gemini-response-schema", "mcp", "vllm"])(
    "follows definitions that refer to each other, however many, for %s",
    (profile) => {
      const definitions = range(3_000).map((n) => [
        `d${n}`,
        { type: "object", properties: { next: { $ref: `#/$defs/d${n + 1}` }, value: { type: "string" } } },
      ]);
      const project = (last: object) =>
        projectSchema(
          modelOf({ $defs: { ...Object.fromEntries(definitions), d3000: last }, $ref: "#/$defs/d0" }),
          profileOf(profile),
        );

      const [circle, chain] = [project({ $ref: "#/$defs/d0" }), project({ type: "string" })];

      for (const projected of [circle, chain]) {
        if (profile === "mcp") expect(projected.ok).toBe(true);
        else if (!projected.ok) expect(projected.refusal.problems[0]!.message).toMatch(/./);
      }
    },
  );

  it(`multiplies alternatives out up to ${MAX_ALTERNATIVES} and checks the rest after decoding`, () => {
    const having = (letter: string, count: number) =>
      range(count).map((n) => ({ properties: { [`${letter}${n}`]: { type: "string" } }, required: [`${letter}${n}`] }));
    const projected = (count: number) =>
      projectionOf({ type: "object", allOf: [{ anyOf: having("a", 8) }, { anyOf: having("b", count) }] }, "vllm");

    expect(projected(MAX_ALTERNATIVES / 8).changes.map(({ kind }) => kind)).not.toContain("dropped");
    expect(projected(MAX_ALTERNATIVES / 8 + 1).changes).toContainEqual(
      expect.objectContaining({ kind: "dropped", pointer: "/allOf/1/anyOf", loss: "checked_after" }),
    );
  });

  it(`moves ${MAX_MOVED_CHARACTERS} characters of a default to the description and omits more`, () => {
    const changed = (characters: number) => {
      const value = "x".repeat(characters - '""'.length);
      return projectionOf(closed({ a: { type: "string", default: value } }), "openai-strict").changes;
    };

    expect(changed(MAX_MOVED_CHARACTERS)).toMatchObject([{ kind: "moved_to_description" }]);
    expect(changed(MAX_MOVED_CHARACTERS + 1)).toMatchObject([{ kind: "dropped" }]);
  });
});

describe("projectBundle", () => {
  it(`accepts ${MAX_BUNDLED_SCHEMAS} schemas and refuses more`, () => {
    const model = modelOf(closed({ a: { type: "string" } }));
    const bundle = (count: number) =>
      projectBundle(
        range(count).map((n) => ({ name: `tool_${n}`, model })),
        profileOf("openai-strict"),
      );

    expect(bundle(MAX_BUNDLED_SCHEMAS).ok).toBe(true);
    expect(bundle(MAX_BUNDLED_SCHEMAS + 1)).toMatchObject({ ok: false, refusal: { reason: "too_many" } });
  });
});

describe("bounds of numbers that must both hold", () => {
  // The digits differ in the last position, which doubles cannot represent.
  const bounds = (digits: number, last: number) => `1.${"0".repeat(digits - 2)}${last}`;
  const project = (digits: number) =>
    projectSchema(
      modelOf(`{"type":"number","allOf":[{"minimum":${bounds(digits, 1)}},{"minimum":${bounds(digits, 2)}}]}`),
      profileOf("mcp"),
    );

  it(`are merged up to ${MAX_DECIMAL_DIGITS} digits; of longer ones, the second is checked after decoding`, () => {
    const wrapped = { kind: "wrapped_root" };
    const dropped = { kind: "dropped", pointer: "/allOf/1/minimum", loss: "checked_after" };

    expect(project(MAX_DECIMAL_DIGITS)).toMatchObject({ ok: true, value: { changes: [wrapped] } });
    expect(project(MAX_DECIMAL_DIGITS + 1)).toMatchObject({ ok: true, value: { changes: [dropped, wrapped] } });
  });
});

describe("an answer", () => {
  it(`of ${MAX_ANSWER_CHARACTERS} characters is read, a longer one is too large`, () => {
    const answer = (characters: number) => readAnswerText(`"${"x".repeat(characters - 2)}"`);

    expect(answer(MAX_ANSWER_CHARACTERS).ok).toBe(true);
    expect(answer(MAX_ANSWER_CHARACTERS + 1)).toMatchObject({ ok: false, refusal: { reason: "too_large" } });
  });

  it(`nested ${MAX_ANSWER_DEPTH} levels deep is read, a deeper one is too large, as text or as a value`, () => {
    const registered = modelOf({});
    const target = { registered, projection: projectionOf({}, "mcp") };
    const asValue = (levels: number) => {
      const args = JSON.parse(nested(levels)) as unknown;
      return decodeAnswer(target, {
        api: "value",
        end: "whole",
        endReason: null,
        parts: [{ part: "call", name: "", id: null, arguments: args }],
      });
    };

    expect(readAnswerText(nested(MAX_ANSWER_DEPTH)).ok).toBe(true);
    expect(readAnswerText(nested(MAX_ANSWER_DEPTH + 1))).toMatchObject({ refusal: { reason: "too_large" } });
    expect(asValue(MAX_ANSWER_DEPTH)).toMatchObject([{ outcome: "valid" }]);
    expect(asValue(MAX_ANSWER_DEPTH + 1)).toMatchObject([{ outcome: "too_large" }]);
  });
});
