import { describe, expect, it } from "vitest";
import type { EntityTags } from "../../schema/format.ts";
import { formatNamed } from "../../schema/formats.ts";
import { changeTags, inlineTags } from "../../schema/tags.ts";

const AVRO =
  '{"type":"record","name":"User","namespace":"com.example","fields":[{"name":"ssn","type":"string"},' +
  '{"name":"home","type":{"type":"record","name":"Home","fields":[{"name":"city","type":"string"}]}}]}';
const JSON_SCHEMA =
  '{"type":"object","properties":{"ssn":{"type":"string"},"homes":{"type":"array","items":{"type":"object","properties":{"city":{}}}}}}';
const PROTOBUF =
  'syntax = "proto3";\n\npackage com.example;\n\nmessage User {\n  string ssn = 1;\n\n  message Home {\n    string city = 1;\n  }\n}\n';

const record = (entityPath: string, ...tags: string[]): EntityTags => ({ entityPath, entityType: "sr_record", tags });
const field = (entityPath: string, ...tags: string[]): EntityTags => ({ entityPath, entityType: "sr_field", tags });

const CASES = [
  {
    name: "avro",
    text: AVRO,
    entities: [
      record("com.example.User", "T"),
      field("com.example.User.ssn", "PII"),
      field("com.example.Home.city", "A", "B"),
    ],
  },
  {
    name: "json-schema",
    text: JSON_SCHEMA,
    entities: [record("object", "T"), field("object.ssn", "PII"), field("object.homes.array.object.city", "A", "B")],
  },
  {
    name: "protobuf",
    text: PROTOBUF,
    entities: [record("User", "T"), field("User.Home.city", "A", "B"), field("User.ssn", "PII")],
  },
] as const;

describe.each(CASES)("changeTags of $name", ({ name, text, entities }) => {
  const format = formatNamed(name);
  const change = (changed: string, changes: { add?: EntityTags[]; remove?: EntityTags[] }) => {
    const result = changeTags(format, changed, { add: [], remove: [], ...changes });
    return result.ok ? result.value : `missing ${result.refusal}`;
  };

  it("adds tags that are then found, in a text that is still a schema", () => {
    const tagged = change(text, { add: [...entities] });

    expect(inlineTags(format, tagged)).toEqual(entities);
    expect(
      format.parse({ text: tagged, references: [] }, { strictness: "confluent", defaultDialect: "draft-07" }).ok,
    ).toBe(true);
  });

  it("removes some tags and keeps the others", () => {
    const tagged = change(text, { add: [...entities] });
    const last = entities.find(({ tags }) => tags.length === 2)!;

    const untagged = change(tagged, { remove: [{ ...last, tags: ["A"] }] });

    expect(inlineTags(format, untagged)).toContainEqual({ ...last, tags: ["B"] });
    expect(inlineTags(format, untagged)).toHaveLength(3);
  });

  it("restores the text once every tag is removed", () => {
    const tagged = change(text, { add: [...entities] });

    expect(inlineTags(format, change(tagged, { remove: [...entities] }))).toEqual([]);
  });

  it("adds no tag twice", () => {
    const tagged = change(text, { add: [...entities] });

    expect(change(tagged, { add: [...entities] })).toBe(tagged);
  });

  it("reports a path that is not in the text", () => {
    expect(change(text, { add: [field("no.such.path", "X")] })).toBe("missing no.such.path");
  });
});
