import { describe, expect, it } from "vitest";
import { record, recordNamed, unique, useRegistry } from "./registry.ts";

const registry = useRegistry();
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe("shapes of entities", () => {
  it("gives a version all its nonempty fields", async () => {
    const subject = unique("entity");
    const { id } = await registry.register(subject, record("a"));

    expect((await registry.get(`/subjects/${subject}/versions/1`)).body).toEqual({
      subject,
      version: 1,
      id,
      guid: expect.stringMatching(GUID),
      schemaType: "AVRO",
      schema: record("a"),
      ts: expect.any(Number),
      deleted: false,
    });
  });

  it("gives metadata, rules and references if present", async () => {
    const subject = unique("contract");
    await registry.register(`${subject}-base`, JSON.stringify({ type: "record", name: "Base", fields: [] }));
    const references = [{ name: "Base", subject: `${subject}-base`, version: 1 }];
    const metadata = { tags: { "Top.base": ["b", "a"] }, properties: { z: "1", a: "2" }, sensitive: ["z"] };
    const rule = { name: "check", kind: "CONDITION", mode: "WRITE", type: "CEL", expr: "true" };
    await registry.register(subject, {
      schema: JSON.stringify({ type: "record", name: "Top", fields: [{ name: "base", type: "Base" }] }),
      references,
      metadata,
      ruleSet: { domainRules: [rule] },
    });

    const { body, text } = await registry.get(`/subjects/${subject}/versions/1`);

    expect(body).toMatchObject({
      references,
      metadata: { tags: { "Top.base": ["a", "b"] }, properties: { a: "2", z: "1" }, sensitive: ["z"] },
      ruleSet: { domainRules: [{ ...rule, disabled: false }] },
    });
    expect(text.indexOf('"a":"2"')).toBeLessThan(text.indexOf('"z":"1"'));
  });

  it("answers a lookup by content without a timestamp", async () => {
    const subject = unique("lookup");
    const { id } = await registry.register(subject, record("a"));

    expect((await registry.post(`/subjects/${subject}`, { schema: record("a") })).body).toEqual({
      subject,
      version: 1,
      id,
      guid: expect.stringMatching(GUID),
      schemaType: "AVRO",
      schema: record("a"),
    });
  });

  it("answers a registration with the stored version", async () => {
    const subject = unique("register");

    const { body } = await registry.post(`/subjects/${subject}/versions`, { schema: ` ${record("a")} ` });

    expect(body).toMatchObject({
      id: expect.any(Number),
      version: 1,
      guid: expect.stringMatching(GUID),
      schemaType: "AVRO",
      schema: record("a"),
    });
  });

  it("answers an id with only the content", async () => {
    const text = recordNamed(unique("content"), "a");
    const { id, guid } = await registry.register(unique("id"), text);

    expect((await registry.get(`/schemas/ids/${id}`)).body).toEqual({ guid, schemaType: "AVRO", schema: text });
  });

  it("replaces the latest version in a reference by its number", async () => {
    const subject = unique("latest-reference");
    await registry.register(`${subject}-base`, JSON.stringify({ type: "record", name: "Base", fields: [] }));

    await registry.register(subject, {
      schema: JSON.stringify({ type: "record", name: "Top", fields: [{ name: "base", type: "Base" }] }),
      references: [{ name: "Base", subject: `${subject}-base`, version: -1 }],
    });

    const { body } = await registry.get(`/subjects/${subject}/versions/1`);
    expect(body).toMatchObject({ references: [{ name: "Base", subject: `${subject}-base`, version: 1 }] });
  });
});
