/** What the Confluent server keeps of a Protobuf text that it cannot fully resolve, and how it prints it. */
import { describe, expect, it } from "vitest";
import { error, unique, useRegistry } from "./registry.ts";

const registry = useRegistry();

const protobuf = (body: string) => ({ schemaType: "PROTOBUF", schema: `syntax = "proto3";\n${body}` });

const KEPT = {
  "a custom option that nothing defines": "message A { string x = 1 [(my_opt) = true]; }",
  "a custom option of an import that is missing":
    'import "validate/validate.proto";\nmessage A { string x = 1 [(validate.rules).string.min_len = 1]; }',
  "an import that is missing and not used": 'import "validate/validate.proto";\nmessage A { string x = 1; }',
  "a meta option without its import": 'message A { string x = 1 [(confluent.field_meta) = {tags: ["PII"]}]; }',
  "a list as the value of a custom option": 'option (names) = ["a", "b"];\nmessage A { string x = 1; }',
  "a list of one element": 'option (names) = ["a"];\nmessage A { string x = 1; }',
};

describe("Protobuf that the Confluent server keeps as text", () => {
  it.each(Object.entries(KEPT))("registers %s, finds it again and checks it", async (_, body) => {
    const subject = unique("kept");
    const first = await registry.register(subject, protobuf(body));

    expect(await registry.register(subject, protobuf(body))).toMatchObject({ id: first.id, version: 1 });
    expect((await registry.post(`/subjects/${subject}`, protobuf(body))).body).toMatchObject({ version: 1 });
    expect((await registry.post(`/subjects/${subject}/versions?normalize=true`, protobuf(body))).status).toBe(200);
    const path = `/compatibility/subjects/${subject}/versions/latest`;
    expect((await registry.post(path, protobuf(body))).body).toMatchObject({ is_compatible: true });
    expect((await registry.get(`/subjects/${subject}/versions/1?format=serialized`)).status).toBe(200);
  });

  it("refuses a missing type of an import", async () => {
    const body = 'import "other.proto";\nmessage A { other.B b = 1; }';

    expect(await registry.post(`/subjects/${unique("type")}/versions`, protobuf(body))).toMatchObject(
      error(42201, /"other.B" is not defined/),
    );
  });

  it("refuses unresolved names if validateFields is set, except meta options", async () => {
    const subject = unique("validate");
    await registry.put(`/config/${subject}`, { validateFields: true });
    const meta = "a meta option without its import";
    const others = Object.entries(KEPT).filter(([name]) => name !== meta);

    for (const [, body] of others) {
      expect(await registry.post(`/subjects/${subject}/versions`, protobuf(body))).toMatchObject(error(42201, /./));
    }
    expect(await registry.register(subject, protobuf(KEPT[meta]))).toMatchObject({ version: 1 });
  });

  it("returns the version of imported content that could not be registered anew", async () => {
    const subject = unique("imported");
    const invalid = protobuf("message A { B b = 1; }");
    await registry.put(`/mode/${subject}`, { mode: "IMPORT" });
    const id = 7_000_000 + Math.floor(Math.random() * 1_000_000);
    await registry.register(subject, { ...invalid, id, version: 4 });
    await registry.put(`/mode/${subject}`, { mode: "READWRITE" });

    expect(await registry.register(subject, invalid)).toMatchObject({ id, version: 4 });
    expect(await registry.post(`/subjects/${unique("imported")}/versions`, invalid)).toMatchObject(error(42201, /"B"/));
  });
});

describe("Protobuf text", () => {
  it("keeps the brackets of single-element lists and ranges of one number", async () => {
    const subject = unique("text");
    const body =
      'message A { reserved 5 to 5, 7; string x = 1 [(confluent.field_meta) = {tags: ["PII"]}]; extensions 10 to 10; }';

    const { schema } = await registry.register(subject, {
      schemaType: "PROTOBUF",
      schema: body.replace("string", "optional string"),
    });

    expect(schema).toContain("reserved 5 to 5, 7;");
    expect(schema).toContain("extensions 10 to 10;");
    expect(schema).toContain('[(confluent.field_meta) = {\n    tags: [\n      "PII"\n    ]\n  }]');
  });

  it("counts messages in the text and in the descriptor alike", async () => {
    const subject = unique("indexes");
    await registry.register(
      subject,
      protobuf("message Outer { map<string, string> tags = 1; message Inner {} Inner i = 2; }"),
    );

    const { body } = await registry.get(`/subjects/${subject}/versions/1?format=serialized`);

    const bytes = atob((body as { schema: string }).schema);
    // The last occurrence of each name is its definition, because fields come before nested types.
    expect(bytes.lastIndexOf("TagsEntry")).toBeGreaterThan(bytes.lastIndexOf("Inner"));
  });
});

describe("tags of Protobuf", () => {
  it("name an entity without its package, and add no import", async () => {
    const subject = unique("tags");
    await registry.register(subject, protobuf("package com.example;\nmessage Message1 { string f1 = 1; }"));

    const { status } = await registry.post(`/subjects/${subject}/versions/latest/tags`, {
      tagsToAdd: [{ schemaEntity: { entityPath: "Message1.f1", entityType: "sr_field" }, tags: ["PII"] }],
    });

    expect(status).toBe(200);
    const { body } = await registry.get(`/subjects/${subject}/versions/2?findTags=*`);
    expect(body).toMatchObject({ schemaTags: [{ schemaEntity: { entityPath: "Message1.f1" }, tags: ["PII"] }] });
    expect((body as { schema: string }).schema).not.toContain("import");
  });
});
