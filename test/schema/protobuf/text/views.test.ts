import { describe, expect, it } from "vitest";
import { listFields, listTopLevelNames } from "../../../../schema/protobuf/fields.ts";
import type { Definition, Enum, Field, ProtobufModel } from "../../../../schema/protobuf/model.ts";
import {
  fieldPresence,
  isClosedEnum,
  isPacked,
  resolveFeatures,
} from "../../../../schema/protobuf/options/editions.ts";
import { renderProtobuf } from "../../../../schema/protobuf/text/render.ts";
import { modelOf } from "../sources.ts";

describe("listFields", () => {
  it("gives every field its path, type, documentation and whether it is required", () => {
    const model = modelOf(`
      syntax = "proto2";
      package shop;
      import "google/protobuf/timestamp.proto";
      message Order {
        // Who ordered.
        required Customer customer = 1;
        repeated Line lines = 2; // Trailing comments belong to the field before.
        /* Prices
         * by currency. */
        map<string, Price> prices = 3;
        optional google.protobuf.Timestamp at = 4;
        oneof paid { string card = 5; bool cash = 6; }
        message Line { optional Kind kind = 1; optional Order part_of = 2; }
      }
      message Customer { optional string name = 1; }
      message Price { optional double amount = 1; }
      enum Kind { NEW = 0; }`);

    expect(listFields(model)).toEqual([
      field("Order.customer", "shop.Customer", "Who ordered.", true),
      field("Order.customer.name", "string"),
      field("Order.lines", "shop.Order.Line"),
      field("Order.lines[].kind", "shop.Kind"),
      field("Order.lines[].part_of", "shop.Order"),
      field("Order.prices", "map<string, shop.Price>", "Prices\nby currency."),
      field("Order.prices{}.amount", "double"),
      field("Order.at", "google.protobuf.Timestamp"),
      field("Order.card", "string"),
      field("Order.cash", "bool"),
      field("Customer.name", "string"),
      field("Price.amount", "double"),
    ]);
  });

  it("treats a field that a feature requires as required", () => {
    const model = modelOf('edition = "2023"; message A { string a = 1 [features.field_presence = LEGACY_REQUIRED]; }');

    expect(listFields(model)).toEqual([field("A.a", "string", null, true)]);
  });

  it("uses the documentation of the Confluent contract if there is no comment", () => {
    const model = modelOf(`syntax = "proto3";
      import "confluent/meta.proto";
      message A {
        string a = 1 [(confluent.field_meta).doc = "By path."];
        string b = 2 [(confluent.field_meta) = { tags: "PII" doc: "By message." }];
        // By comment.
        string c = 3 [(confluent.field_meta).doc = "Not this."];
      }`);

    expect(listFields(model).map(({ documentation }) => documentation)).toEqual([
      "By path.",
      "By message.",
      "By comment.",
    ]);
  });

  it("omits a comment that a blank line detaches", () => {
    const model = modelOf('syntax = "proto3";\nmessage A {\n  // About the group.\n\n  string a = 1;\n}\n');

    expect(listFields(model)).toEqual([field("A.a", "string")]);
  });
});

describe("listTopLevelNames", () => {
  it("returns the fields of the first message", () => {
    const model = modelOf(
      'syntax = "proto3"; enum E { X = 0; } message A { string a = 1; oneof o { int32 b = 2; } } message B { string c = 1; }',
    );

    expect(listTopLevelNames(model)).toEqual(["a", "b"]);
  });

  it("returns none if there is no message", () => {
    expect(listTopLevelNames(modelOf('syntax = "proto3"; enum E { X = 0; }'))).toEqual([]);
  });
});

describe("renderProtobuf", () => {
  it("omits extensions and custom options in ignore_extensions", () => {
    const model = modelOf(`
      syntax = "proto2";
      import "google/protobuf/descriptor.proto";
      extend google.protobuf.FieldOptions { optional string note = 50000; }
      extend google.protobuf.OneofOptions { optional string pick = 50000; }
      message A {
        extensions 100 to 199;
        optional string a = 1 [deprecated = true, (note) = "x"];
        oneof o { option (pick) = "y"; string b = 2; }
        optional group G = 3 { optional string c = 1 [(note) = "z"]; }
      }
      extend A { optional string more = 100; }`);

    expect(renderProtobuf(model, "ignore_extensions")).toBe(
      [
        'syntax = "proto2";',
        "",
        'import "google/protobuf/descriptor.proto";',
        "",
        "message A {",
        "  optional string a = 1 [deprecated = true];",
        "",
        "  oneof o {",
        "    string b = 2;",
        "  }",
        "",
        "  optional group G = 3 {",
        "    optional string c = 1;",
        "  }",
        "}",
        "",
      ].join("\n"),
    );
  });

  it.each(["resolved", "default", ""])("has no view %j", (view) => {
    expect(renderProtobuf(modelOf('syntax = "proto3";'), view)).toBeUndefined();
  });
});

describe("resolveFeatures", () => {
  const model = modelOf(`
    edition = "2023";
    package p;
    option features.field_presence = IMPLICIT;
    option features.repeated_field_encoding = EXPANDED;
    message A {
      option features.json_format = LEGACY_BEST_EFFORT;
      string implicit = 1;
      string explicit = 2 [features.field_presence = EXPLICIT];
      A message = 3;
      repeated int32 expanded = 4;
      repeated int32 packed = 5 [features = { repeated_field_encoding: PACKED }];
      oneof o { string member = 6; }
      enum Closed { option features.enum_type = CLOSED; C = 1; }
      enum Open { O = 0; }
    }`);

  it("inherits from the enclosing message, then from the file, then from the edition", () => {
    expect(resolveFeatures(model.definitions.get("p.A.explicit")!)).toMatchObject({
      field_presence: "EXPLICIT",
      json_format: "LEGACY_BEST_EFFORT",
      repeated_field_encoding: "EXPANDED",
      utf8_validation: "VERIFY",
    });
  });

  it("determines presence, packing and open enums", () => {
    expect(["implicit", "explicit", "member"].map((name) => fieldPresence(fieldOf(model, name)))).toEqual([
      "implicit",
      "explicit",
      "explicit",
    ]);
    expect(["expanded", "packed"].map((name) => isPacked(fieldOf(model, name)))).toEqual([false, true]);
    expect(
      ["Closed", "Open"].map((name) => isClosedEnum(model.definitions.get(`p.A.${name}`) as Definition<Enum>)),
    ).toEqual([true, false]);
  });

  it("applies a oneof's features to its members", () => {
    const inherited = modelOf(
      'edition = "2024"; message A { oneof o { option features.enforce_naming_style = STYLE_LEGACY; string BadName = 1; } }',
    );

    expect(resolveFeatures(inherited.definitions.get("A.BadName")!).enforce_naming_style).toBe("STYLE_LEGACY");
  });

  it("follows the older syntax if there are no features", () => {
    const proto2 = modelOf(
      'syntax = "proto2"; package p; message A { required int32 r = 1; optional int32 o = 2; repeated int32 x = 3; repeated int32 y = 4 [packed = true]; }',
    );
    const proto3 = modelOf(
      'syntax = "proto3"; package p; message A { int32 i = 1; optional int32 o = 2; repeated int32 x = 3; repeated int32 y = 4 [packed = false]; }',
    );

    expect(["r", "o"].map((name) => fieldPresence(fieldOf(proto2, name)))).toEqual(["required", "explicit"]);
    expect(["x", "y"].map((name) => isPacked(fieldOf(proto2, name)))).toEqual([false, true]);
    expect(["i", "o"].map((name) => fieldPresence(fieldOf(proto3, name)))).toEqual(["implicit", "explicit"]);
    expect(["x", "y"].map((name) => isPacked(fieldOf(proto3, name)))).toEqual([true, false]);
  });
});

function field(path: string, type: string, documentation: string | null = null, required = false) {
  return { path, type, documentation, required };
}

function fieldOf(model: ProtobufModel, name: string): Definition<Field> {
  return model.definitions.get(`p.A.${name}`) as Definition<Field>;
}
