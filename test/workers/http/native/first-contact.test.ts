import { describe, expect, it } from "vitest";
import { avroRecord, type ProblemBody, WAYS } from "../native-calls.ts";

type Warned = { warnings: { rule: string; pointer?: string; message: string }[] };

const AVRO_FILE = JSON.stringify(avroRecord("id"), null, 2);
const PROTO_FILE = 'syntax = "proto3";\nmessage M { string a = 1; }\n';
const TOOL = { name: "search", inputSchema: { type: "object", properties: { q: { type: "string" } } } };

const file = (raw: string, type: string) => ({ raw, headers: { "Content-Type": type } });

describe.each(WAYS)("schema files on the $name platform", ({ open }) => {
  it.each([
    ["application/schema+json", '{"type":"string"}', "json-schema"],
    ["application/vnd.apache.avro+json; charset=utf-8", AVRO_FILE, "avro"],
    ["text/x-protobuf", PROTO_FILE, "protobuf"],
  ])("are registered unwrapped by %s", async (type, text, format) => {
    const { status, body } = await open().call("POST", "/subjects/s/versions", file(text, type));

    expect([status, body]).toMatchObject([201, { subject: "s", version: "1.0.0", format, warnings: [] }]);
  });

  it("take the format from the parameter or the subject if the media type gives none, as with curl's default", async () => {
    const registry = open();
    const curl = "application/x-www-form-urlencoded";

    const unsaid = await registry.call("POST", "/subjects/s/versions", file(AVRO_FILE, curl));
    const said = await registry.call(
      "POST",
      "/subjects/s/versions?format=avro&compatibility_level=NONE",
      file(AVRO_FILE, curl),
    );
    const next = await registry.call("POST", "/subjects/s/versions", file(JSON.stringify(avroRecord("id", "b")), curl));
    const both = await registry.call("POST", "/subjects/s/versions?format=avro", file("{}", "application/schema+json"));

    expect(unsaid).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining("json-schema, avro, protobuf") },
    });
    expect([said.status, next.status, both.status]).toEqual([201, 201, 400]);
  });

  it.each([
    ["nothing", "", 400],
    ["a request of the Confluent API", '{"schemaType":"AVRO","schema":"\\"string\\""}', 400],
    ["a request of POST /schemas", '{"subject":"s","format":"avro","content":"string"}', 400],
    ["an invalid schema", '{"type":"nothing"}', 422],
  ])("are refused if the body is %s", async (_, text, status) => {
    const refused = await open().call("POST", "/subjects/s/versions?format=avro", file(text, "application/json"));

    expect(refused.status).toBe(status);
  });

  it("are registered in the subject and context of the path, with any characters", async () => {
    const registry = open();
    const path = `/subjects/${encodeURIComponent("a/b %..:c")}/versions`;

    const put = await registry.call(
      "POST",
      `${path}?context=.ctx`,
      file('"string"', "application/vnd.apache.avro+json"),
    );
    const got = await registry.get(`${path}/1?context=.ctx`);

    expect(put).toMatchObject({ status: 201, body: { subject: "a/b %..:c", context: ".ctx" } });
    expect(got.body).toMatchObject({ id: (put.body as { id: string }).id });
  });
});

describe.each(WAYS)("the native API's help for new users on the $name platform", ({ open }) => {
  it("accepts schema as an alias of content, not both, and defaults to the subject's format", async () => {
    const registry = open();
    const first = await registry.call("POST", "/schemas", {
      body: { subject: "s", format: "avro", schema: avroRecord("id"), compatibility_level: "NONE" },
    });
    const second = await registry.call("POST", "/schemas", { body: { subject: "s", schema: avroRecord("id", "b") } });
    const neither = await registry.call("POST", "/schemas", { body: { subject: "s" } });
    const both = await registry.call("POST", "/schemas", {
      body: { subject: "s", schema: "string", content: "string" },
    });
    const checked = await registry.call("POST", "/schemas/check", { body: { format: "avro", schema: "string" } });

    expect([first.status, second.status, neither.status, both.status]).toEqual([201, 201, 400, 400]);
    expect(both.body).toMatchObject({ errors: [{ pointer: "/schema" }] });
    expect(checked.body).toMatchObject({ valid: true });
  });

  it.each([
    [
      { subject: "s", format: "avro", contnet: "string" },
      '/contnet Unknown field "contnet". Did you mean "content"? Known fields: subject, format, content',
    ],
    [{ subject: "s", schemaType: "AVRO", schema: "string" }, '/schemaType "schemaType" belongs to the Confluent API'],
    [
      { subject: "s", format: "xml", content: "" },
      "/format Expected one of json-schema, avro, protobuf, prompt, tool,",
    ],
    [
      { subject: "s", compatibility_level: "BACKWARDS", content: "" },
      "/compatibility_level Expected one of NONE, BACKWARD, BACKWARD_TRANSITIVE, FORWARD, FORWARD_TRANSITIVE, FULL, FULL_TRANSITIVE; got",
    ],
  ])("lists the known names for %j", async (body, said) => {
    const { status, body: problem } = await open().call("POST", "/schemas", { body });

    const items = (problem as ProblemBody).errors!.map(({ pointer, message }) => `${pointer} ${message}`);
    expect(status).toBe(400);
    expect(items).toEqual([expect.stringContaining(said)]);
  });

  it("lists the existing versions if one is missing, and the route of a Confluent id", async () => {
    const registry = open();
    await registry.register("s", avroRecord("id"), { compatibility_level: "NONE" });
    await registry.register("s", avroRecord("id", "b"));

    const version = await registry.get("/subjects/s/versions/9");
    const range = await registry.get("/subjects/s/versions/%5E3");
    const check = await registry.call("POST", "/compatibility/check", {
      body: { subject: "s", content: avroRecord("id"), version: 9 },
    });
    const id = await registry.get("/schemas/1");
    const content = await registry.get("/schemas/1/content");

    for (const { status, body } of [version, range, check]) {
      expect(status).toBe(404);
      expect((body as ProblemBody).detail).toContain("It has versions 1.0.0 (1), 1.1.0 (2).");
    }
    for (const { body } of [id, content]) expect((body as ProblemBody).detail).toContain("/schemas/ids/1");
  });

  it("lists the newest versions of a long history", async () => {
    const registry = open();
    const fields = ["id"];
    for (let number = 1; number <= 12; number += 1) {
      await registry.register("s", avroRecord(...fields), { compatibility_level: "NONE" });
      fields.push(`f${number}`);
    }

    const { body } = await registry.get("/subjects/s/versions/99");

    expect((body as ProblemBody).detail).toMatch(
      /It has 12 versions, the newest of them 1\.2\.0 \(3\), .*1\.11\.0 \(12\)\.$/,
    );
  });

  it("warns about a check without an earlier version, and about misspelled keywords", async () => {
    const registry = open();
    const ask = async (content: object) =>
      (await registry.call("POST", "/compatibility/check", { body: { subject: "s", format: "json-schema", content } }))
        .body as Warned;

    const unknown = await ask({ type: "object", propertees: {} });
    await registry.register("s", { type: "object" }, { format: "json-schema" });
    const known = await ask({ type: "object", propertees: {} });

    expect(unknown.warnings.map(({ rule }) => rule)).toEqual(["misspelled_keyword", "nothing_compared"]);
    expect(known.warnings.map(({ rule }) => rule)).toEqual(["misspelled_keyword"]);
  });
});

describe.each(WAYS)("tool definitions on the $name platform", ({ open }) => {
  const registerTool = (registry: ReturnType<typeof open>, more: object, content: unknown = TOOL) =>
    registry.call("POST", "/schemas", { body: { subject: "t", format: "json-schema", content, ...more } });

  it("are refused under a model's role with the schema's location, and warned about otherwise", async () => {
    const registry = open();

    const refused = await registerTool(registry, { role: "model_output" });
    const asData = await registerTool(registry, { subject: "u", role: "data" });
    const without = await registerTool(registry, { subject: "v" });

    expect(refused).toMatchObject({
      status: 422,
      body: { code: "invalid_schema", errors: [{ pointer: "/inputSchema" }] },
    });
    for (const { status, body } of [asData, without]) {
      expect(status).toBe(201);
      expect((body as Warned).warnings).toMatchObject([{ rule: "tool_definition", pointer: "/inputSchema" }]);
    }
  });

  it("are refused under their subject's role, also as drafts", async () => {
    const registry = open();
    await registry.call("PUT", "/subjects/t/compatibility", { body: { role: "tool_input" } });

    const bySubject = await registerTool(registry, {});
    const draft = await registerTool(registry, { state: "draft" });
    const inner = await registerTool(registry, {}, TOOL.inputSchema);

    expect([bySubject.status, draft.status, inner.status]).toEqual([422, 422, 201]);
  });

  it("are always refused as a list, each with its location", async () => {
    const refused = await registerTool(open(), {}, [TOOL, { ...TOOL, name: "find" }]);

    expect(refused).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: "/0/inputSchema" }, { pointer: "/1/inputSchema" }] },
    });
  });
});

describe.each(WAYS)("roles and levels on the $name platform", ({ open }) => {
  const narrower = { type: "object", properties: { a: { type: "string" } }, required: ["a"] };
  const wider = { type: "object", properties: { a: { type: "string" } } };

  it("default to FORWARD for a schema that a model writes", async () => {
    const registry = open();
    const more = { format: "json-schema", role: "model_output" };
    await registry.register("s", wider, more);

    const narrowed = await registry.call("POST", "/schemas", { body: { subject: "s", content: narrower } });
    const widened = await registry.call("POST", "/schemas", {
      body: { subject: "s", content: wider, version: "9.0.0" },
    });
    const effective = await registry.get("/subjects/s/compatibility");

    expect([narrowed.status, widened.status]).toEqual([201, 409]);
    expect(effective.body).toMatchObject({ level: "FORWARD", source: "default" });
  });

  it("keep an explicit level, and BACKWARD for other roles", async () => {
    const registry = open();
    await registry.call("PUT", "/subjects/s/compatibility", { body: { level: "BACKWARD" } });
    const check = (body: object) =>
      registry.call("POST", "/compatibility/check", { body: { format: "json-schema", content: narrower, ...body } });
    await registry.register("s", wider, { format: "json-schema", role: "model_output" });
    await registry.register("u", wider, { format: "json-schema", role: "tool_input" });

    expect((await check({ subject: "s" })).body).toMatchObject({ level: "BACKWARD", compatible: false });
    expect((await check({ subject: "u" })).body).toMatchObject({ level: "BACKWARD", compatible: false });
    expect((await check({ subject: "u", role: "model_output" })).body).toMatchObject({
      level: "FORWARD",
      compatible: true,
    });
  });

  it("show the breaking datum in a refused registration, activation and undelete", async () => {
    const registry = open();
    await registry.register("s", wider, { format: "json-schema" });
    const draft = await registry.register("s", narrower, { format: "json-schema", state: "draft" });

    const refused = await registry.call("POST", "/schemas", { body: { subject: "s", content: narrower } });
    const activated = await registry.call("PATCH", `/schemas/${draft.id}`, { body: { state: "active" } });

    for (const { status, body } of [refused, activated]) {
      expect(status).toBe(409);
      expect(body).toMatchObject({
        verdict: {
          differences: expect.arrayContaining([
            expect.objectContaining({ witness: expect.objectContaining({ status: "confirmed" }) }),
          ]),
        },
      });
    }
  });
});
