import { describe, expect, it } from "vitest";
import { invalid, useResource } from "./associated-resource.ts";
import { error, record, unique, useRegistry } from "./registry.ts";

const registry = useRegistry();
const { own, resource, body, create, upsert, remove, versionsOf, ofResource, associate } = useResource(registry);

describe("reading associations", () => {
  it("finds them by subject, resource id, and namespace and name", async () => {
    const subject = `${own.topic}-orders`;

    expect((await associate(subject, { lifecycle: "WEAK" })).body).toEqual({
      ...resource(),
      associations: [{ subject, associationType: "value", lifecycle: "WEAK", frozen: false }],
    });

    const expected = [
      {
        subject,
        guid: expect.any(String),
        ...resource(),
        associationType: "value",
        lifecycle: "WEAK",
        frozen: false,
        createTs: expect.any(Number),
        updateTs: expect.any(Number),
      },
    ];
    const read = async (path: string) => (await registry.get(path)).body;
    expect(await read(`/associations/subjects/${subject}`)).toEqual(expected);
    expect(await read(`/associations/resources/${own.resourceId}`)).toEqual(expected);
    expect(await read(`/associations/resources/${own.namespace}/${own.topic}`)).toEqual(expected);
    expect(await read(`/associations/resources/-/${own.topic}`)).toEqual(expected);
    expect(await read(`/associations/resources/${own.namespace}/-`)).toEqual(expected);
    expect(await read(`/associations/resources/other/${own.topic}`)).toEqual([]);
    expect(await read(`/associations/resources/${own.namespace}/other`)).toEqual([]);
    expect(await read(`/associations/subjects/${subject}-other`)).toEqual([]);
  });

  it("filters by resource type, association types and lifecycle", async () => {
    await associate(`${own.topic}-v`, { lifecycle: "STRONG" });
    await associate(`${own.topic}-k`, { associationType: "key" });

    const typesOf = async (query: string) => (await ofResource(query)).map(({ associationType }) => associationType);
    expect(await typesOf("")).toEqual(["key", "value"]);
    expect(await typesOf("?associationType=key")).toEqual(["key"]);
    expect(await typesOf("?associationType=key&associationType=value")).toEqual(["key", "value"]);
    expect(await typesOf("?lifecycle=STRONG")).toEqual(["value"]);
    expect(await typesOf("?lifecycle=WEAK&associationType=value")).toEqual([]);
    expect(await typesOf("?resourceType=topic")).toEqual(["key", "value"]);
    expect(await typesOf("?resourceType=table")).toEqual([]);
    expect(await registry.get(`/associations/resources/${own.resourceId}?lifecycle=STRANGE`)).toMatchObject(
      error(404, "HTTP 404 Not Found"),
    );
  });

  it("pages by offset and limit", async () => {
    await associate(`${own.topic}-v`);
    await associate(`${own.topic}-k`, { associationType: "key" });

    expect(await ofResource("?limit=1")).toMatchObject([{ associationType: "key" }]);
    expect(await ofResource("?offset=1")).toMatchObject([{ associationType: "value" }]);
    expect(await ofResource("?offset=2&limit=1")).toEqual([]);
    expect(await ofResource("?limit=-1")).toHaveLength(2);
  });

  it("lists all resources of a namespace for a dash", async () => {
    await associate(`${own.topic}-1`);
    const other = { ...resource(), resourceName: `${own.topic}b`, resourceId: `${own.resourceId}-2` };
    await registry.post("/associations", { ...other, associations: [{ subject: `${own.topic}-1` }] });

    expect((await registry.get(`/associations/resources/${own.namespace}/-`)).body).toMatchObject([
      { resourceName: own.topic },
      { resourceName: `${own.topic}b` },
    ]);
  });
});

describe("creating associations", () => {
  it("defaults to value, topic and WEAK", async () => {
    const subject = `${own.topic}-s`;
    await registry.register(subject, record("a"));
    const { resourceType: _, ...untyped } = resource();

    const created = await registry.post("/associations", { ...untyped, associations: [{ subject }] });

    expect(created.body).toEqual({
      ...resource(),
      associations: [{ subject, associationType: "value", lifecycle: "WEAK", frozen: false }],
    });
  });

  it("registers a schema that comes with one, and makes it strong and frozen under the resource's default subject", async () => {
    const { body: created } = await create({ associationType: "value", schema: { schema: record("a") } });

    expect(created).toEqual({
      ...resource(),
      associations: [
        {
          subject: own.standard,
          associationType: "value",
          lifecycle: "STRONG",
          frozen: true,
          schema: expect.objectContaining({ subject: own.standard, version: 1, schema: record("a") }),
        },
      ],
    });
    expect(await versionsOf(own.standard)).toEqual([1]);
  });

  it("normalises its schema on request", async () => {
    const loose = '{"type":"record","name":"R","fields":[{"name":"a","type":"int","z":1,"b":2}]}';

    const { body: created } = await create({ schema: { schema: loose }, normalize: true });

    const { schema } = (created as { associations: { schema: { schema: string } }[] }).associations[0]!.schema;
    const asked = await registry.post(`/subjects/${encodeURIComponent(own.standard)}?normalize=true`, {
      schema: loose,
    });
    expect(asked.body).toMatchObject({ schema });
  });

  it.each([
    ["associationType", { associationType: "header" }],
    ["frozen", { lifecycle: "WEAK", frozen: true }],
    ["lifecycle", { lifecycle: "WEAK", schema: { schema: record("a") } }],
    ["frozen", { frozen: false, schema: { schema: record("a") } }],
    ["schema", { lifecycle: "STRONG", frozen: true, subject: undefined }],
    ["subject", { lifecycle: "STRONG", frozen: true, schema: { schema: record("a") } }],
    ["subject", { subject: undefined, lifecycle: "WEAK" }],
    ["subject", { subject: "" }],
    ["subject", { subject: "a\u0007b" }],
  ])("refuses an invalid %s in %j", async (property, association) => {
    const subject = `${own.topic}-s`;

    expect(await associate(subject, association)).toMatchObject(invalid(property));
    expect(await ofResource()).toEqual([]);
  });

  it.each([
    ["resourceName", { resourceName: undefined }],
    ["resourceName", { resourceName: "" }],
    ["resourceName", { resourceName: "a/b" }],
    ["resourceName", { resourceName: "x".repeat(257) }],
    ["resourceNamespace", { resourceNamespace: undefined }],
    ["resourceId", { resourceId: undefined }],
    ["resourceType", { resourceType: "table" }],
    ["associations", { associations: [] }],
    ["associations", { associations: undefined }],
  ])("refuses a resource whose %s is as in %j", async (property, changed) => {
    const asked = { ...body({ subject: `${own.topic}-s` }), ...changed };

    expect(await registry.post("/associations", asked)).toMatchObject(invalid(property));
  });

  it("accepts a resource name of 256 characters", async () => {
    const subject = `${own.topic}-s`;
    await registry.register(subject, record("a"));

    const created = await registry.post("/associations", { ...body({ subject }), resourceName: "x".repeat(256) });

    expect(created.status).toBe(200);
  });

  it("refuses an unknown lifecycle as malformed", async () => {
    expect(await associate(`${own.topic}-s`, { lifecycle: "strong" })).toMatchObject(error(400, /lifecycle/));
  });

  it("refuses two of one type", async () => {
    const subject = `${own.topic}-s`;
    await registry.register(subject, record("a"));

    expect(await create({ subject }, { subject })).toMatchObject(
      error(42212, /'associationType', detail: Duplicate association type: value$/),
    );
  });

  it("refuses to mix frozen ones with others", async () => {
    await registry.register(`${own.topic}-k`, record("a"));
    const loose = { subject: `${own.topic}-k`, associationType: "key", lifecycle: "STRONG" };
    const frozen = { associationType: "value", schema: { schema: record("a") } };

    expect(await create(loose, frozen)).toMatchObject(invalid("frozen"));
    await create(loose);
    expect(await upsert({ ...frozen, frozen: true })).toMatchObject(invalid("frozen"));
    expect(await versionsOf(own.standard)).toMatchObject({ error_code: 40401 });
  });

  it("adds a frozen association to a frozen one", async () => {
    await create({ associationType: "key", schema: { schema: record("a") } });

    await upsert({ associationType: "value", frozen: true, schema: { schema: record("b") } });

    expect(await ofResource()).toMatchObject([
      { associationType: "key", frozen: true },
      { associationType: "value", frozen: true },
    ]);
  });

  it("reserves the default subject for strong associations", async () => {
    await registry.register(own.standard, record("a"));

    expect(await create({ subject: own.standard, lifecycle: "WEAK" })).toMatchObject(invalid("subject"));
    expect((await create({ lifecycle: "STRONG" })).body).toMatchObject({
      associations: [{ subject: own.standard, lifecycle: "STRONG", frozen: false }],
    });
  });

  it("refuses a frozen association for a subject that already has schemas", async () => {
    await registry.register(own.standard, record("a"));

    expect(await create({ schema: { schema: record("b?") } })).toMatchObject(invalid("frozen"));
    expect(await versionsOf(own.standard)).toEqual([1]);
  });

  it("requires a live version unless it comes with a schema", async () => {
    const subject = `${own.topic}-none`;
    const missing = error(40907, `No active (non-deleted) version exists for subject '${subject}'`);

    expect(await create({ subject })).toMatchObject(missing);
    await registry.register(subject, record("a"));
    await registry.delete(`/subjects/${subject}`);
    expect(await create({ subject })).toMatchObject(missing);
  });

  it("registers nothing if one of several schemas is refused", async () => {
    const refused = await create(
      { associationType: "key", schema: { schema: record("a") } },
      { associationType: "value", schema: { schema: "no schema" } },
    );

    expect(refused).toMatchObject(error(42201, /^Invalid schema/));
    expect(await versionsOf(`:.${own.namespace}:${own.topic}-key`)).toMatchObject({ error_code: 40401 });
    expect(await ofResource()).toEqual([]);
  });

  it("may be repeated, and is refused if the repeat differs", async () => {
    const subject = `${own.topic}-a`;
    await associate(subject, { lifecycle: "STRONG" });
    const exists = error(40903, `An association of type 'value' already exists for resource '${own.topic}'`);

    expect((await create({ subject, lifecycle: "STRONG" })).status).toBe(200);
    expect((await create({ subject })).status).toBe(200);
    expect(await create({ subject, lifecycle: "WEAK" })).toMatchObject(exists);
    expect(await associate(`${own.topic}-b`)).toMatchObject(exists);
  });

  it("with a schema may be repeated only with the same schema", async () => {
    const first = await create({ schema: { schema: record("a") } });
    const again = await create({ schema: { schema: record("a") } });
    const other = await create({ schema: { schema: record("a", "b?") } });

    expect([first.status, again.status]).toEqual([200, 200]);
    expect(other).toMatchObject(
      error(40903, `An association of type 'value' already exists for resource '${own.topic}'`),
    );
    expect(await versionsOf(own.standard)).toEqual([1]);
  });

  it("applies to the target of an alias", async () => {
    const [alias, subject] = [`${own.topic}-alias`, `${own.topic}-real`];
    await registry.register(subject, record("a"));
    await registry.put(`/config/${alias}`, { alias: subject });

    expect((await create({ subject: alias })).body).toMatchObject({ associations: [{ subject }] });
    expect((await registry.get(`/associations/subjects/${alias}`)).body).toMatchObject([{ subject }]);
  });

  it("is refused while the subject is read-only", async () => {
    const subject = `${own.topic}-s`;
    await registry.register(subject, record("a"));
    await registry.put(`/mode/${subject}`, { mode: "READONLY" });

    const refused = error(42205, `Subject ${subject} in context  is in read-only mode`);
    expect(await create({ subject })).toMatchObject(refused);
    await registry.delete(`/mode/${subject}`);
    await create({ subject });
    await registry.put(`/mode/${subject}`, { mode: "READONLY" });
    expect(await remove()).toMatchObject(refused);
  });

  it("resolves an unqualified subject in the request's context", async () => {
    const context = unique("ctx");
    await registry.register(`:.${context}:s`, record("a"));
    const inContext = { associations: [{ subject: `:.${context}:s` }] };

    const byPath = await registry.post(`/contexts/${context}/associations`, body({ subject: "s" }));
    const byQuery = await registry.post(`/associations?context=.${context}`, body({ subject: "s" }));
    const qualified = await registry.post(`/associations?context=.other`, body({ subject: `:.${context}:s` }));

    expect(byPath.body).toMatchObject(inContext);
    expect(byQuery.body).toMatchObject(inContext);
    expect(qualified.body).toMatchObject(inContext);
  });
});

describe("strong and weak associations", () => {
  const elsewhere = (association: object) => ({
    ...body(association),
    resourceName: `${own.topic}b`,
    resourceId: `${own.resourceId}-2`,
  });

  it("a strong one excludes every other, and references", async () => {
    const subject = `${own.topic}-strong`;
    await registry.register(subject, '{"type":"record","name":"Base","fields":[]}');
    await create({ subject, lifecycle: "STRONG" });

    const taken = error(40905, `A strong association already exists for subject '${subject}'`);
    expect(await registry.post("/associations", elsewhere({ subject }))).toMatchObject(taken);
    expect(await create({ subject, associationType: "key" })).toMatchObject(taken);
    const referring = await registry.post(`/subjects/${own.topic}-top/versions`, {
      schema: '{"type":"record","name":"Top","fields":[{"name":"base","type":"Base"}]}',
      references: [{ name: "Base", subject, version: 1 }],
    });
    expect(referring).toMatchObject(
      error(42205, `Subject '${subject}' has a strong association and cannot be referenced`),
    );
  });

  it("refuses a strong association next to a weak one, which allows others", async () => {
    const subject = `${own.topic}-weak`;
    await associate(subject);

    expect(await registry.post("/associations", elsewhere({ subject, lifecycle: "STRONG" }))).toMatchObject(
      error(40904, `An association already exists for subject '${subject}'`),
    );
    expect((await registry.post("/associations", elsewhere({ subject }))).status).toBe(200);
    expect(await upsert({ subject, lifecycle: "STRONG" })).toMatchObject(
      error(40904, `An association already exists for subject '${subject}'`),
    );
  });

  it("does not conflict with itself when changed", async () => {
    const subject = `${own.topic}-own`;
    await associate(subject, { lifecycle: "STRONG" });
    const [before] = (await ofResource()) as unknown as { createTs: number; guid: string }[];

    const weakened = await upsert({ subject, lifecycle: "WEAK" });
    const [after] = (await ofResource()) as unknown as { createTs: number; guid: string }[];

    expect(weakened.body).toMatchObject({ associations: [{ lifecycle: "WEAK" }] });
    expect(after).toMatchObject({ createTs: before!.createTs, guid: before!.guid, lifecycle: "WEAK" });
  });

  it("prevent the deletion of their subject", async () => {
    const subject = `${own.topic}-alive`;
    await associate(subject);

    expect(await registry.delete(`/subjects/${subject}`)).toMatchObject(
      error(40904, `An association already exists for subject '${subject}'`),
    );
    expect(await registry.delete(`/subjects/${subject}/versions/1`)).toMatchObject(
      error(40907, `No active (non-deleted) version exists for subject '${subject}'`),
    );
    expect(await remove()).toMatchObject({ status: 204 });
    expect((await registry.delete(`/subjects/${subject}`)).body).toEqual([1]);
  });
});
