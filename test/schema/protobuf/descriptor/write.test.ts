import { readFileSync } from "node:fs";
import { create, fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { decodeBase64 } from "../../../../schema/base64.ts";
import { toDescriptor } from "../../../../schema/protobuf/descriptor/write.ts";
import type { ProtobufModel } from "../../../../schema/protobuf/model.ts";
import { renderProtobuf } from "../../../../schema/protobuf/text/render.ts";
import { modelOf, parseStored, reference, references } from "../sources.ts";
import { descriptorJson } from "./descriptor-json.ts";

type DescriptorVector = { description: string; text: string; imports?: Record<string, string>; descriptor: string };

const vectors: DescriptorVector[] = JSON.parse(readFileSync("contract/vectors/protobuf/descriptors.json", "utf8"));

describe("toDescriptor", () => {
  it.each(vectors)("writes the same as protoc: $description", ({ text, imports = {}, descriptor }) => {
    const model = modelOf(text, references(imports));
    const theirs = fromBinary(FileDescriptorProtoSchema, decodeBase64(descriptor));
    const files = create(FileDescriptorSetSchema, { file: withImports(model) });

    expect(descriptorJson(toDescriptor(model), files)).toEqual(descriptorJson(theirs, files));
  });

  it("writes the descriptor of an import under its path", () => {
    const model = modelOf(
      'syntax = "proto3"; import "a/b.proto"; message A { B b = 1; }',
      references({ "a/b.proto": 'syntax = "proto3"; message B {}' }),
    );

    expect(toDescriptor(model, model.files.get("a/b.proto")).name).toBe("a/b.proto");
  });

  it("writes single-precision defaults in their fewest digits", () => {
    const model = modelOf(
      'syntax = "proto2"; message A { optional float a = 1 [default = 0.1]; optional float b = 2 [default = 16777217]; }',
    );

    const fields = toDescriptor(model).messageType[0]!.field;

    expect(fields.map(({ defaultValue }) => defaultValue)).toEqual(["0.1", "1.6777216e+07"]);
  });

  it("omits a zero of an option field without presence", () => {
    const optionBytes = (value: number) =>
      toDescriptor(
        modelOf(`syntax = "proto3"; import "google/protobuf/descriptor.proto";
          message M { int32 implicit = 1; optional int32 explicit = 2; }
          extend google.protobuf.FileOptions { M m = 50000; }
          option (m) = { implicit: ${value}, explicit: ${value} };`),
      ).options?.$unknown?.map(({ data }) => [...data]);

    expect(optionBytes(0)).toEqual([[2, 0x10, 0]]);
    expect(optionBytes(1)).toEqual([[4, 0x08, 1, 0x10, 1]]);
  });

  it("leaves an undefined field type open", () => {
    const result = parseStored('syntax = "proto3"; message A { gone.B b = 1; }');
    if (!result.ok) throw new Error("A stored schema is read even if a type is missing.");

    const [field] = toDescriptor(result.value.model).messageType[0]!.field;

    expect({ typeName: field!.typeName, hasType: Object.hasOwn(field!, "type") }).toEqual({
      typeName: "gone.B",
      hasType: false,
    });
  });
});

describe("parseProtobuf of a base64 descriptor", () => {
  it.each(vectors)("reads it back: $description", ({ text, imports = {} }) => {
    const own = references(imports);
    const serialized = renderProtobuf(modelOf(text, own), "serialized")!;

    const again = modelOf(serialized, own);

    expect(renderProtobuf(again, "serialized")).toBe(serialized);
  });

  it("reads a descriptor that a client sends for a reference", () => {
    const serialized = renderProtobuf(modelOf('syntax = "proto3"; package b; message B {}'), "serialized")!;

    const model = modelOf('syntax = "proto3"; import "b.proto"; message A { b.B b = 1; }', [
      reference("b.proto", serialized),
    ]);

    expect(model.definitions.has("b.B")).toBe(true);
  });
});

/** The descriptors of all files a schema reaches, imports first. */
function withImports(model: ProtobufModel): FileDescriptorProto[] {
  const done = new Map<string, FileDescriptorProto>();
  const add = (path: string): void => {
    const file = model.files.get(path)!;
    if (done.has(path)) return;
    for (const { path: imported } of file.imports) add(imported);
    done.set(path, toDescriptor(model, file));
  };
  add("");
  return [...done.values()];
}
