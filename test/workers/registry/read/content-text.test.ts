import { describe, expect, it } from "vitest";
import { type JsonNode, parseJsonText } from "../../../../schema/json-text.ts";
import { contentText, inCallersText, MAX_SCHEMA_TEXT_BYTES } from "../../../../workers/registry/read/content-text.ts";

function node(text: string): JsonNode {
  const parsed = parseJsonText(text);
  if (!parsed.ok) throw new Error(parsed.refusal.problem.message);
  return parsed.value.root;
}

describe("contentText", () => {
  it("writes a value as it was spelled", () => {
    expect(contentText("avro", node('{ "b": 1.10, "1": 2, "a": [ ] }'))).toEqual({
      ok: true,
      value: { text: '{"b":1.10,"1":2,"a":[]}', isRewritten: true },
    });
  });

  it.each([
    ["avro", '"string"', '"string"', true],
    ["avro", JSON.stringify('"string"'), '"string"', false],
    ["avro", JSON.stringify(' {"type":"int"}'), ' {"type":"int"}', false],
    ["json-schema", "true", "true", true],
    ["protobuf", JSON.stringify('syntax = "proto3";'), 'syntax = "proto3";', false],
    ["protobuf", JSON.stringify("{odd"), "{odd", false],
  ] as const)("reads %s content %s", (format, content, text, isRewritten) => {
    expect(contentText(format, node(content))).toEqual({ ok: true, value: { text, isRewritten } });
  });

  it("refuses a value if the format is not written in JSON", () => {
    expect(contentText("protobuf", node("{}"))).toMatchObject({
      ok: false,
      refusal: { items: [{ pointer: "/content" }] },
    });
  });

  it("accepts a text of exactly the limit in bytes and no larger one", () => {
    const ofBytes = (bytes: number) => node(JSON.stringify(`{${"é".repeat((bytes - 2) / 2)}}`));

    expect(contentText("avro", ofBytes(MAX_SCHEMA_TEXT_BYTES))).toMatchObject({ ok: true });
    expect(contentText("avro", ofBytes(MAX_SCHEMA_TEXT_BYTES + 2))).toMatchObject({
      refusal: { error: "SCHEMA_TOO_LARGE" },
    });
  });
});

describe("inCallersText", () => {
  const items = [{ message: "m", pointer: "/a", line: 1, column: 9 }];

  it("drops lines and columns of a text that was serialised from a value, and keeps those of the caller's text", () => {
    expect(inCallersText(items, { isRewritten: true })).toEqual([{ message: "m", pointer: "/a" }]);
    expect(inCallersText(items, { isRewritten: false })).toEqual(items);
  });
});
