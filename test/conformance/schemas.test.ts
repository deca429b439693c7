import { describe, expect, it } from "vitest";
import { error, record, recordNamed, unique, useRegistry } from "./registry.ts";

const registry = useRegistry();

describe("GET /schemas", () => {
  it("lists the default context by subject and version, or the subjects with a prefix", async () => {
    const [name, context] = [unique("list"), unique("ctx")];
    await registry.register(`${name}-b`, record("a"));
    await registry.register(`${name}-a`, record("a"));
    await registry.register(`${name}-a`, record("a", "b?"));
    await registry.register(`:.${context}:${name}-c`, record("a"));
    const listed = async (query: string) => {
      const { body } = await registry.get(`/schemas?${query}`);
      return (body as { subject: string; version: number }[]).map(({ subject, version }) => [subject, version]);
    };

    expect(await listed(`subjectPrefix=${name}`)).toEqual([
      [`${name}-a`, 1],
      [`${name}-a`, 2],
      [`${name}-b`, 1],
    ]);
    expect(await listed(`subjectPrefix=${name}&latestOnly=true`)).toEqual([
      [`${name}-a`, 2],
      [`${name}-b`, 1],
    ]);
    expect(await listed(`subjectPrefix=:.${context}:`)).toEqual([[`:.${context}:${name}-c`, 1]]);
    expect(await listed(`subjectPrefix=:.${context}:${name}`)).toEqual([[`:.${context}:${name}-c`, 1]]);
    expect(await listed(`subjectPrefix=:*:${name}`)).toHaveLength(4);
    expect((await listed("")).flat()).not.toContain(`:.${context}:${name}-c`);
    expect(await listed(`subjectPrefix=${name}&offset=1&limit=1`)).toEqual([[`${name}-a`, 2]]);
  });

  it("shows deleted versions on request", async () => {
    const subject = unique("list-deleted");
    await registry.register(subject, record("a"));
    await registry.delete(`/subjects/${subject}`);

    expect((await registry.get(`/schemas?subjectPrefix=${subject}`)).body).toEqual([]);
    expect((await registry.get(`/schemas?subjectPrefix=${subject}&deleted=true`)).body).toMatchObject([
      { deleted: true },
    ]);
  });

  it("finds schemas with a rule of a given type", async () => {
    const subject = unique("rule-type");
    const rule = { name: "r", kind: "CONDITION", type: "CEL", mode: "WRITE", expr: "true", params: { type: "OTHER" } };
    await registry.register(subject, record("a"));
    await registry.register(subject, { schema: record("a"), ruleSet: { domainRules: [rule] } });

    expect((await registry.get(`/schemas?subjectPrefix=${subject}&ruleType=CEL`)).body).toMatchObject([{ version: 2 }]);
    expect((await registry.get(`/schemas?subjectPrefix=${subject}&ruleType=OTHER`)).body).toEqual([]);
  });

  it("links to the rest of a truncated list (a deviation)", async () => {
    const subject = unique("cut");
    await registry.register(subject, record("a"));
    await registry.register(subject, record("a", "b?"));

    const { headers } = await registry.get(`/schemas?subjectPrefix=${subject}&limit=1`);

    expect(headers.get("Link")).toBe(`</schemas?subjectPrefix=${subject}&limit=1&offset=1>; rel="next"`);
    const whole = await registry.get(`/schemas?subjectPrefix=${subject}`);
    expect(whole.headers.get("Link")).toBeNull();
  });
});

describe("GET /schemas/ids/{id}", () => {
  it("adds subject and version if a subject is given", async () => {
    const subject = unique("id");
    const { id } = await registry.register(subject, recordNamed(subject, "a"));

    expect((await registry.get(`/schemas/ids/${id}?subject=${subject}`)).body).toMatchObject({
      subject,
      version: 1,
      schema: recordNamed(subject, "a"),
    });
  });

  it("adds the highest id on request", async () => {
    const subject = unique("max");
    const { id } = await registry.register(subject, recordNamed(subject, "a"));

    const { body } = await registry.get(`/schemas/ids/${id}?fetchMaxId=true`);

    expect((body as { maxId: number }).maxId).toBeGreaterThanOrEqual(id);
  });

  it("answers an unknown id with 40403, as text too (a deviation)", async () => {
    const unknown = error(40403, "Schema 1000000 not found");

    expect(await registry.get("/schemas/ids/1000000")).toMatchObject(unknown);
    expect(await registry.get("/schemas/ids/1000000/schema")).toMatchObject(unknown);
    expect(await registry.get("/schemas/ids/-1")).toMatchObject(error(40403, "Schema -1 not found"));
    expect(await registry.get("/schemas/ids/1000000/subjects")).toMatchObject(error(40403, "Schema not found"));
    expect(await registry.get("/schemas/ids/1000000/versions")).toMatchObject(error(40403, "Schema not found"));
  });

  it("can be cached by its ETag, for a limited time (a deviation)", async () => {
    const subject = unique("etag");
    const { id, guid } = await registry.register(subject, recordNamed(subject, "a"));

    for (const path of [`/schemas/ids/${id}`, `/schemas/guids/${guid}`]) {
      const { headers } = await registry.get(path);
      expect(headers.get("Cache-Control")).toMatch(/^private, max-age=\d+$/);
      const etag = headers.get("ETag")!;
      expect(await registry.get(path, { "If-None-Match": etag })).toMatchObject({ status: 304, text: "" });
    }
  });

  it("inlines references of Avro with format=resolved", async () => {
    const subject = unique("resolved");
    await registry.register(`${subject}-base`, '{"type":"record","name":"Base","fields":[]}');
    const { id } = await registry.register(subject, {
      schema: '{"type":"record","name":"Top","fields":[{"name":"base","type":"Base"}]}',
      references: [{ name: "Base", subject: `${subject}-base`, version: 1 }],
    });
    const resolved =
      '{"type":"record","name":"Top","fields":[{"name":"base","type":{"type":"record","name":"Base","fields":[]}}]}';

    expect((await registry.get(`/schemas/ids/${id}?format=resolved`)).body).toMatchObject({ schema: resolved });
    expect((await registry.get(`/schemas/ids/${id}/schema?format=resolved`)).text).toBe(resolved);
    expect((await registry.get(`/subjects/${subject}/versions/1?format=resolved`)).body).toMatchObject({
      schema: resolved,
    });
    expect((await registry.get(`/schemas/ids/${id}?format=other`)).status).toBe(200);
  });

  it("removes Protobuf extensions with format=ignore_extensions", async () => {
    const subject = unique("extensions");
    const schema =
      'syntax = "proto2";\nimport "google/protobuf/descriptor.proto";\nextend google.protobuf.FieldOptions { optional string note = 50001; }\nmessage M { optional string a = 1; }';
    const { id } = await registry.register(subject, { schemaType: "PROTOBUF", schema });

    const { text } = await registry.get(`/schemas/ids/${id}/schema?format=ignore_extensions`);

    expect(text).not.toMatch(/extend/);
    expect(text).toMatch(/message M/);
  });

  it("answers registration, lookup and metadata in the requested format", async () => {
    const subject = unique("formatted");
    const body = { schemaType: "PROTOBUF", schema: 'syntax = "proto3";\nmessage M {\n  string a = 1;\n}\n' };
    const serialized = { schema: expect.stringMatching(/^[A-Za-z0-9+/]+=*$/) };

    const registered = await registry.post(`/subjects/${subject}/versions?format=serialized`, body);

    expect(registered.body).toMatchObject(serialized);
    expect((await registry.post(`/subjects/${subject}?format=serialized`, body)).body).toMatchObject(serialized);
    expect((await registry.get(`/subjects/${subject}/metadata?format=serialized`)).body).toMatchObject(serialized);
    expect((await registry.get(`/subjects/${subject}/versions/1/schema?format=serialized`)).text).toMatch(/=*$/);
    const { id, guid } = registered.body as { id: number; guid: string };
    expect((await registry.get(`/schemas/ids/${id}?format=serialized`)).body).toMatchObject({ ...serialized, guid });
    expect((await registry.get(`/schemas/guids/${guid}?format=serialized`)).body).toMatchObject(serialized);
    expect((await registry.get(`/schemas/ids/${id}?format=unknown`)).body).toMatchObject({
      schema: expect.stringContaining("message M {"),
    });
  });

  it("finds a guid in upper case", async () => {
    const { guid } = await registry.register(unique("guid"), record("a"));

    expect((await registry.get(`/schemas/guids/${guid.toUpperCase()}`)).body).toMatchObject({ guid });
    expect((await registry.get(`/schemas/guids/${guid.toUpperCase()}/ids`)).body).not.toEqual([]);
  });

  it("answers unknown guids with no ids", async () => {
    expect((await registry.get("/schemas/guids/nonsense/ids")).body).toEqual([]);
  });

  it("refuses format=logical with 42201", async () => {
    const subject = unique("logical");
    await registry.register(subject, record("a"));

    expect(await registry.get(`/subjects/${subject}/versions/1?format=logical`)).toMatchObject(error(42201, /logical/));
    expect(await registry.post(`/subjects/${subject}/versions?format=logical`, { schema: record("a") })).toMatchObject(
      error(42201, /logical/),
    );
  });
});

describe("uses of an id", () => {
  it("lists the newest version of each subject", async () => {
    const subject = unique("uses");
    const schema = recordNamed(subject, "a");
    const { id } = await registry.register(`${subject}-1`, schema);
    await registry.register(`${subject}-2`, schema);

    expect((await registry.get(`/schemas/ids/${id}/versions`)).body).toEqual([
      { subject: `${subject}-1`, version: 1 },
      { subject: `${subject}-2`, version: 1 },
    ]);
    expect((await registry.get(`/schemas/ids/${id}/subjects?offset=1&limit=1`)).body).toEqual([`${subject}-2`]);
  });
});

describe("GET /schemas/guids/{guid}", () => {
  it.each(["00000000-0000-0000-0000-000000000000", "nonsense"])("answers the unknown %s with 40403", async (guid) => {
    expect(await registry.get(`/schemas/guids/${guid}`)).toMatchObject(error(40403, `Schema ${guid} not found`));
  });
});
