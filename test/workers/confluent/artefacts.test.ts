import { describe, expect, it } from "vitest";
import { Registry } from "../http/native-calls.ts";
import { type ConfluentRegistry, WAYS } from "./calls.ts";

const TOOL = { name: "search", input: { type: "object", properties: { q: { type: "string" } } } };
const WIDER = {
  name: "search",
  input: { type: "object", properties: { q: { type: "string" }, n: { type: "integer" } } },
};

/** Two versions of a tool and, beside them, one JSON Schema that the tool references. */
async function withTool(open: () => ConfluentRegistry) {
  const confluent = open();
  const native = new Registry(confluent.platform);
  const schema = { type: "object", properties: { id: { type: "string" } } };
  await native.register("answer", schema, { format: "json-schema" });
  const first = await native.register("tools.search", TOOL, { format: "tool" });
  const output = { output: { $ref: "answer.json" } };
  const references = [{ name: "answer.json", subject: "answer", version: 1 }];
  const second = await native.register("tools.search", { ...WIDER, ...output }, { format: "tool", references });
  return { confluent, native, first, second };
}

describe.each(WAYS)("artefacts and the Confluent API on the $name platform", ({ open }) => {
  it("spends no Confluent id on an artefact", async () => {
    const { confluent, native, first, second } = await withTool(open);

    const next = await native.register("orders", { type: "string" }, { format: "json-schema" });

    expect([first.confluent_id, second.confluent_id]).toEqual([null, null]);
    expect(next.confluent_id).toBe(2);
    expect((await confluent.get("/schemas/ids/2")).status).toBe(200);
    expect((await confluent.get("/schemas/ids/3")).body).toMatchObject({ error_code: 40403 });
    expect((await confluent.get("/schemas/ids/1?fetchMaxId=true")).body).toMatchObject({ maxId: 2 });
  });

  it.each([
    "/subjects/tools.search/versions",
    "/subjects/tools.search/versions?deleted=true",
    "/subjects/tools.search/versions/1",
    "/subjects/tools.search/versions/9",
    "/subjects/tools.search/versions/latest",
    "/subjects/tools.search/versions/1/schema",
    "/subjects/tools.search/versions/2/referencedby",
    "/subjects/tools.search/metadata",
    "/subjects/tools.search/metadata?key=a&value=b",
    "/schemas/ids/1?subject=tools.search",
  ])("answers GET %s as if there were no subject", async (path) => {
    const { confluent } = await withTool(open);
    const absent = await confluent.get(path.replace("tools.search", "absent"));

    const answered = await confluent.get(path);

    expect(answered.status).toBe(absent.status);
    expect(answered.text).toBe(absent.text.replaceAll("absent", "tools.search"));
  });

  it("lists no artefact", async () => {
    const { confluent, first, second } = await withTool(open);

    const subjects = await confluent.get("/subjects");
    const schemas = await confluent.get("/schemas?subjectPrefix=");
    const deleted = await confluent.get("/subjects?deleted=true&subjectPrefix=tools");
    const referrers = await confluent.get("/subjects/answer/versions/1/referencedby");
    const uses = await confluent.get("/schemas/ids/1/versions");

    expect(subjects.body).toEqual(["answer"]);
    expect(schemas.body).toMatchObject([{ subject: "answer" }]);
    expect(deleted.body).toEqual([]);
    expect(referrers.body).toEqual([]);
    expect(uses.body).toEqual([{ subject: "answer", version: 1 }]);
    for (const { guid } of [first, second]) {
      expect((await confluent.get(`/schemas/guids/${guid}`)).status).toBe(404);
      expect((await confluent.get(`/schemas/guids/${guid}/ids`)).body).toEqual([]);
    }
  });

  it("neither looks up, checks, changes nor deletes an artefact", async () => {
    const { confluent, native } = await withTool(open);
    const schema = { schemaType: "JSON", schema: JSON.stringify(TOOL) };

    const lookedUp = await confluent.post("/subjects/tools.search", schema);
    const checked = await confluent.post("/compatibility/subjects/tools.search/versions/1", schema);
    const registered = await confluent.post("/subjects/tools.search/versions", schema);
    const tagged = await confluent.post("/subjects/tools.search/versions/1/tags", { tagsToAdd: [] });
    const version = await confluent.call("DELETE", "/subjects/tools.search/versions/1");
    const subject = await confluent.call("DELETE", "/subjects/tools.search");
    const typed = await confluent.post("/subjects/tools.other/versions", { schemaType: "TOOL", schema: "{}" });

    expect(lookedUp.body).toMatchObject({ error_code: 40401 });
    expect(checked.body).toMatchObject({ error_code: 40402 });
    expect(registered.status).toBe(409);
    expect([tagged.status, version.status, subject.status]).toEqual([404, 404, 404]);
    expect(typed.status).toBe(422);
    expect((await native.get("/subjects/tools.search/versions")).body).toMatchObject({
      items: [{ version_number: 1 }, { version_number: 2 }],
    });
  });

  it("associates no artefact, and so deletes none with its resource", async () => {
    const { confluent, native } = await withTool(open);
    const associate = (subject: string) =>
      confluent.post("/associations", {
        resourceName: "search",
        resourceNamespace: "cluster",
        resourceId: "resource-1",
        resourceType: "topic",
        associations: [{ subject, associationType: "value", lifecycle: "STRONG" }],
      });
    const absent = await associate("absent");

    const refused = await associate("tools.search");

    expect(refused.status).toBe(409);
    expect(refused.text).toBe(absent.text.replaceAll("absent", "tools.search"));
    expect((await confluent.get("/associations/subjects/tools.search")).body).toEqual([]);
    await confluent.delete("/associations/resources/resource-1?cascadeLifecycle=true");
    expect((await native.get("/subjects/tools.search/versions/latest")).status).toBe(200);
  });

  it("keeps a subject of schemas free of artefacts", async () => {
    const { native } = await withTool(open);

    const mixed = await native.call("POST", "/schemas", { body: { subject: "answer", format: "tool", content: TOOL } });

    expect(mixed.status).toBe(409);
    expect(mixed.body).toMatchObject({ detail: expect.stringContaining("json-schema") });
  });
});

describe.each(WAYS)("registering tools on the $name platform", ({ open }) => {
  it("gives semvers by what a change means to the tool's callers", async () => {
    const { native, second } = await withTool(open);
    const described = { ...WIDER, output: { $ref: "answer.json" }, description: "Finds issues." };
    const references = [{ name: "answer.json", subject: "answer", version: 1 }];

    const patch = await native.register("tools.search", described, { format: "tool", references });
    const refused = await native.call("POST", "/schemas", {
      body: { subject: "tools.search", format: "tool", content: { ...described, name: "find" }, references },
    });

    expect([second.version, patch.version]).toEqual(["1.1.0", "1.1.1"]);
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchObject({
      verdict: {
        format: "tool",
        differences: [
          { kind: "TOOL_RENAMED", witness: { status: "confirmed", datum: { name: "search", arguments: {} } } },
        ],
      },
    });
  });
});
