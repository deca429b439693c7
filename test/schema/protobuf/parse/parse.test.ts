import { describe, expect, it } from "vitest";
import { findType, resolveType } from "../../../../schema/protobuf/model.ts";
import { BUILTIN_IMPORTS } from "../../../../schema/protobuf/parse/builtin-imports.ts";
import { parseProtobuf } from "../../../../schema/protobuf/parse/parse.ts";
import { canonicalText } from "../../../../schema/protobuf/text/canonical.ts";
import { renderProtobuf } from "../../../../schema/protobuf/text/render.ts";
import { modelOf, parseNew, parseStored, reference, references } from "../sources.ts";

const NAMED_BUILTINS = [
  ...["any", "api", "descriptor", "duration", "empty", "field_mask"].map((name) => `google/protobuf/${name}.proto`),
  ...["source_context", "struct", "timestamp", "type", "wrappers"].map((name) => `google/protobuf/${name}.proto`),
  ...["calendar_period", "color", "date", "datetime", "dayofweek", "decimal"].map(
    (name) => `google/type/${name}.proto`,
  ),
  ...["expr", "fraction", "interval", "latlng", "localized_text", "money"].map((name) => `google/type/${name}.proto`),
  ...["month", "phone_number", "postal_address", "quaternion", "timeofday"].map((name) => `google/type/${name}.proto`),
  "confluent/meta.proto",
  "confluent/type/decimal.proto",
  "confluent/type/variant.proto",
];

describe("built-in imports", () => {
  it.each(NAMED_BUILTINS)("contain %s without a reference", (path) => {
    const result = parseNew(`syntax = "proto3"; import public "${path}";`);

    expect(result.ok).toBe(true);
    expect(BUILTIN_IMPORTS.has(path)).toBe(true);
  });

  it("are valid schemas themselves, printed and parsed again", () => {
    for (const path of BUILTIN_IMPORTS) {
      const file = modelOf(`syntax = "proto3"; import public "${path}";`).files.get(path)!;
      const text = canonicalText({ ...modelOf('syntax = "proto3";'), file });

      expect(parseNew(text), path).toMatchObject({ ok: true });
    }
  });

  it("define the options of the Confluent contract", () => {
    const model = modelOf(`
      syntax = "proto3";
      import "confluent/meta.proto";
      option (confluent.file_meta).doc = "A file.";
      message A {
        option (confluent.message_meta) = { doc: "An A.", tags: ["PII", "PRIVATE"], params: { key: "k", value: "v" } };
        string a = 1 [(confluent.field_meta).tags = "PII"];
      }`);

    expect(renderProtobuf(model, "serialized")).toBeDefined();
  });

  it("are overridden by a reference of the same name", () => {
    const own = references({ "google/type/date.proto": 'syntax = "proto3"; package mine; message Date {}' });
    const model = modelOf('syntax = "proto3"; import "google/type/date.proto"; message A { mine.Date d = 1; }', own);

    expect(findType(model, "mine.Date")?.file.reference).toMatchObject({ name: "google/type/date.proto", version: 1 });
  });
});

describe("references", () => {
  it("are found among the references of the importing file", () => {
    const inner = reference("inner.proto", 'syntax = "proto3"; package inner; message I {}');
    const outer = reference("outer.proto", 'syntax = "proto3"; import "inner.proto"; message O { inner.I i = 1; }', [
      inner,
    ]);

    const model = modelOf('syntax = "proto3"; import "outer.proto"; message A { O o = 1; }', [outer]);

    expect([...model.files.keys()]).toEqual(["", "outer.proto", "inner.proto"]);
  });

  it("are found in the schema's own list for a file that has none", () => {
    const own = references({
      "outer.proto": 'syntax = "proto3"; import "inner.proto"; message O { I i = 1; }',
      "inner.proto": 'syntax = "proto3"; message I {}',
    });

    expect(parseNew('syntax = "proto3"; import "outer.proto"; message A { O o = 1; }', own).ok).toBe(true);
  });

  it("of an import take precedence over those of the schema", () => {
    const mine = reference("inner.proto", 'syntax = "proto3"; message Mine {}');
    const theirs = reference("inner.proto", 'syntax = "proto3"; message Theirs {}');
    const outer = reference("outer.proto", 'syntax = "proto3"; import public "inner.proto";', [theirs]);

    const model = modelOf('syntax = "proto3"; import "outer.proto"; message A { Theirs t = 1; }', [mine, outer]);

    expect(model.definitions.has("Theirs")).toBe(true);
  });

  it("that import each other are refused", () => {
    const own = references({
      "a.proto": 'syntax = "proto3"; import "b.proto";',
      "b.proto": 'syntax = "proto3"; import "a.proto";',
    });

    expect(parseNew('syntax = "proto3"; import "a.proto";', own)).toMatchObject({
      ok: false,
      refusal: { reason: "invalid", problems: [{ rule: "import_cycle" }] },
    });
  });

  it("that are not .proto texts are refused by name", () => {
    const result = parseNew('syntax = "proto3"; import "a.proto";', references({ "a.proto": "message {" }));

    expect(result).toMatchObject({ ok: false, refusal: { problems: [{ rule: "invalid_import" }] } });
    expect(result.ok ? "" : result.refusal.problems[0]!.message).toContain('"a.proto"');
  });

  it("are read even if a new schema with them would be refused", () => {
    const own = references({ "a.proto": 'syntax = "proto2"; message A { string no_label = 1; }' });

    expect(parseNew('syntax = "proto3"; import "a.proto"; message B { A a = 1; }', own).ok).toBe(true);
  });
});

describe("parseProtobuf of a stored schema", () => {
  it.each([
    ["a missing import", 'syntax = "proto3"; import "gone.proto"; message A { gone.B b = 1; }'],
    ["a number twice", 'syntax = "proto3"; message A { string a = 1; string b = 1; }'],
    ["a name twice", 'syntax = "proto3"; message A {} message A {}'],
    ["a field without a label", 'syntax = "proto2"; message A { string a = 1; }'],
    ["an unknown option", 'syntax = "proto3"; option (gone) = 1;'],
    ["a group in proto3", 'syntax = "proto3"; message A { repeated group G = 1 {} }'],
  ])("reads %s", (_, text) => {
    expect(parseNew(text).ok).toBe(false);
    expect(parseStored(text).ok).toBe(true);
  });

  it("refuses text that is not grammatical", () => {
    expect(parseStored('syntax = "proto3"; message A {')).toMatchObject({ ok: false, refusal: { reason: "invalid" } });
  });
});

describe("parseProtobuf of base64", () => {
  it("refuses base64 that is not a descriptor, as a text", () => {
    expect(parseNew("aGVsbG8gd29ybGQ=")).toMatchObject({
      ok: false,
      refusal: { problems: [{ rule: "syntax", line: 1, column: 1 }] },
    });
  });

  it("prints the descriptor as a text with absolute type names", () => {
    const text =
      'syntax = "proto3"; package p; message A { B b = 1; map<string, B> m = 2; optional int32 o = 3; } message B {}';
    const serialized = renderProtobuf(modelOf(text), "serialized")!;

    expect(canonicalText(modelOf(serialized))).toBe(
      [
        'syntax = "proto3";',
        "package p;",
        "",
        "message A {",
        "  .p.B b = 1;",
        "  map<string, .p.B> m = 2;",
        "  optional int32 o = 3;",
        "}",
        "message B {}",
        "",
      ].join("\n"),
    );
  });

  it("checks the descriptor's contents, and gives no position in base64", () => {
    const serialized = renderProtobuf(modelOf('syntax = "proto3"; message A { string a = 1; }'), "serialized")!;
    const broken = Buffer.from(serialized, "base64");
    // The number of the field: tag 0x18 of FieldDescriptorProto.
    broken[broken.indexOf(Buffer.from([0x18, 1])) + 1] = 0;

    const result = parseNew(broken.toString("base64"));

    expect(result).toEqual({
      ok: false,
      refusal: {
        reason: "invalid",
        problems: [{ rule: "field_number", message: 'Field "a" has number 0, expected 1 to 536870911.' }],
      },
    });
  });

  it("reads a descriptor without a syntax as proto2", () => {
    const serialized = renderProtobuf(
      modelOf('syntax = "proto2"; message A { required string a = 1; }'),
      "serialized",
    )!;

    expect(canonicalText(modelOf(serialized))).toBe("\nmessage A {\n  required string a = 1;\n}\n");
  });
});

describe("resolveType", () => {
  const model = modelOf(
    `syntax = "proto3"; package a.b; import "c.proto";
     message Outer { message Inner { message Leaf {} } message a { message b {} } }
     message Inner {}`,
    references({ "c.proto": 'syntax = "proto3"; package a.c; message C {} enum E { E_UNSPECIFIED = 0; }' }),
  );
  const within = (fullName: string) => ({ file: model.file, fullName });

  it.each([
    ["a.b.Outer", "Inner", "a.b.Outer.Inner"],
    ["a.b", "Inner", "a.b.Inner"],
    ["a.b.Outer.Inner", "Leaf", "a.b.Outer.Inner.Leaf"],
    ["a.b.Outer", "Inner.Leaf", "a.b.Outer.Inner.Leaf"],
    ["a.b.Inner", "c.C", "a.c.C"],
    ["a.b.Inner", "a.c.E", "a.c.E"],
    ["a.b.Inner", ".a.c.C", "a.c.C"],
    // The nested message `a` hides the package.
    ["a.b.Outer", "a.c.C", undefined],
    ["a.b", "Leaf", undefined],
    ["a.b", "E_UNSPECIFIED", undefined],
  ])("resolves in %s the name %s to %s", (scope, name, expected) => {
    expect(resolveType(model, within(scope), name)?.fullName).toBe(expected);
  });
});

describe("text that only the Confluent server keeps", () => {
  const KEPT = {
    "an unresolved option": "message A {\n  string x = 1 [(my_opt) = true];\n}",
    "a missing import": 'import\n  "validate/validate.proto";\nmessage A {}',
    "a meta option without its import": 'message A {\n  string x = 1 [(confluent.field_meta) = {tags: ["PII"]}];\n}',
    "a list-valued option": 'message A {\n  option (names) = ["a"];\n}',
  };

  it.each(Object.entries(KEPT))("is refused in a new schema with its location: %s", (_, body) => {
    const result = parseNew(`syntax = "proto3"; ${body}`);

    expect(result).toMatchObject({
      ok: false,
      refusal: { reason: "invalid", problems: [{ line: expect.any(Number) }] },
    });
  });

  it.each(Object.entries(KEPT))("is accepted through the Confluent API: %s", (_, body) => {
    const source = { text: `syntax = "proto3"; ${body}`, references: [] };

    expect(parseProtobuf(source, { strictness: "confluent", defaultDialect: "2020-12" })).toMatchObject({ ok: true });
  });
});
