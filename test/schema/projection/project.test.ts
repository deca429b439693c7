import { describe, expect, it } from "vitest";
import { toPlainValue } from "../../../schema/json-text.ts";
import { MAX_PROJECTED_BYTES, MAX_PROJECTED_DEPTH, MAX_REPORTED_CHANGES } from "../../../schema/projection/bounds.ts";
import { projectBundle } from "../../../schema/projection/bundle.ts";
import { lintSchema } from "../../../schema/projection/lint.ts";
import { summarisePortability } from "../../../schema/projection/portability.ts";
import { PROFILE_NAMES } from "../../../schema/projection/profile.ts";
import { PROFILES, profileNamed } from "../../../schema/projection/profiles.ts";
import { projectSchema } from "../../../schema/projection/project.ts";
import { requestFragment } from "../../../schema/projection/request-fragment.ts";
import { closed, modelOf, profileOf, projectionOf } from "./given.ts";

describe("profileNamed", () => {
  it("resolves a bare name to the newest profile, and a dated name to itself", () => {
    expect(profileNamed("openai-strict")).toMatchObject({ ok: true, value: { date: "2026-11" } });
    expect(profileNamed("azure-openai@2025-12")).toMatchObject({ ok: true, value: { name: "azure-openai" } });
    expect(profileNamed("gemini")).toMatchObject({ ok: true, value: { name: "gemini-json-schema" } });
  });

  it.each(["nobody", "openai-strict@1999-01", "", "constructor", "__proto__"])(
    "refuses %j and lists the existing names",
    (name) => {
      expect(profileNamed(name)).toMatchObject({
        ok: false,
        refusal: { message: expect.stringContaining("openai-strict") },
      });
    },
  );

  it("has every name, and a source for each limit", () => {
    expect(new Set(PROFILES.map(({ name }) => name))).toEqual(new Set(PROFILE_NAMES));
    const limits = PROFILES.flatMap((profile) =>
      Object.entries({ ...profile, ...profile.keywords, ...profile.budgets, ...profile.budgets.request }),
    );
    for (const [, limit] of limits) {
      if (typeof limit === "object" && "value" in limit) {
        expect(limit).toMatchObject({ confidence: expect.any(String), source: expect.stringMatching(/\S/) });
      }
    }
  });
});

describe("projectSchema", () => {
  it("keeps the order of properties, even of integer-like names", () => {
    const { schema } = projectionOf(
      '{"type":"object","properties":{"b":{"type":"string"},"2":{"type":"string"},"1":{"type":"string"},"a":{"type":"string"}}}',
      "openai-strict",
    );

    const properties = schema.type === "object" ? schema.members.get("properties") : undefined;
    expect(properties?.type === "object" && [...properties.members.keys()]).toEqual(["b", "2", "1", "a"]);
  });

  it("copies the contents of registered references into the schema", () => {
    const model = modelOf(
      {
        type: "object",
        properties: { a: { $ref: "address.json#/$defs/Zip" } },
        required: ["a"],
        additionalProperties: false,
      },
      { "address.json": { $defs: { Zip: { type: "string" } } } },
    );

    const projected = projectSchema(model, profileOf("openai-strict"));

    expect(projected).toMatchObject({ ok: true, value: { loss: "lossless" } });
    expect(projected.ok && toPlainValue(projected.value.schema)).toMatchObject({
      properties: { a: { $ref: "#/$defs/Zip" } },
      $defs: { Zip: { type: "string" } },
    });
  });

  it("refuses a schema that allows no value", () => {
    expect(projectSchema(modelOf(false), profileOf("mcp"))).toMatchObject({
      ok: false,
      refusal: { reason: "impossible" },
    });
    const contradiction = closed({ a: { allOf: [{ type: "string" }, { type: "integer" }] } });
    expect(projectSchema(modelOf(contradiction), profileOf("openai-strict"))).toMatchObject({
      ok: false,
      refusal: { reason: "impossible" },
    });
  });

  it("moves parts that are too deep for the provider into definitions", () => {
    const deep = (levels: number): object => (levels === 0 ? { type: "string" } : closed({ a: deep(levels - 1) }));

    expect(projectionOf(deep(10), "openai-strict").loss).toBeNull();
    const { loss, measure } = projectionOf(deep(25), "openai-strict");
    expect(loss).toBe("lossless");
    expect(measure.depth).toBeLessThanOrEqual(10);
  });

  it("accepts as many properties as the provider does, and no more", () => {
    const many = (count: number) =>
      modelOf(
        closed(Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, { type: "string" }]))),
      );

    expect(projectSchema(many(100), profileOf("azure-openai")).ok).toBe(true);
    expect(projectSchema(many(101), profileOf("azure-openai"))).toMatchObject({
      ok: false,
      refusal: { reason: "impossible" },
    });
  });

  it("checks a list of values that is too long for the provider afterwards", () => {
    const list = (count: number) =>
      closed({ a: { type: "string", enum: Array.from({ length: count }, (_, index) => `v${index}`) } });

    expect(projectionOf(list(1_000), "openai-strict").loss).toBeNull();
    expect(projectionOf(list(1_001), "openai-strict").loss).toBe("checked_after");
  });

  it("spends the sum of maxItems, and checks the excess after decoding", () => {
    const arrays = (most: number) => closed({ a: { type: "array", items: { type: "string" }, maxItems: most } });

    expect(projectionOf(arrays(960), "gemini").loss).toBeNull();
    expect(projectionOf(arrays(961), "gemini").loss).toBe("checked_after");
  });

  it.each([24, 40])("rewrites %i optional properties of which sixteen may be null", (count) => {
    const properties = Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`p${index}`, { type: "string" }]),
    );
    const { loss, measure } = projectionOf(closed(properties, []), "anthropic-strict");

    expect(measure).toMatchObject({ optionalProperties: 24, unions: count - 24 });
    expect(loss).toBe(count === 24 ? null : "lossless");
  });

  it("refuses one more", () => {
    const properties = Object.fromEntries(Array.from({ length: 41 }, (_, index) => [`p${index}`, { type: "string" }]));

    expect(projectSchema(modelOf(closed(properties, [])), profileOf("anthropic-strict"))).toMatchObject({
      ok: false,
      refusal: { reason: "impossible" },
    });
  });
});

describe("the bounds of projectSchema", () => {
  const nested = (levels: number): object =>
    levels === 0 ? { type: "string" } : { type: "array", items: nested(levels - 1) };

  it(`projects ${MAX_PROJECTED_DEPTH} levels and refuses more`, () => {
    const within = { anyOf: [nested(MAX_PROJECTED_DEPTH - 1)] };

    expect(projectSchema(modelOf(within), profileOf("vllm")).ok).toBe(true);
    expect(projectSchema(modelOf({ anyOf: [nested(MAX_PROJECTED_DEPTH)] }), profileOf("vllm"))).toMatchObject({
      ok: false,
      refusal: { reason: "too_complex" },
    });
  });

  it(`refuses more than ${MAX_PROJECTED_BYTES} bytes`, () => {
    const described = (bytes: number) => modelOf({ type: "object", description: "x".repeat(bytes) });
    const rest = '{"type":"object","description":""}'.length;

    expect(projectSchema(described(MAX_PROJECTED_BYTES - rest), profileOf("mcp")).ok).toBe(true);
    expect(projectSchema(described(MAX_PROJECTED_BYTES - rest + 1), profileOf("mcp"))).toMatchObject({
      ok: false,
      refusal: { reason: "too_complex" },
    });
  });

  it("terminates if allOf and references multiply without limit", () => {
    const levels = Array.from({ length: 40 }, (_, index) => [
      `L${index}`,
      {
        allOf: [
          { $ref: `#/$defs/L${index + 1}` },
          { properties: { [`a${index}`]: { $ref: `#/$defs/L${index + 1}` } } },
        ],
      },
    ]);
    const schema = { $ref: "#/$defs/L0", $defs: { ...Object.fromEntries(levels), L40: { type: "object" } } };

    for (const profile of PROFILES) expect(projectSchema(modelOf(schema), profile)).toHaveProperty("ok");
  });

  it.each([
    [
      "references that lead to each other",
      { $ref: "#/$defs/A", $defs: { A: { $ref: "#/$defs/B" }, B: { $ref: "#/$defs/A" } } },
    ],
    [
      "a schema that is part of itself",
      { $ref: "#/$defs/A", $defs: { A: { allOf: [{ $ref: "#/$defs/A" }, { type: "object" }] } } },
    ],
    [
      "mutual recursion through many branches",
      {
        $ref: "#/$defs/A",
        $defs: {
          A: {
            type: "object",
            properties: Object.fromEntries(
              Array.from({ length: 12 }, (_, index) => [`p${index}`, { $ref: "#/$defs/A" }]),
            ),
          },
        },
      },
    ],
    [
      "alternatives of alternatives",
      {
        allOf: Array.from({ length: 12 }, (_, index) => ({
          anyOf: [{ required: [`a${index}`] }, { required: [`b${index}`] }],
        })),
      },
    ],
  ])("terminates for %s", (_, schema) => {
    for (const profile of PROFILES) expect(projectSchema(modelOf(schema), profile)).toHaveProperty("ok");
  });

  it(`reports ${MAX_REPORTED_CHANGES} changes and counts the rest`, () => {
    const properties = Object.fromEntries(
      Array.from({ length: MAX_REPORTED_CHANGES + 10 }, (_, index) => [`p${index}`, { type: "string" }]),
    );
    const { changes, changesTotal } = projectionOf(closed(properties, []), "openai-strict");

    expect(changes).toHaveLength(MAX_REPORTED_CHANGES);
    expect(changesTotal).toBe(MAX_REPORTED_CHANGES + 10);
  });
});

describe("lintSchema", () => {
  it("gives four kinds of verdicts, each finding with location and fix", () => {
    const verdicts = (schema: unknown) =>
      summarisePortability(lintSchema(modelOf(schema), ["openai", "anthropic", "mcp"].map(profileOf)));

    expect(verdicts(closed({ a: { type: "string" } }))).toEqual({
      "openai-strict@2026-11": "ready",
      "anthropic-strict@2026-11": "ready",
      "mcp@2026-07": "ready",
    });
    expect(verdicts({ type: "object", properties: { a: { type: "string" } } })).toMatchObject({
      "openai-strict@2026-11": "lossless",
      "mcp@2026-07": "ready",
    });
    expect(verdicts(closed({ a: { type: "string", maxLength: 3 } }))).toMatchObject({
      "openai-strict@2026-11": "lossy",
    });
    expect(verdicts(false)).toMatchObject({ "mcp@2026-07": "impossible" });
    const [report] = lintSchema(modelOf({ type: "object", properties: { a: { type: "string" } } }), [
      profileOf("openai"),
    ]);
    expect(report!.findings).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ pointer: "/properties/a", fix: expect.stringContaining("required") }),
      ]),
    );
  });
});

describe("projectBundle", () => {
  const optional = (name: string, count: number) => ({
    name,
    model: modelOf(
      closed(Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, { type: "string" }])), []),
    ),
  });

  const bundleOf = (tools: ReturnType<typeof optional>[]) => {
    const bundle = projectBundle(tools, profileOf("anthropic-strict"), profileOf("anthropic-tool"));
    if (!bundle.ok) throw new Error(JSON.stringify(bundle.refusal));
    const strict = bundle.value.schemas.filter(({ profile }) => profile.name === "anthropic-strict");
    return { ...bundle.value, strict };
  };

  it("shares the budgets of a request among its tools, and sends the rest without strict", () => {
    const { schemas, strict, warnings } = bundleOf([
      optional("large", 60),
      optional("a", 10),
      optional("b", 10),
      optional("c", 10),
    ]);
    const sum = (limit: "optionalProperties" | "unions") =>
      strict.reduce((total, { projection }) => total + projection.measure[limit], 0);

    expect(schemas).toMatchObject([
      { name: "large", profile: { name: "anthropic-tool" }, reason: expect.stringContaining("0 are left of the 24") },
      { name: "a", profile: { name: "anthropic-strict" } },
      { name: "b", profile: { name: "anthropic-strict" } },
      { name: "c", profile: { name: "anthropic-strict" } },
    ]);
    expect([sum("optionalProperties"), sum("unions")]).toEqual([24, 6]);
    expect(warnings).toEqual([expect.stringContaining("24 optional properties")]);
  });

  it("keeps twenty tools strict", () => {
    const { strict } = bundleOf(Array.from({ length: 21 }, (_, index) => optional(`t${index}`, 0)));

    expect(strict).toHaveLength(20);
  });

  it("names the schema that does not fit if strict is required", () => {
    expect(projectBundle([optional("large", 60)], profileOf("anthropic-strict"))).toMatchObject({
      ok: false,
      refusal: { reason: "impossible", name: "large" },
    });
  });
});

describe("requestFragment", () => {
  const schema = projectionOf(closed({ a: { type: "string" } }), "openai-strict").schema;
  const naming = { name: "get weather!", description: "Looks" };

  it.each(PROFILES.flatMap((profile) => profile.shapes.map((shape) => [profile, shape] as const)))(
    "carries the schema of $name in $1",
    (profile, shape) => {
      const built = requestFragment(profile, shape, schema, naming);

      expect(built).toMatchObject({ ok: true, value: { shape } });
      expect(JSON.stringify(built.ok && toPlainValue(built.value.fragment))).toMatch(/a\\*":\{\\*"type\\*":\\*"string/);
    },
  );

  it.each([
    [
      "openai",
      "openai-chat-response-format",
      { response_format: { type: "json_schema", json_schema: { name: "get_weather_", strict: true } } },
    ],
    [
      "openai",
      "openai-responses-text-format",
      { text: { format: { type: "json_schema", name: "get_weather_", strict: true } } },
    ],
    [
      "openai",
      "openai-responses-tool",
      { tools: [{ type: "function", name: "get_weather_", description: "Looks", strict: true }] },
    ],
    ["anthropic", "anthropic-output", { output_config: { format: { type: "json_schema" } } }],
    ["anthropic", "anthropic-tool", { tools: [{ name: "get_weather_", strict: true }] }],
    [
      "bedrock",
      "bedrock-converse-output",
      {
        outputConfig: {
          textFormat: { type: "json_schema", structure: { jsonSchema: { schema: expect.stringContaining('"a"') } } },
        },
      },
    ],
    ["vllm", undefined, { structured_outputs: { json: {} } }],
    ["ollama", undefined, { format: {} }],
    ["mcp", "mcp-tool", { tools: [{ name: "get_weather_", inputSchema: {} }] }],
  ])("writes for %s in %s the form of the API", (profile, shape, expected) => {
    const built = requestFragment(profileOf(profile), shape, schema, naming);

    expect(built.ok && toPlainValue(built.value.fragment)).toMatchObject(expected);
  });

  it("refuses a request form of another provider, and names the form it accepts", () => {
    expect(requestFragment(profileOf("mcp"), "ollama-format", schema, naming)).toMatchObject({
      ok: false,
      refusal: { message: expect.stringContaining("mcp-tool") },
    });
  });
});
