import { describe, expect, it } from "vitest";
import { avro } from "../../../../schema/avro/format.ts";
import { MAX_REFERENCED_TEXTS } from "../../../../schema/avro/parse/parse.ts";
import { MAX_PROBLEMS } from "../../../../schema/avro/parse/problems.ts";
import { MAX_NAMED_TYPES } from "../../../../schema/avro/parse/type-scope.ts";
import type { ResolvedReference, SchemaSource } from "../../../../schema/format.ts";
import { MAX_JSON_DEPTH } from "../../../../schema/json-text.ts";
import { modelIn, parse, parseText, problemsOf, record, reference, rulesBrokenBy } from "../schemas.ts";

describe("parse", () => {
  it("reports every problem of a text, with its location and what would be accepted", () => {
    const problems = parseText(
      '{"type":"record","name":"A",\n "fields":[\n  {"name":"1","type":"Missing"},\n  {"name":"b","type":"int","default":"x"}]}',
    );

    expect(problems).toEqual({
      ok: false,
      refusal: {
        reason: "invalid",
        problems: [
          {
            rule: "invalid_name",
            pointer: "/fields/0/name",
            line: 3,
            column: 11,
            message: expect.stringContaining("must start with a letter or _"),
          },
          {
            rule: "undefined_name",
            pointer: "/fields/0/type",
            line: 3,
            column: 22,
            message: expect.stringContaining("defined earlier"),
          },
          {
            rule: "invalid_default",
            pointer: "/fields/1/default",
            line: 4,
            column: 38,
            message: expect.stringContaining('"x", expected an integer of 32 bits'),
          },
        ],
      },
    });
  });

  it("explains how to write a schema that is only a name", () => {
    const result = parseText(" string ");

    expect(result).toMatchObject({
      ok: false,
      refusal: { problems: [{ message: expect.stringContaining('"string"'), line: 1, column: 2 }] },
    });
  });

  it("leaves names and defaults unchecked in stored texts, and nothing else", () => {
    const stored = record("A-b", ["x.y", "int", "no number"], ["e", { type: "enum", name: "1", symbols: ["a-b"] }]);

    expect(rulesBrokenBy(stored, "stored")).toEqual([]);
    expect(rulesBrokenBy(stored, "new")).toEqual([
      "invalid_name",
      "invalid_name",
      "invalid_name",
      "invalid_symbol",
      "invalid_default",
    ]);
    expect(rulesBrokenBy(record("A", ["x", "Missing"]), "stored")).toEqual(["undefined_name"]);
    expect(rulesBrokenBy([["int"]], "stored")).toEqual(["nested_union"]);
    expect(rulesBrokenBy({ type: "enum", name: "E", symbols: ["A", "A"] }, "stored")).toEqual(["duplicate_symbol"]);
  });

  it("accepts a repeated definition in stored texts only if it is identical", () => {
    const twice = (second: unknown) => record("A", ["x", record("B", ["y", "int"])], ["z", second]);

    expect(rulesBrokenBy(twice(record("B", ["y", "int"])), "stored")).toEqual([]);
    expect(rulesBrokenBy(twice(record("B", ["y", "long"])), "stored")).toEqual(["redefined_name"]);
    expect(rulesBrokenBy(twice(record("B", ["y", "int"])), "new")).toEqual(["redefined_name"]);
  });

  it("accepts a union default of any branch, also inside a value", () => {
    const inner = record("I", ["u", ["null", "int"], 5]);

    expect(rulesBrokenBy(record("A", ["x", ["null", "string"], "s"]))).toEqual([]);
    expect(rulesBrokenBy(record("A", ["x", { type: "array", items: ["null", "string"] }, ["s", null]]))).toEqual([]);
    expect(rulesBrokenBy(record("A", ["x", ["null", inner], {}]))).toEqual([]);
    expect(rulesBrokenBy(record("A", ["x", ["null", inner], { u: "s" }]))).toEqual(["invalid_default"]);
    expect(problemsOf(record("A", ["x", ["null", "string"], 5]))[0]?.message).toBe(
      'Field "x" has an invalid default. The default is 5, expected a value of one of the union\'s branches: null, string.',
    );
  });

  it("checks each value against a union's branches only once", () => {
    const types = Array.from({ length: 12 }, (_, at) =>
      record(
        `R${at}`,
        ["next", ["null", ...Array.from({ length: at + 1 }, (_, other) => `R${other}`)]],
        ["end", "int"],
      ),
    );
    let value: object = { next: null };
    for (let depth = 0; depth < 100; depth += 1) value = { next: value, end: 0 };

    expect(
      rulesBrokenBy(record("A", ["types", { type: "array", items: types }, []], ["x", ["null", "R11"], value])),
    ).toEqual(["invalid_default"]);
  });

  it("keeps the default of an enum used by a field apart from that of the field", () => {
    const schema = record("A", ["x", { type: "enum", name: "E", symbols: ["A", "B"], default: "A" }, "B"]);

    expect(avro.canonicalText(modelIn(parse(schema)))).toBe(
      '{"type":"record","name":"A","fields":[{"name":"x","type":{"type":"enum","name":"E","symbols":["A","B"],"default":"A"},"default":"B"}]}',
    );
  });

  it("accepts a default that leaves fields to their own defaults, unless they are circular", () => {
    const inner = record("B", ["y", "int", 1]);

    expect(rulesBrokenBy(record("A", ["x", inner, {}]))).toEqual([]);
    expect(rulesBrokenBy(record("A", ["x", { type: "map", values: "A" }, { k: {} }]))).toEqual(["invalid_default"]);
    expect(rulesBrokenBy(record("A", ["x", { type: "map", values: "A" }, { k: { x: {} } }]))).toEqual([]);
  });

  it("refuses top-level fields with the reserved prefix when asked to validate fields", () => {
    const source = { text: JSON.stringify(record("A", ["$$x", "int"])), references: [] };

    const checked = avro.parse(source, { strictness: "stored", defaultDialect: "draft-07", validateFields: true });
    const unchecked = avro.parse(source, { strictness: "stored", defaultDialect: "draft-07" });

    expect(checked).toMatchObject({ ok: false, refusal: { problems: [{ rule: "reserved_field_prefix" }] } });
    expect(unchecked.ok).toBe(true);
  });
});

describe("parse, warnings", () => {
  it.each([
    ["logical_type_ignored", { type: "int", logicalType: "uuid" }],
    ["logical_type_ignored", { type: "bytes", logicalType: "decimal" }],
    ["logical_type_ignored", { type: "bytes", logicalType: "decimal", precision: 4, scale: 5 }],
    ["logical_type_ignored", { type: "bytes", logicalType: "decimal", precision: 0 }],
    ["logical_type_ignored", { type: "fixed", name: "F", size: 2, logicalType: "decimal", precision: 5 }],
    ["logical_type_ignored", { type: "fixed", name: "F", size: 11, logicalType: "duration" }],
    ["logical_type_ignored", { type: "fixed", name: "F", size: 15, logicalType: "uuid" }],
    ["logical_type_ignored", { type: "long", logicalType: "date" }],
    ["ignored_attribute", { type: "record", name: "A", doc: 5, fields: [] }],
    ["ignored_attribute", { type: "record", name: "A", namespace: 5, fields: [] }],
    ["ignored_attribute", { type: "enum", name: "E", symbols: ["A"], default: null }],
    ["invalid_alias", { type: "record", name: "A", fields: [{ name: "x", type: "int", aliases: ["x-y"] }] }],
  ])("warns about %s: %j", (rule, schema) => {
    expect(parse(schema)).toMatchObject({
      ok: true,
      value: { warnings: [{ rule, message: expect.any(String), line: 1 }] },
    });
  });

  it.each([
    { type: "bytes", logicalType: "decimal", precision: 4, scale: 4 },
    { type: "fixed", name: "F", size: 2, logicalType: "decimal", precision: 4 },
    { type: "fixed", name: "F", size: 12, logicalType: "duration" },
    { type: "fixed", name: "F", size: 16, logicalType: "uuid" },
    { type: "string", logicalType: "uuid" },
    { type: "int", logicalType: "date" },
    { type: "long", logicalType: "local-timestamp-nanos" },
    { type: "string", logicalType: "my-own" },
  ])("does not warn about %j", (schema) => {
    expect(parse(schema)).toMatchObject({ ok: true, value: { warnings: [] } });
  });

  it("warns about duplicate keys", () => {
    expect(parseText('{"type":"string","p":1,"p":2}')).toMatchObject({
      ok: true,
      value: { warnings: [{ rule: "duplicate_key", column: 24 }] },
    });
  });
});

describe("parse, with references", () => {
  const street = record("geo.Street", ["name", "string"]);
  const address = record("geo.Address", ["street", "geo.Street"]);
  const user = { ...record("User", ["home", ["null", "geo.Address"]], ["road", "geo.Street"]), namespace: "app" };
  const references = [reference("geo.Address", address, [reference("geo.Street", street)])];

  it("sees the types of all referenced texts by full name, and prints them by name", () => {
    const model = modelIn(parse(user, "new", references));

    expect(avro.canonicalText(model)).toBe(
      '{"type":"record","name":"User","namespace":"app","fields":[{"name":"home","type":["null","geo.Address"]},{"name":"road","type":"geo.Street"}]}',
    );
    expect(avro.normalisedText(model)).toContain('"type":["null","geo.Address"]');
  });

  it("writes them out once each in the resolved view", () => {
    const model = modelIn(parse(user, "new", references));

    const resolved = avro.render(model, "resolved");

    expect(resolved).toBe(
      '{"type":"record","name":"User","namespace":"app","fields":[{"name":"home","type":["null",{"type":"record","name":"Address","namespace":"geo","fields":[{"name":"street","type":{"type":"record","name":"Street","fields":[{"name":"name","type":"string"}]}}]}]},{"name":"road","type":"geo.Street"}]}',
    );
    expect(avro.equivalent(modelIn(parseText(resolved!)), model)).toBe(true);
    expect(avro.render(model, "serialized")).toBeUndefined();
  });

  it("compares through them", () => {
    const changed = [
      reference("geo.Address", record("geo.Address", ["street", "geo.Street"]), [
        reference("geo.Street", record("geo.Street", ["name", "int"])),
      ]),
    ];

    const comparison = avro.compare(modelIn(parse(user, "new", changed)), modelIn(parse(user, "new", references)), {
      policy: "strict",
      writers: "declared",
    });

    expect(comparison).toMatchObject({
      value: {
        differences: [
          { kind: "MISSING_UNION_BRANCH", writer_pointer: "/fields/0/type/1" },
          { kind: "TYPE_MISMATCH", reader_pointer: "/fields/1/type/fields/0/type" },
        ],
      },
    });
  });

  it("does not look a referenced type up in the namespace of another", () => {
    expect(rulesBrokenBy(record("A", ["x", "Street"]))).toEqual(["undefined_name"]);
    expect(parse(record("A", ["x", "Street"]), "new", references)).toMatchObject({
      refusal: {
        problems: [{ rule: "undefined_name" }],
      },
    });
  });

  it("refuses to define a referenced type again", () => {
    expect(parse(record("A", ["x", street]), "new", references)).toMatchObject({
      refusal: {
        problems: [{ rule: "redefined_name", pointer: "/fields/0/type" }],
      },
    });
  });

  it("names the reference that contains a problem", () => {
    const broken = [reference("geo.Address", record("geo.Address", ["street", "Missing"]))];

    expect(parse(user, "new", broken)).toEqual({
      ok: false,
      refusal: {
        reason: "invalid",
        problems: [
          {
            rule: "undefined_name",
            message: expect.stringMatching(
              /^In reference "geo\.Address" \(subject "geo\.Address", version 1\) at \/fields\/0\/type: Type "geo\.Missing"/,
            ),
          },
        ],
      },
    });
  });

  it("warns about a reference that does not define its name", () => {
    expect(parse("int", "new", [reference("geo.Road", street)])).toMatchObject({
      ok: true,
      value: { warnings: [{ rule: "reference_without_type" }] },
    });
  });

  it("reads a shared source once, however often and under whatever names it is referenced", () => {
    const shared = reference("geo.Street", street);
    const both = [
      reference("geo.A", record("geo.A", ["s", "geo.Street"]), [shared]),
      reference("geo.B", record("geo.B", ["s", "geo.Street"]), [shared, { ...shared, name: "other name" }]),
    ];

    expect(parse(record("C", ["a", "geo.A"], ["b", "geo.B"]), "new", both)).toMatchObject({ ok: true });
  });
});

describe("parse, at its bounds", () => {
  const nested = (levels: number) => `${'{"type":"array","items":'.repeat(levels)}"int"${"}".repeat(levels)}`;

  it("reads nesting up to the JSON limit, and refuses one more level", () => {
    expect(parseText(nested(MAX_JSON_DEPTH)).ok).toBe(true);
    expect(parseText(nested(MAX_JSON_DEPTH + 1))).toMatchObject({ ok: false, refusal: { reason: "too_complex" } });
    expect(parseText("[".repeat(10_000))).toMatchObject({ ok: false, refusal: { reason: "too_complex" } });
  });

  it("reads named types up to the limit, and refuses one more", () => {
    const types = (count: number) =>
      `[${Array.from({ length: count }, (_, at) => `{"type":"fixed","name":"f${at}","size":1}`).join()}]`;

    expect(parseText(types(MAX_NAMED_TYPES)).ok).toBe(true);
    expect(parseText(types(MAX_NAMED_TYPES + 1))).toMatchObject({
      ok: false,
      refusal: { reason: "too_complex", problems: [{ rule: "too_many_types" }] },
    });
  });

  it("caps the reported problems", () => {
    const many = record(
      "A",
      ...Array.from({ length: MAX_PROBLEMS + 1 }, (_, at): [string, unknown] => [`f${at}`, "Missing"]),
    );

    expect(problemsOf(many)).toHaveLength(MAX_PROBLEMS);
  });

  /** Texts that reference each other in a chain, each nesting two levels and three more through its field. */
  function chain(length: number): ResolvedReference[] {
    let references: ResolvedReference[] = [];
    for (let at = 0; at < length; at += 1) {
      references = [reference(`R${at}`, record(`R${at}`, ["next", at === 0 ? "int" : `R${at - 1}`]), references)];
    }
    return references;
  }

  it("reads references as deep as the resolved text may nest, and refuses deeper ones", () => {
    const deepest = Math.floor(MAX_JSON_DEPTH / 3);
    const use = (length: number) => parse(["null", `R${length - 1}`], "new", chain(length));

    const model = modelIn(use(deepest));

    expect(parseText(avro.render(model, "resolved")!).ok).toBe(true);
    expect(use(deepest + 2)).toMatchObject({
      ok: false,
      refusal: { reason: "too_complex", problems: [{ rule: "references_too_deep" }] },
    });
  });

  it("reads referenced texts up to the limit, and refuses one more", () => {
    const wide = (count: number): SchemaSource["references"] =>
      Array.from({ length: count }, (_, at) => reference(`F${at}`, { type: "fixed", name: `F${at}`, size: 1 }));

    expect(parse("int", "new", wide(MAX_REFERENCED_TEXTS)).ok).toBe(true);
    expect(parse("int", "new", wide(MAX_REFERENCED_TEXTS + 1))).toMatchObject({
      ok: false,
      refusal: { reason: "too_complex" },
    });
    expect(parse("int", "new", chain(MAX_REFERENCED_TEXTS + 1))).toMatchObject({
      ok: false,
      refusal: { reason: "too_complex" },
    });
  });

  it("reads a megabyte of name, symbols or text without delay", () => {
    const million = "a".repeat(1_000_000);
    const symbols = Array.from({ length: 100_000 }, (_, at) => `s${at}`);

    expect(parse(record(million)).ok).toBe(true);
    expect(parse(record(`${million}-`)).ok).toBe(false);
    expect(parse(million).ok).toBe(false);
    expect(parse({ type: "enum", name: "E", symbols }).ok).toBe(true);
    expect(parse(record("A", ["x", "string", million])).ok).toBe(true);
  });

  it("checks defaults that omit many fields often, and refuses too many", () => {
    const large = record(
      "R",
      ...Array.from({ length: 5_000 }, (_, at): [string, unknown, unknown] => [`f${at}`, "int", 1]),
    );
    const users = (count: number) =>
      record(
        "A",
        ["r", large, {}],
        ...Array.from({ length: count }, (_, at): [string, unknown, unknown] => [`g${at}`, "R", {}]),
      );

    expect(parse(users(350)).ok).toBe(true);
    expect(parse(users(450))).toMatchObject({
      ok: false,
      refusal: { reason: "too_complex", problems: [{ rule: "defaults_too_complex" }] },
    });
  });

  it("keeps its messages short, for names of any length", () => {
    for (const schema of [
      record(`${"a".repeat(100_000)}-`),
      "b".repeat(100_000),
      record("A", ["x", "int", "d".repeat(100_000)]),
    ]) {
      expect(problemsOf(schema)[0]?.message.length).toBeLessThan(500);
    }
  });
});
