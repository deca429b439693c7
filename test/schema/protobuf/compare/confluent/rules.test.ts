import { describe, expect, it } from "vitest";
import type { ResolvedReference } from "../../../../../schema/format.ts";
import { confluentLine } from "../../../../../schema/protobuf/compare/compare.ts";
import { SCALAR_TYPES } from "../../../../../schema/protobuf/model.ts";
import { differencesOf, kindsOf, model } from "../models.ts";

/** Types of one group may replace each other. */
const GROUPS = [
  ["int32", "int64", "uint32", "uint64", "bool", "E"],
  ["sint32", "sint64"],
  ["string", "bytes"],
  ["fixed32", "sfixed32"],
  ["fixed64", "sfixed64"],
  ["float"],
  ["double"],
];

function reference(name: string, text: string, version = 1, subject = name): ResolvedReference {
  return { name, subject, version, source: { text, references: [] } };
}

describe("compareProtobuf under strict", () => {
  const types = [...SCALAR_TYPES, "E"];
  const message = (type: string) => model(`syntax = "proto3";\nenum E { ZERO = 0; }\nmessage M { ${type} x = 1; }`);

  it.each(types)("accepts the types of the group of %s, and no others", (before) => {
    for (const after of types) {
      const isCompatible = GROUPS.some((group) => group.includes(before) && group.includes(after));

      const kinds = kindsOf(message(after), message(before), "strict");

      expect(kinds, `${before} to ${after}`).toEqual(isCompatible ? [] : ["FIELD_SCALAR_KIND_CHANGED"]);
    }
  });

  const MAIN = 'syntax = "proto3";\npackage a.b;\nimport "other.proto";\nmessage M { c.N x = 1; }';
  const other = (type: string) => `syntax = "proto3";\npackage a.c;\nmessage N { ${type} y = 1; }`;

  it("follows types into imports, by the scope rules of packages", () => {
    const writer = model(MAIN, [reference("other.proto", other("int32"), 1)]);
    const reader = model(MAIN, [reference("other.proto", other("string"), 2)]);

    const differences = differencesOf(reader, writer, "strict");

    expect(differences.map(({ kind, writer_pointer }) => [kind, writer_pointer])).toEqual([
      ["FIELD_SCALAR_KIND_CHANGED", "#/a.c.N/1"],
      ["FIELD_NAMED_TYPE_CHANGED", "#/M/1"],
    ]);
  });

  it("stops where both sides reference the same version of a subject", () => {
    const writer = model(MAIN, [reference("other.proto", other("int32"), 1, "shared")]);
    const reader = model(MAIN, [reference("other.proto", other("string"), 1, "shared")]);

    expect(kindsOf(reader, writer, "strict")).toEqual([]);
  });

  it("compares same-named types of different packages by their content", () => {
    const moved = 'syntax = "proto3";\npackage a.b;\nimport "new.proto";\nmessage M { z.N x = 1; }';
    const writer = model(MAIN, [reference("other.proto", other("int32"))]);
    const reader = (type: string) =>
      model(moved, [reference("new.proto", `syntax = "proto3";\npackage z;\nmessage N { ${type} y = 1; }`)]);

    expect(kindsOf(reader("int64"), writer, "strict")).toEqual([]);
    expect(kindsOf(reader("string"), writer, "strict")).toEqual([
      "FIELD_NAMED_TYPE_CHANGED",
      "FIELD_SCALAR_KIND_CHANGED",
    ]);
  });

  it("compares types without a definition by their spelling", () => {
    const text = (type: string) => `syntax = "proto3";\nimport "gone.proto";\nmessage M { ${type} x = 1; }`;
    const stored = (type: string) => model(text(type), [], "stored");

    expect(kindsOf(stored("gone.A"), stored("gone.A"), "strict")).toEqual([]);
    expect(kindsOf(stored("gone.B"), stored("gone.A"), "strict")).toEqual(["FIELD_NAMED_TYPE_CHANGED"]);
    expect(kindsOf(stored("gone.B"), stored("gone.A"), "semantic")).toEqual(["TYPE_UNRESOLVED"]);
  });

  it("resolves a name with a leading dot from the root, and others from inside out", () => {
    const inner =
      'syntax = "proto3";\npackage p;\nmessage N { int32 y = 1; }\nmessage M { %s x = 1; message N { string y = 1; } }';
    const at = (name: string) => model(inner.replace("%s", name));

    expect(kindsOf(at("p.N"), at(".p.N"), "strict")).toEqual([]);
    expect(kindsOf(at("N"), at(".p.N"), "strict")).toEqual(["FIELD_NAMED_TYPE_CHANGED"]);
  });
});

describe("confluentLine", () => {
  it("prints the kind and the message on one line, in the contract's spelling", () => {
    const message = (type: string) => model(`syntax = "proto3";\nmessage M { ${type} x = 1; }`);
    const [difference] = differencesOf(message("string"), message("int32"), "strict");

    expect(confluentLine(difference!)).toMatch(
      /^\{errorType:"FIELD_SCALAR_KIND_CHANGED", description:"[^"]+#\/M\/1[^"]+"\}$/,
    );
  });
});
