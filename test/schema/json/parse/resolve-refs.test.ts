import { describe, expect, it } from "vitest";
import referenceCases from "../../../../contract/vectors/json-schema/references.json" with { type: "json" };
import type { ResolvedReference, SchemaSource } from "../../../../schema/format.ts";
import { followReference, keyword, subschemas } from "../../../../schema/json/model.ts";
import { parseJsonSchema } from "../../../../schema/json/parse/parse.ts";
import { MAX_CLOSURE_REFERENCES } from "../../../../schema/json/parse/ref-names.ts";
import {
  MAX_CLOSURE_CHARACTERS,
  MAX_FOLLOWED_REFERENCES,
  MAX_RESOURCES,
  MAX_SCHEMA_NODES,
} from "../../../../schema/json/parse/resolve-refs.ts";
import { MAX_URI_CHARACTERS, resolveUri } from "../../../../schema/json/parse/uri.ts";
import { validateInstance } from "../../../../schema/json/validate/validate.ts";

type ReferenceCase = { name: string; text: string; references?: ReferenceCase[] };

function referencesOf(cases: readonly ReferenceCase[]): ResolvedReference[] {
  return cases.map(({ name, text, references }) => ({
    name,
    subject: name,
    version: 1,
    source: { text, references: referencesOf(references ?? []) },
  }));
}

function parse(source: SchemaSource) {
  return parseJsonSchema(source, { strictness: "new", defaultDialect: "draft-07" });
}

function modelOf(schema: unknown, references: ResolvedReference[] = []) {
  const result = parse({ text: JSON.stringify(schema), references });
  if (!result.ok) throw new Error(result.refusal.problems[0]?.message);
  return result.value.model;
}

describe("SchemaGraph", () => {
  it.each(referenceCases)("resolves $description", ({ text, references, accepts, refuses }) => {
    const result = parse({ text, references: referencesOf(references as ReferenceCase[]) });
    if (!result.ok) throw new Error(result.refusal.problems[0]?.message);

    const isValid = (value: unknown) => {
      const validation = validateInstance(result.value.model, value, { formats: false });
      return validation.ok && validation.value.valid;
    };
    expect((accepts as unknown[]).filter((value) => !isValid(value))).toEqual([]);
    expect((refuses as unknown[]).filter(isValid)).toEqual([]);
  });

  it("parses a source shared by many references once", () => {
    let shared: ResolvedReference[] = [
      { name: "end.json", subject: "end", version: 1, source: { text: "{}", references: [] } },
    ];
    // Each level references the next twice: as a tree this has 2^40 leaves.
    for (let level = 0; level < 40; level += 1) {
      const source = { text: `{"allOf":[{"$ref":"${shared[0]!.name}"}]}`, references: shared };
      shared = ["a", "b"].map((side) => ({ name: `${side}${level}.json`, subject: side, version: 1, source }));
    }

    expect(modelOf({ allOf: [{ $ref: "a39.json" }, { $ref: "b39.json" }] }, shared).resources.size).toBe(42);
  });

  it("does not read an unused reference", () => {
    const unused = { name: "unused.json", subject: "unused", version: 1, source: { text: "not JSON", references: [] } };

    expect(modelOf({ type: "object" }, [unused]).resources.size).toBe(1);
  });

  it("reports a reference that is not a JSON Schema", () => {
    const broken = { name: "a.json", subject: "a", version: 1, source: { text: "not JSON", references: [] } };

    expect(parse({ text: '{"$ref":"a.json"}', references: [broken] })).toMatchObject({
      ok: false,
      refusal: { problems: [{ rule: "unresolved_reference" }] },
    });
  });

  it("does not treat an $id below an unknown keyword, in enum or in const as an identifier", () => {
    const hidden = { $id: "https://example.com/hidden", type: "string" };
    const text = JSON.stringify({ unknown: { a: hidden }, const: hidden, enum: [hidden], $defs: {} });

    expect(parse({ text, references: [] }).ok).toBe(true);
    expect(
      parse({ text: text.replace('"$defs":{}', '"allOf":[{"$ref":"https://example.com/hidden"}]'), references: [] }).ok,
    ).toBe(false);
  });

  it.each<[string, (count: number) => unknown, number]>([
    ["schemas", (count) => ({ allOf: Array.from({ length: count - 1 }, () => ({})) }), MAX_SCHEMA_NODES],
    [
      "references",
      (count) => ({ allOf: Array.from({ length: count }, () => ({ $ref: "#" })) }),
      MAX_FOLLOWED_REFERENCES,
    ],
    [
      "identifiers",
      (count) => ({ allOf: Array.from({ length: count - 1 }, (_, index) => ({ $id: `a${index}` })) }),
      MAX_RESOURCES,
    ],
    ["characters of an identifier", (count) => ({ $id: "a".repeat(count) }), MAX_URI_CHARACTERS],
  ])("accepts the maximum of %s and refuses one more as too complex", (_, schemaOf, bound) => {
    expect(parse({ text: JSON.stringify(schemaOf(bound)), references: [] }).ok).toBe(true);
    expect(parse({ text: JSON.stringify(schemaOf(bound + 1)), references: [] })).toMatchObject({
      ok: false,
      refusal: { reason: "too_complex" },
    });
  });

  it("accepts the largest closure, in references and in characters, and refuses a larger one as too complex", () => {
    const many = (count: number) => {
      return referencesOf(Array.from({ length: count }, (_, index) => ({ name: `r${index}`, text: "{}" })));
    };
    const ask = { text: '{"$ref":"https://example.com/elsewhere"}' };
    const large = (characters: number) => referencesOf([{ name: "a", text: `{}${" ".repeat(characters - 2)}` }]);
    const own = '{"$ref":"a"}';

    expect(parse({ ...ask, references: many(MAX_CLOSURE_REFERENCES) })).toMatchObject({
      refusal: { reason: "invalid" },
    });
    expect(parse({ ...ask, references: many(MAX_CLOSURE_REFERENCES + 1) })).toMatchObject({
      refusal: { reason: "too_complex" },
    });
    expect(parse({ text: own, references: large(MAX_CLOSURE_CHARACTERS) }).ok).toBe(true);
    expect(parse({ text: own, references: large(MAX_CLOSURE_CHARACTERS + 1) })).toMatchObject({
      refusal: {
        reason: "too_complex",
      },
    });
  });
});

describe("followReference", () => {
  it("returns the target of a reference, in its document", () => {
    const references = referencesOf([{ name: "a.json", text: '{"definitions":{"x/y":{"type":"string"}}}' }]);
    const model = modelOf({ properties: { a: { $ref: "a.json#/definitions/x~1y" } } }, references);
    const [place] = subschemas(model, model.root);

    const target = followReference(model, place!.location, "$ref");

    expect(target?.pointer).toBe("/definitions/x~1y");
    expect(target?.resource.document.name).toBe("a.json");
    expect(keyword(target!, "type")).toMatchObject({ value: "string" });
  });

  it("returns nothing if there is no such keyword", () => {
    const model = modelOf({ type: "object" });

    expect(followReference(model, model.root, "$ref")).toBeUndefined();
  });
});

describe("subschemas", () => {
  it("lists the schemas below a location in the order written, by the keywords of its dialect", () => {
    const schema = {
      not: {},
      properties: { b: true, "a/b": {} },
      items: [{}, {}],
      dependencies: { a: ["b"], c: {} },
      unknown: {},
      if: {},
    };
    const model = modelOf(schema);

    expect(subschemas(model, model.root).map(({ location }) => location.pointer)).toEqual([
      "/not",
      "/properties/b",
      "/properties/a~1b",
      "/items/0",
      "/items/1",
      "/dependencies/c",
      "/if",
    ]);
    const older = modelOf({ $schema: "http://json-schema.org/draft-04/schema#", ...schema, properties: {} });
    expect(subschemas(older, older.root).map(({ keyword: name }) => name)).not.toContain("if");
  });
});

describe("resolveUri", () => {
  const BASE = "http://a/b/c/d;p?q";

  // The examples of RFC 3986, §5.4, without fragments.
  it.each([
    ["g:h", "g:h"],
    ["g", "http://a/b/c/g"],
    ["./g", "http://a/b/c/g"],
    ["g/", "http://a/b/c/g/"],
    ["/g", "http://a/g"],
    ["//g", "http://g"],
    ["?y", "http://a/b/c/d;p?y"],
    ["g?y", "http://a/b/c/g?y"],
    [";x", "http://a/b/c/;x"],
    ["g;x?y", "http://a/b/c/g;x?y"],
    ["", "http://a/b/c/d;p?q"],
    [".", "http://a/b/c/"],
    ["./", "http://a/b/c/"],
    ["..", "http://a/b/"],
    ["../", "http://a/b/"],
    ["../g", "http://a/b/g"],
    ["../..", "http://a/"],
    ["../../g", "http://a/g"],
    ["../../../g", "http://a/g"],
    ["/./g", "http://a/g"],
    ["/../g", "http://a/g"],
    ["g.", "http://a/b/c/g."],
    [".g", "http://a/b/c/.g"],
    ["./../g", "http://a/b/g"],
    ["./g/.", "http://a/b/c/g/"],
    ["g/./h", "http://a/b/c/g/h"],
    ["g/../h", "http://a/b/c/h"],
    ["g;x=1/../y", "http://a/b/c/y"],
    ["g?y/../x", "http://a/b/c/g?y/../x"],
  ])("resolves %s against the base of the standard's examples", (reference, expected) => {
    expect(resolveUri(BASE, reference)).toBe(expected);
  });

  it("resolves against relative and empty bases", () => {
    expect(resolveUri("", "./a.json")).toBe("a.json");
    expect(resolveUri("folder/a.json", "b.json")).toBe("folder/b.json");
    expect(resolveUri("urn:example:a", "urn:example:b")).toBe("urn:example:b");
  });
});
