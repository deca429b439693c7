import { describe, expect, it } from "vitest";
import { error, record, unique, useRegistry } from "./registry.ts";

const registry = useRegistry();

type Check = { is_compatible: boolean; messages?: string[] };

describe("compatibility of one version", () => {
  it("answers whether the schema could be registered next", async () => {
    const subject = unique("check");
    await registry.register(subject, record("a"));
    const check = (schema: string, query = "") =>
      registry.post(`/compatibility/subjects/${subject}/versions/1${query}`, { schema });

    expect((await check(record("a", "b?"))).body).toEqual({ is_compatible: true });
    expect((await check(record("a", "b"))).body).toEqual({ is_compatible: false });
    expect((await check(record("a"), "?verbose=true")).body).toEqual({ is_compatible: true, messages: [] });
  });

  it("answers an unknown number with 40402 even under an unknown subject", async () => {
    const path = `/compatibility/subjects/${unique("none")}/versions`;

    expect(await registry.post(`${path}/3`, { schema: record("a") })).toMatchObject(
      error(40402, "Version 3 not found."),
    );
    expect((await registry.post(`${path}/latest`, { schema: record("a") })).body).toEqual({ is_compatible: true });
    expect(await registry.post(`${path}/x`, { schema: record("a") })).toMatchObject({ status: 422 });
  });

  it("never considers deleted versions", async () => {
    const subject = unique("deleted");
    await registry.register(subject, record("a"));
    await registry.delete(`/subjects/${subject}/versions/1`);

    expect(
      await registry.post(`/compatibility/subjects/${subject}/versions/1`, { schema: record("a", "b") }),
    ).toMatchObject({ status: 404 });
    expect(
      (await registry.post(`/compatibility/subjects/${subject}/versions`, { schema: record("a", "b") })).body,
    ).toEqual({
      is_compatible: true,
    });
  });

  it("lists the differences, the earlier version, its text, and the settings", async () => {
    const subject = unique("verbose");
    await registry.register(subject, record("a"));

    const { body } = await registry.post(`/compatibility/subjects/${subject}/versions/1?verbose=true`, {
      schema: record("a", "b", "c"),
    });

    const { messages } = body as Required<Check>;
    expect(messages).toHaveLength(5);
    expect(messages[0]).toMatch(
      /^\{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'.*', additionalInfo:'.*'\}$/s,
    );
    expect(messages[1]).toMatch(/errorType:/);
    expect(messages.slice(2)).toEqual([
      "{oldSchemaVersion: 1}",
      `{oldSchema: '${record("a")}'}`,
      "{validateFields: 'false', compatibility: 'BACKWARD'}",
    ]);
  });

  it("truncates the older schema at 10 KiB", async () => {
    const subject = unique("long");
    await registry.register(subject, record(`a${"a".repeat(11 * 1024)}`));

    const { body } = await registry.post(`/compatibility/subjects/${subject}/versions/1?verbose=true`, {
      schema: '"string"',
    });

    const shown = (body as Required<Check>).messages.find((line) => line.startsWith("{oldSchema:"))!;
    expect(shown).toMatch(/<truncated>'\}$/);
    expect(shown.length).toBeLessThan(10 * 1024 + 50);
  });

  it.each([
    ["JSON", '{"type":"string"}', '{"type":"number"}', /^\{errorType:"[A-Z_]+", description:"/],
    [
      "PROTOBUF",
      'syntax = "proto3"; message M { string a = 1; }',
      'syntax = "proto3"; message M { int32 a = 1; }',
      /^\{errorType:"[A-Z_]+", description:".*"\}$/s,
    ],
  ])("describes the differences of %s in this registry's words", async (schemaType, older, newer, line) => {
    const subject = unique("format");
    await registry.register(subject, { schemaType, schema: older });

    const { body } = await registry.post(`/compatibility/subjects/${subject}/versions/latest?verbose=true`, {
      schemaType,
      schema: newer,
    });

    expect((body as Required<Check>).messages[0]).toMatch(line);
  });

  it("answers an invalid schema with 42201, or with its reason if verbose", async () => {
    const path = `/compatibility/subjects/${unique("invalid")}/versions`;

    expect(await registry.post(path, { schema: "{" })).toMatchObject(error(42201, /Invalid schema/));
    const { status, body } = await registry.post(`${path}?verbose=true`, { schema: "{" });
    expect(status).toBe(200);
    expect(body).toEqual({ is_compatible: false, messages: [expect.stringMatching(/Invalid schema/)] });
  });
});

describe("messages of 40901", () => {
  it("name the differences, the earlier version and the settings", async () => {
    const subject = unique("incompatible");
    await registry.register(subject, record("a"));
    await registry.register(subject, record("a", "b?"));

    const { status, body } = await registry.post(`/subjects/${subject}/versions`, { schema: record("a", "c") });

    expect({ status, body }).toMatchObject(
      error(
        40901,
        /^Schema being registered is incompatible with an earlier schema for subject "[^"]+", details: \[\{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE'/,
      ),
    );
    const { message } = body as { message: string };
    const end = `, {oldSchemaVersion: 2}, {oldSchema: '${record("a", "b?")}'}, {validateFields: 'false', compatibility: 'BACKWARD'}]`;
    expect(message.slice(-end.length)).toBe(end);
  });

  it("show at most ten kilobytes of the earlier schema", async () => {
    const subject = unique("incompatible");
    const long = { type: "record", name: "R", doc: "x".repeat(11 * 1024), fields: [] };
    await registry.register(subject, JSON.stringify(long));

    const { body } = await registry.post(`/subjects/${subject}/versions`, { schema: '"string"' });

    const { message } = body as { message: string };
    expect(message).toContain(`{oldSchema: '${JSON.stringify(long).slice(0, 10 * 1024)}<truncated>'}`);
  });
});

describe("reserved fields", () => {
  it("are checked from the first version on, and under NONE", async () => {
    const subject = unique("reserved");
    await registry.put(`/config/${subject}`, { validateFields: true, compatibility: "NONE" });
    const body = { schema: record("a", "b"), metadata: { properties: { "confluent:reserved": "b,c" } } };

    const registered = await registry.post(`/subjects/${subject}/versions`, body);
    const checked = await registry.post(`/compatibility/subjects/${subject}/versions?verbose=true`, body);

    const conflict = "The new schema has field that conflicts with the reserved field b.";
    const settings = "{validateFields: 'true', compatibility: 'NONE'}";
    expect(registered).toMatchObject(
      error(
        40901,
        `Schema being registered is incompatible with an earlier schema for subject "${subject}", details: [${conflict}, ${settings}]`,
      ),
    );
    expect(checked.body).toEqual({ is_compatible: false, messages: [conflict, settings] });
    expect(await registry.register(subject, { ...body, schema: record("a") })).toMatchObject({ version: 1 });
  });
});

describe("levels", () => {
  it.each([
    ["NONE", true, true],
    ["BACKWARD", true, false],
    ["FORWARD", false, true],
    ["FULL", false, false],
  ])("%s lets a field be removed: %s, a field be added: %s", async (compatibility, goes, comes) => {
    const subject = unique("level");
    await registry.put(`/config/${subject}`, { compatibility });
    await registry.register(subject, record("a", "b"));
    const check = async (schema: string) =>
      (await registry.post(`/compatibility/subjects/${subject}/versions`, { schema })).body;

    expect(await check(record("a"))).toEqual({ is_compatible: goes });
    expect(await check(record("a", "b", "c"))).toEqual({ is_compatible: comes });
  });

  it.each([
    ["BACKWARD", true],
    ["BACKWARD_TRANSITIVE", false],
  ])("%s compares only with the newest version: %s", async (compatibility, onlyNewest) => {
    const subject = unique("transitive");
    await registry.put(`/config/${subject}`, { compatibility: "NONE" });
    await registry.register(subject, record("a"));
    await registry.register(subject, record("a", "b"));
    await registry.put(`/config/${subject}`, { compatibility });

    const { body } = await registry.post(`/compatibility/subjects/${subject}/versions`, { schema: record("b", "a") });

    expect(body).toEqual({ is_compatible: onlyNewest });
  });

  it.each([
    ["the only version that it breaks, behind a newer one", record("b", "a?"), 1],
    ["the newest of two that it breaks", record("c"), 2],
  ])("names in a transitive refusal %s", async (_what, schema, version) => {
    const subject = unique("named");
    await registry.put(`/config/${subject}`, { compatibility: "NONE" });
    await registry.register(subject, record("a"));
    await registry.register(subject, record("a", "b"));
    await registry.put(`/config/${subject}`, { compatibility: "BACKWARD_TRANSITIVE" });

    const refused = await registry.post(`/subjects/${subject}/versions`, { schema });

    expect(refused.status).toBe(409);
    expect(refused.text).toContain(`{oldSchemaVersion: ${version}}`);
    expect(refused.text.match(/oldSchemaVersion/g)).toHaveLength(1);
  });

  it("FULL lists FORWARD differences before BACKWARD ones", async () => {
    const subject = unique("full");
    await registry.put(`/config/${subject}`, { compatibility: "FULL" });
    await registry.register(subject, record("a"));

    const { body } = await registry.post(`/compatibility/subjects/${subject}/versions?verbose=true`, {
      schema: record("b"),
    });

    const lines = (body as Required<Check>).messages.filter((line) => line.includes("errorType:"));
    expect(lines[0]).toMatch(/"a"|'a'|\ba\b/);
    expect(lines[1]).toMatch(/"b"|'b'|\bb\b/);
  });

  it("refuses another type of schema, except under NONE", async () => {
    const subject = unique("type");
    await registry.register(subject, record("a"));
    const json = { schemaType: "JSON", schema: '{"type":"object"}' };

    const refused = await registry.post(`/subjects/${subject}/versions`, json);
    expect(refused).toMatchObject({ status: 409 });
    expect(refused.text).toMatch(/Incompatible because of different schema type/);
    await registry.put(`/config/${subject}`, { compatibility: "NONE" });
    expect(await registry.register(subject, json)).toMatchObject({ version: 2 });
  });

  it("compares only versions of the same group", async () => {
    const subject = unique("group");
    await registry.put(`/config/${subject}`, { compatibilityGroup: "major" });
    const body = (schema: string, major?: string) => ({
      schema,
      ...(major ? { metadata: { properties: { major } } } : { metadata: {} }),
    });

    await registry.register(subject, body(record("a"), "1"));
    await registry.register(subject, body(record("b"), "2"));
    await registry.register(subject, body(record("c")));

    expect(await registry.post(`/subjects/${subject}/versions`, body(record("a", "d"), "1"))).toMatchObject({
      status: 409,
    });
    expect(await registry.post(`/subjects/${subject}/versions`, body(record("c", "d")))).toMatchObject({ status: 409 });
    expect(await registry.register(subject, body(record("a", "d"), "3"))).toMatchObject({ version: 4 });
  });

  it.each([
    ["refuses what only an older version of the group would let through", record("b", "d?"), 409],
    ["lets through what only an older version of the group would refuse", record("a", "c?"), 200],
  ])("%s", async (_what, schema, status) => {
    const subject = unique("newest-of-group");
    await registry.put(`/config/${subject}`, { compatibilityGroup: "major", compatibility: "NONE" });
    const inGroup = (text: string, major: string) => ({ schema: text, metadata: { properties: { major } } });
    await registry.register(subject, inGroup(record("b"), "1"));
    await registry.register(subject, inGroup(record("a"), "1"));
    await registry.register(subject, inGroup(record("z"), "2"));
    await registry.put(`/config/${subject}`, { compatibilityGroup: "major", compatibility: "BACKWARD" });

    const answer = await registry.post(`/subjects/${subject}/versions`, inGroup(schema, "1"));

    expect(answer.status, answer.text).toBe(status);
  });

  it("keeps reserved fields under NONE too, with validateFields", async () => {
    const subject = unique("reserved");
    await registry.put(`/config/${subject}`, { compatibility: "NONE", validateFields: true });
    const reserved = (names: string) => ({ metadata: { properties: { "confluent:reserved": names } } });
    await registry.register(subject, { schema: record("a"), ...reserved("x,y") });

    const removed = await registry.post(`/subjects/${subject}/versions`, { schema: record("b"), ...reserved("x") });
    expect(removed.status).toBe(409);
    expect(removed.text).toContain("The new schema has reserved field y removed from its metadata");
    const used = await registry.post(`/subjects/${subject}/versions`, { schema: record("x"), ...reserved("x,y") });
    expect(used.status).toBe(409);
    expect(used.text).toContain("The new schema has field that conflicts with the reserved field x.");
  });
});
