import { describe, expect, it } from "vitest";
import { invalid, useResource } from "./associated-resource.ts";
import { error, record, useRegistry } from "./registry.ts";

const registry = useRegistry();
const { own, resource, body, create, upsert, remove, versionsOf, ofResource, associate } = useResource(registry);

describe("PUT of associations", () => {
  it("creates missing associations and keeps the others", async () => {
    const subject = `${own.topic}-a`;
    await registry.register(subject, record("a"));

    expect((await upsert({ subject })).body).toMatchObject({ associations: [{ subject, lifecycle: "WEAK" }] });
    expect((await upsert({ subject, lifecycle: "STRONG" })).body).toMatchObject({
      associations: [{ lifecycle: "STRONG" }],
    });
    expect((await upsert({})).body).toMatchObject({ associations: [{ subject, lifecycle: "STRONG" }] });
  });

  it("never moves an association to another subject", async () => {
    await associate(`${own.topic}-a`);
    await registry.register(`${own.topic}-b`, record("a"));

    expect(await upsert({ subject: `${own.topic}-b` })).toMatchObject(invalid("subject"));
  });

  it("does not weaken one that uses the default subject", async () => {
    await registry.register(own.standard, record("a"));
    await create({ lifecycle: "STRONG" });

    expect(await upsert({ lifecycle: "WEAK" })).toMatchObject(invalid("lifecycle"));
  });

  it("changes nothing of a frozen association but its schema", async () => {
    await create({ schema: { schema: record("a") } });

    expect(await upsert({ lifecycle: "STRONG", frozen: false })).toMatchObject(invalid("frozen"));
    expect(await upsert({ lifecycle: "WEAK" })).toMatchObject(invalid("frozen"));
    expect((await upsert({ schema: { schema: record("a", "b?") } })).body).toMatchObject({
      associations: [{ frozen: true, schema: { version: 2 } }],
    });
    expect(await upsert({ schema: { schema: record("a", "c") } })).toMatchObject(
      error(40901, /^Schema being registered is incompatible with an earlier schema for subject/),
    );
    expect(await versionsOf(own.standard)).toEqual([1, 2]);
  });

  it("does not freeze an existing association", async () => {
    const subject = `${own.topic}-a`;
    await associate(subject, { lifecycle: "STRONG" });

    expect(await upsert({ subject, frozen: true })).toMatchObject({ status: 422, body: { error_code: 42212 } });
  });

  it("uses the path's resource id, and refuses a different one in the body", async () => {
    const subject = `${own.topic}-a`;
    await registry.register(subject, record("a"));
    const { resourceId: _, ...anonymous } = body({ subject });

    expect((await registry.put(`/associations/resources/${own.resourceId}`, anonymous)).body).toMatchObject({
      resourceId: own.resourceId,
    });
    expect(await registry.put("/associations/resources/another", body({ subject }))).toMatchObject(
      invalid("resourceId"),
    );
  });
});

describe("dry runs", () => {
  it("report the resource, change nothing, and need no resource id", async () => {
    const subject = `${own.topic}-dry`;
    await registry.register(subject, record("a"));
    const { resourceId: _, ...anonymous } = resource();

    const tried = await registry.post("/associations?dryRun=true", { ...anonymous, associations: [{ subject }] });
    const withSchema = await registry.post(
      "/associations?dryRun=true",
      body({ associationType: "key", schema: { schema: record("a") } }),
    );
    const put = await registry.put(`/associations/resources/${own.resourceId}?dryRun=true`, body({ subject }));

    expect(tried).toMatchObject({ status: 200, body: anonymous });
    expect(tried.body).not.toHaveProperty("associations");
    expect(tried.body).not.toHaveProperty("resourceId");
    expect(withSchema.body).toEqual(resource());
    expect(put.body).toEqual(resource());
    expect(await ofResource()).toEqual([]);
    expect(await versionsOf(`:.${own.namespace}:${own.topic}-key`)).toMatchObject({ error_code: 40401 });
  });

  it("are refused like the change itself", async () => {
    const tried = (association: object) => registry.post("/associations?dryRun=true", body(association));

    expect(await tried({ subject: `${own.topic}-none` })).toMatchObject({ status: 409, body: { error_code: 40907 } });
    expect(await tried({ schema: { schema: "no schema" } })).toMatchObject({
      status: 422,
      body: { error_code: 42201 },
    });
    expect(await remove("?dryRun=true")).toMatchObject(error(40410, `Association for '${own.resourceId}' not found.`));
  });

  it("of a delete keep the association", async () => {
    await associate(`${own.topic}-s`);

    expect(await remove("?dryRun=true")).toMatchObject({ status: 204 });
    expect(await ofResource()).toHaveLength(1);
  });
});

describe("deleting associations", () => {
  it("deletes those of the given types, or all", async () => {
    await associate(`${own.topic}-v`);
    await associate(`${own.topic}-k`, { associationType: "key" });

    expect(await remove("?associationType=key")).toMatchObject({ status: 204, text: "" });
    expect(await ofResource()).toMatchObject([{ associationType: "value" }]);
    expect(await remove("?associationType=key")).toMatchObject(
      error(40410, `Association for '${own.resourceId}' not found.`),
    );
    expect(await remove()).toMatchObject({ status: 204 });
    expect(await versionsOf(`${own.topic}-v`)).toEqual([1]);
  });

  it("with cascadeLifecycle hard-deletes the subjects of strong ones and keeps those of weak ones", async () => {
    await associate(`${own.topic}-v`, { lifecycle: "STRONG" });
    await associate(`${own.topic}-k`, { associationType: "key" });

    expect(await remove("?cascadeLifecycle=true")).toMatchObject({ status: 204 });

    expect((await registry.get(`/subjects?deleted=true&subjectPrefix=${own.topic}`)).body).toEqual([`${own.topic}-k`]);
  });

  it("of a frozen association requires cascadeLifecycle", async () => {
    await create({ schema: { schema: record("a") } });
    const frozen = error(40908, `The association of type  'value' is frozen for subject '${own.standard}'`);

    expect(await remove()).toMatchObject(frozen);
    expect(await remove("?dryRun=true")).toMatchObject(frozen);
    expect(await remove("?cascadeLifecycle=true")).toMatchObject({ status: 204 });
    expect(await versionsOf(own.standard)).toMatchObject({ error_code: 40401 });
    expect((await create({ schema: { schema: record("b") } })).status).toBe(200);
  });

  it("with cascadeLifecycle keeps everything if a subject is referenced", async () => {
    const subject = `${own.topic}-base`;
    await registry.register(subject, '{"type":"record","name":"Base","fields":[]}');
    await registry.register(`${own.topic}-top`, {
      schema: '{"type":"record","name":"Top","fields":[{"name":"base","type":"Base"}]}',
      references: [{ name: "Base", subject, version: 1 }],
    });
    await create({ subject, lifecycle: "STRONG" });

    expect(await remove("?cascadeLifecycle=true")).toMatchObject({ status: 422, body: { error_code: 42206 } });
    expect(await ofResource()).toHaveLength(1);
    expect(await versionsOf(subject)).toEqual([1]);
  });
});
