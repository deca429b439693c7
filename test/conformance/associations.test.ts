import { beforeEach, describe, expect, it } from "vitest";
import { type Answer, error, record, unique, useRegistry } from "./registry.ts";

const registry = useRegistry();
let topic = "";
let resourceId = "";
let namespace = "";
/** The subject of the resource's frozen associations. */
let standard = "";

beforeEach(() => {
  topic = unique("topic");
  resourceId = unique("resource");
  namespace = unique("cluster");
  standard = `:.${namespace}:${topic}-value`;
});

const resource = () => ({ resourceName: topic, resourceNamespace: namespace, resourceId, resourceType: "topic" });
const body = (...associations: object[]) => ({ ...resource(), associations });
const create = (...associations: object[]) => registry.post("/associations", body(...associations));
const upsert = (...associations: object[]) =>
  registry.put(`/associations/resources/${resourceId}`, body(...associations));
const remove = (query = "") => registry.delete(`/associations/resources/${resourceId}${query}`);
const versionsOf = async (subject: string) =>
  (await registry.get(`/subjects/${encodeURIComponent(subject)}/versions`)).body;
const ofResource = async (query = "") =>
  (await registry.get(`/associations/resources/${resourceId}${query}`)).body as { associationType: string }[];

/** Registers a schema under a subject, then associates it. */
async function associate(subject: string, more: object = {}): Promise<Answer> {
  await registry.register(subject, record("a"));
  return create({ subject, associationType: "value", ...more });
}

const invalid = (property: string) =>
  error(42212, new RegExp(`^The association specified an invalid value for property: '${property}', detail: .`));

describe("reading associations", () => {
  it("finds them by subject, resource id, and namespace and name", async () => {
    const subject = `${topic}-orders`;

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
    expect(await read(`/associations/resources/${resourceId}`)).toEqual(expected);
    expect(await read(`/associations/resources/${namespace}/${topic}`)).toEqual(expected);
    expect(await read(`/associations/resources/-/${topic}`)).toEqual(expected);
    expect(await read(`/associations/resources/${namespace}/-`)).toEqual(expected);
    expect(await read(`/associations/resources/other/${topic}`)).toEqual([]);
    expect(await read(`/associations/resources/${namespace}/other`)).toEqual([]);
    expect(await read(`/associations/subjects/${subject}-other`)).toEqual([]);
  });

  it("filters by resource type, association types and lifecycle", async () => {
    await associate(`${topic}-v`, { lifecycle: "STRONG" });
    await associate(`${topic}-k`, { associationType: "key" });

    const typesOf = async (query: string) => (await ofResource(query)).map(({ associationType }) => associationType);
    expect(await typesOf("")).toEqual(["key", "value"]);
    expect(await typesOf("?associationType=key")).toEqual(["key"]);
    expect(await typesOf("?associationType=key&associationType=value")).toEqual(["key", "value"]);
    expect(await typesOf("?lifecycle=STRONG")).toEqual(["value"]);
    expect(await typesOf("?lifecycle=WEAK&associationType=value")).toEqual([]);
    expect(await typesOf("?resourceType=topic")).toEqual(["key", "value"]);
    expect(await typesOf("?resourceType=table")).toEqual([]);
    expect(await registry.get(`/associations/resources/${resourceId}?lifecycle=STRANGE`)).toMatchObject(
      error(404, "HTTP 404 Not Found"),
    );
  });

  it("pages by offset and limit", async () => {
    await associate(`${topic}-v`);
    await associate(`${topic}-k`, { associationType: "key" });

    expect(await ofResource("?limit=1")).toMatchObject([{ associationType: "key" }]);
    expect(await ofResource("?offset=1")).toMatchObject([{ associationType: "value" }]);
    expect(await ofResource("?offset=2&limit=1")).toEqual([]);
    expect(await ofResource("?limit=-1")).toHaveLength(2);
  });

  it("lists all resources of a namespace for a dash", async () => {
    await associate(`${topic}-1`);
    const other = { ...resource(), resourceName: `${topic}b`, resourceId: `${resourceId}-2` };
    await registry.post("/associations", { ...other, associations: [{ subject: `${topic}-1` }] });

    expect((await registry.get(`/associations/resources/${namespace}/-`)).body).toMatchObject([
      { resourceName: topic },
      { resourceName: `${topic}b` },
    ]);
  });
});

describe("creating associations", () => {
  it("defaults to value, topic and WEAK", async () => {
    const subject = `${topic}-s`;
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
          subject: standard,
          associationType: "value",
          lifecycle: "STRONG",
          frozen: true,
          schema: expect.objectContaining({ subject: standard, version: 1, schema: record("a") }),
        },
      ],
    });
    expect(await versionsOf(standard)).toEqual([1]);
  });

  it("normalises its schema on request", async () => {
    const loose = '{"type":"record","name":"R","fields":[{"name":"a","type":"int","z":1,"b":2}]}';

    const { body: created } = await create({ schema: { schema: loose }, normalize: true });

    const { schema } = (created as { associations: { schema: { schema: string } }[] }).associations[0]!.schema;
    const asked = await registry.post(`/subjects/${encodeURIComponent(standard)}?normalize=true`, { schema: loose });
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
    const subject = `${topic}-s`;

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
    const asked = { ...body({ subject: `${topic}-s` }), ...changed };

    expect(await registry.post("/associations", asked)).toMatchObject(invalid(property));
  });

  it("accepts a resource name of 256 characters", async () => {
    const subject = `${topic}-s`;
    await registry.register(subject, record("a"));

    const created = await registry.post("/associations", { ...body({ subject }), resourceName: "x".repeat(256) });

    expect(created.status).toBe(200);
  });

  it("refuses an unknown lifecycle as malformed", async () => {
    expect(await associate(`${topic}-s`, { lifecycle: "strong" })).toMatchObject(error(400, /lifecycle/));
  });

  it("refuses two of one type", async () => {
    const subject = `${topic}-s`;
    await registry.register(subject, record("a"));

    expect(await create({ subject }, { subject })).toMatchObject(
      error(42212, /'associationType', detail: Duplicate association type: value$/),
    );
  });

  it("refuses to mix frozen ones with others", async () => {
    await registry.register(`${topic}-k`, record("a"));
    const loose = { subject: `${topic}-k`, associationType: "key", lifecycle: "STRONG" };
    const frozen = { associationType: "value", schema: { schema: record("a") } };

    expect(await create(loose, frozen)).toMatchObject(invalid("frozen"));
    await create(loose);
    expect(await upsert({ ...frozen, frozen: true })).toMatchObject(invalid("frozen"));
    expect(await versionsOf(standard)).toMatchObject({ error_code: 40401 });
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
    await registry.register(standard, record("a"));

    expect(await create({ subject: standard, lifecycle: "WEAK" })).toMatchObject(invalid("subject"));
    expect((await create({ lifecycle: "STRONG" })).body).toMatchObject({
      associations: [{ subject: standard, lifecycle: "STRONG", frozen: false }],
    });
  });

  it("refuses a frozen association for a subject that already has schemas", async () => {
    await registry.register(standard, record("a"));

    expect(await create({ schema: { schema: record("b?") } })).toMatchObject(invalid("frozen"));
    expect(await versionsOf(standard)).toEqual([1]);
  });

  it("requires a live version unless it comes with a schema", async () => {
    const subject = `${topic}-none`;
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
    expect(await versionsOf(`:.${namespace}:${topic}-key`)).toMatchObject({ error_code: 40401 });
    expect(await ofResource()).toEqual([]);
  });

  it("may be repeated, and is refused if the repeat differs", async () => {
    const subject = `${topic}-a`;
    await associate(subject, { lifecycle: "STRONG" });
    const exists = error(40903, `An association of type 'value' already exists for resource '${topic}'`);

    expect((await create({ subject, lifecycle: "STRONG" })).status).toBe(200);
    expect((await create({ subject })).status).toBe(200);
    expect(await create({ subject, lifecycle: "WEAK" })).toMatchObject(exists);
    expect(await associate(`${topic}-b`)).toMatchObject(exists);
  });

  it("with a schema may be repeated only with the same schema", async () => {
    const first = await create({ schema: { schema: record("a") } });
    const again = await create({ schema: { schema: record("a") } });
    const other = await create({ schema: { schema: record("a", "b?") } });

    expect([first.status, again.status]).toEqual([200, 200]);
    expect(other).toMatchObject(error(40903, `An association of type 'value' already exists for resource '${topic}'`));
    expect(await versionsOf(standard)).toEqual([1]);
  });

  it("applies to the target of an alias", async () => {
    const [alias, subject] = [`${topic}-alias`, `${topic}-real`];
    await registry.register(subject, record("a"));
    await registry.put(`/config/${alias}`, { alias: subject });

    expect((await create({ subject: alias })).body).toMatchObject({ associations: [{ subject }] });
    expect((await registry.get(`/associations/subjects/${alias}`)).body).toMatchObject([{ subject }]);
  });

  it("is refused while the subject is read-only", async () => {
    const subject = `${topic}-s`;
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
    resourceName: `${topic}b`,
    resourceId: `${resourceId}-2`,
  });

  it("a strong one excludes every other, and references", async () => {
    const subject = `${topic}-strong`;
    await registry.register(subject, '{"type":"record","name":"Base","fields":[]}');
    await create({ subject, lifecycle: "STRONG" });

    const taken = error(40905, `A strong association already exists for subject '${subject}'`);
    expect(await registry.post("/associations", elsewhere({ subject }))).toMatchObject(taken);
    expect(await create({ subject, associationType: "key" })).toMatchObject(taken);
    const referring = await registry.post(`/subjects/${topic}-top/versions`, {
      schema: '{"type":"record","name":"Top","fields":[{"name":"base","type":"Base"}]}',
      references: [{ name: "Base", subject, version: 1 }],
    });
    expect(referring).toMatchObject(
      error(42205, `Subject '${subject}' has a strong association and cannot be referenced`),
    );
  });

  it("refuses a strong association next to a weak one, which allows others", async () => {
    const subject = `${topic}-weak`;
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
    const subject = `${topic}-own`;
    await associate(subject, { lifecycle: "STRONG" });
    const [before] = (await ofResource()) as unknown as { createTs: number; guid: string }[];

    const weakened = await upsert({ subject, lifecycle: "WEAK" });
    const [after] = (await ofResource()) as unknown as { createTs: number; guid: string }[];

    expect(weakened.body).toMatchObject({ associations: [{ lifecycle: "WEAK" }] });
    expect(after).toMatchObject({ createTs: before!.createTs, guid: before!.guid, lifecycle: "WEAK" });
  });

  it("prevent the deletion of their subject", async () => {
    const subject = `${topic}-alive`;
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

describe("PUT of associations", () => {
  it("creates missing associations and keeps the others", async () => {
    const subject = `${topic}-a`;
    await registry.register(subject, record("a"));

    expect((await upsert({ subject })).body).toMatchObject({ associations: [{ subject, lifecycle: "WEAK" }] });
    expect((await upsert({ subject, lifecycle: "STRONG" })).body).toMatchObject({
      associations: [{ lifecycle: "STRONG" }],
    });
    expect((await upsert({})).body).toMatchObject({ associations: [{ subject, lifecycle: "STRONG" }] });
  });

  it("never moves an association to another subject", async () => {
    await associate(`${topic}-a`);
    await registry.register(`${topic}-b`, record("a"));

    expect(await upsert({ subject: `${topic}-b` })).toMatchObject(invalid("subject"));
  });

  it("does not weaken one that uses the default subject", async () => {
    await registry.register(standard, record("a"));
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
    expect(await versionsOf(standard)).toEqual([1, 2]);
  });

  it("does not freeze an existing association", async () => {
    const subject = `${topic}-a`;
    await associate(subject, { lifecycle: "STRONG" });

    expect(await upsert({ subject, frozen: true })).toMatchObject({ status: 422, body: { error_code: 42212 } });
  });

  it("uses the path's resource id, and refuses a different one in the body", async () => {
    const subject = `${topic}-a`;
    await registry.register(subject, record("a"));
    const { resourceId: _, ...anonymous } = body({ subject });

    expect((await registry.put(`/associations/resources/${resourceId}`, anonymous)).body).toMatchObject({ resourceId });
    expect(await registry.put("/associations/resources/another", body({ subject }))).toMatchObject(
      invalid("resourceId"),
    );
  });
});

describe("dry runs", () => {
  it("report the resource, change nothing, and need no resource id", async () => {
    const subject = `${topic}-dry`;
    await registry.register(subject, record("a"));
    const { resourceId: _, ...anonymous } = resource();

    const tried = await registry.post("/associations?dryRun=true", { ...anonymous, associations: [{ subject }] });
    const withSchema = await registry.post(
      "/associations?dryRun=true",
      body({ associationType: "key", schema: { schema: record("a") } }),
    );
    const put = await registry.put(`/associations/resources/${resourceId}?dryRun=true`, body({ subject }));

    expect(tried).toMatchObject({ status: 200, body: anonymous });
    expect(tried.body).not.toHaveProperty("associations");
    expect(tried.body).not.toHaveProperty("resourceId");
    expect(withSchema.body).toEqual(resource());
    expect(put.body).toEqual(resource());
    expect(await ofResource()).toEqual([]);
    expect(await versionsOf(`:.${namespace}:${topic}-key`)).toMatchObject({ error_code: 40401 });
  });

  it("are refused like the change itself", async () => {
    const tried = (association: object) => registry.post("/associations?dryRun=true", body(association));

    expect(await tried({ subject: `${topic}-none` })).toMatchObject({ status: 409, body: { error_code: 40907 } });
    expect(await tried({ schema: { schema: "no schema" } })).toMatchObject({
      status: 422,
      body: { error_code: 42201 },
    });
    expect(await remove("?dryRun=true")).toMatchObject(error(40410, `Association for '${resourceId}' not found.`));
  });

  it("of a delete keep the association", async () => {
    await associate(`${topic}-s`);

    expect(await remove("?dryRun=true")).toMatchObject({ status: 204 });
    expect(await ofResource()).toHaveLength(1);
  });
});

describe("a repeat with the same Idempotency-Key", () => {
  const withKey = { "Idempotency-Key": unique("key") };
  const schema = { schema: record("a") };

  it("returns the first outcome and changes nothing, even if the association is gone", async () => {
    const sent = body({ associationType: "value", schema });
    const first = await registry.post("/associations", sent, withKey);
    await remove("?cascadeLifecycle=true");

    const repeated = await registry.post("/associations", sent, withKey);

    expect(first.status).toBe(200);
    expect({ ...repeated, headers: undefined }).toMatchObject({
      status: 200,
      body: { ...resource(), associations: [{ subject: standard }] },
    });
    expect(await ofResource()).toEqual([]);
    expect(await registry.get(`/subjects/${encodeURIComponent(standard)}/versions`)).toMatchObject(
      error(40401, /not found/),
    );
  });

  it("answers the schema that came along again", async () => {
    const sent = body({ associationType: "value", schema });
    const first = await registry.post("/associations", sent, withKey);

    const repeated = await registry.post("/associations", sent, withKey);

    expect(repeated.body).toEqual(first.body);
    expect(await versionsOf(standard)).toEqual([1]);
  });

  it("is refused if the request differs, in its schema too", async () => {
    await registry.post("/associations", body({ associationType: "value", schema }), withKey);

    const other = await registry.post(
      "/associations",
      body({ associationType: "value", schema: { schema: record("b") } }),
      withKey,
    );

    expect(other).toMatchObject(error(422, /Idempotency-Key was used for another request/));
  });

  it("deletes no association that was created since", async () => {
    await associate(`${topic}-value`);
    const path = `/associations/resources/${resourceId}`;
    await registry.call("DELETE", path, undefined, withKey);
    await create({ subject: `${topic}-value` });

    const repeated = await registry.call("DELETE", path, undefined, withKey);

    expect(repeated.status).toBe(204);
    expect(await ofResource()).toHaveLength(1);
  });

  it("covers each operation of a batch", async () => {
    for (const type of ["key", "value"]) await registry.register(`${topic}-${type}`, record("a"));
    const associations = ["key", "value"].map((associationType) => ({
      opType: "CREATE",
      subject: `${topic}-${associationType}`,
      associationType,
    }));
    const sent = { requests: [{ ...resource(), associations }] };
    const first = await registry.post("/associations:batchMutate", sent, withKey);
    await remove();

    const repeated = await registry.post("/associations:batchMutate", sent, withKey);

    expect(first.body).toMatchObject({ results: [{ result: { associations: [{}, {}] } }] });
    expect(repeated.body).toEqual({ results: [{ result: resource() }] });
    expect(await ofResource()).toEqual([]);
  });
});

describe("deleting associations", () => {
  it("deletes those of the given types, or all", async () => {
    await associate(`${topic}-v`);
    await associate(`${topic}-k`, { associationType: "key" });

    expect(await remove("?associationType=key")).toMatchObject({ status: 204, text: "" });
    expect(await ofResource()).toMatchObject([{ associationType: "value" }]);
    expect(await remove("?associationType=key")).toMatchObject(
      error(40410, `Association for '${resourceId}' not found.`),
    );
    expect(await remove()).toMatchObject({ status: 204 });
    expect(await versionsOf(`${topic}-v`)).toEqual([1]);
  });

  it("with cascadeLifecycle hard-deletes the subjects of strong ones and keeps those of weak ones", async () => {
    await associate(`${topic}-v`, { lifecycle: "STRONG" });
    await associate(`${topic}-k`, { associationType: "key" });

    expect(await remove("?cascadeLifecycle=true")).toMatchObject({ status: 204 });

    expect((await registry.get(`/subjects?deleted=true&subjectPrefix=${topic}`)).body).toEqual([`${topic}-k`]);
  });

  it("of a frozen association requires cascadeLifecycle", async () => {
    await create({ schema: { schema: record("a") } });
    const frozen = error(40908, `The association of type  'value' is frozen for subject '${standard}'`);

    expect(await remove()).toMatchObject(frozen);
    expect(await remove("?dryRun=true")).toMatchObject(frozen);
    expect(await remove("?cascadeLifecycle=true")).toMatchObject({ status: 204 });
    expect(await versionsOf(standard)).toMatchObject({ error_code: 40401 });
    expect((await create({ schema: { schema: record("b") } })).status).toBe(200);
  });

  it("with cascadeLifecycle keeps everything if a subject is referenced", async () => {
    const subject = `${topic}-base`;
    await registry.register(subject, '{"type":"record","name":"Base","fields":[]}');
    await registry.register(`${topic}-top`, {
      schema: '{"type":"record","name":"Top","fields":[{"name":"base","type":"Base"}]}',
      references: [{ name: "Base", subject, version: 1 }],
    });
    await create({ subject, lifecycle: "STRONG" });

    expect(await remove("?cascadeLifecycle=true")).toMatchObject({ status: 422, body: { error_code: 42206 } });
    expect(await ofResource()).toHaveLength(1);
    expect(await versionsOf(subject)).toEqual([1]);
  });
});

describe("batches", () => {
  const batch = (...requests: object[]) => registry.post("/associations:batchMutate", { requests });
  const second = () => ({ ...resource(), resourceName: `${topic}b`, resourceId: `${resourceId}-2` });

  it("run each request's operations in order, and answer with the resulting resource", async () => {
    for (const type of ["key", "value"]) await registry.register(`${topic}-${type}`, record("a"));
    await create({ subject: `${topic}-key`, associationType: "key" });

    const answer = await batch({
      ...resource(),
      associations: [
        { opType: "CREATE", subject: `${topic}-value`, associationType: "value", lifecycle: "STRONG" },
        { opType: "UPSERT", subject: `${topic}-key`, associationType: "key", lifecycle: "STRONG" },
        { opType: "DELETE", associationType: "key" },
      ],
    });

    const associations = [{ subject: `${topic}-value`, associationType: "value", lifecycle: "STRONG", frozen: false }];
    expect(answer).toMatchObject({ status: 207, body: { results: [{ result: { ...resource(), associations } }] } });
    expect(await ofResource()).toHaveLength(1);
  });

  it("accept 100 operations in all and refuse more", async () => {
    const operations = (count: number) =>
      Array.from({ length: count }, () => ({ opType: "DELETE", associationType: "value" }));

    expect((await batch({ ...resource(), associations: operations(100) })).status).toBe(207);
    expect(await batch({ ...resource(), associations: operations(101) })).toMatchObject({ status: 422 });
  });

  it("with a schema give it in the answer", async () => {
    const answer = await batch({
      ...resource(),
      associations: [{ opType: "CREATE", schema: { schema: record("a") } }],
    });

    expect(answer.body).toMatchObject({
      results: [
        {
          result: { associations: [{ subject: standard, frozen: true, schema: { version: 1, schema: record("a") } }] },
        },
      ],
    });
  });

  it("report a failing request in its place and continue", async () => {
    await registry.register(`${topic}-s`, record("a"));

    const answer = await batch(
      { ...resource(), associations: [{ opType: "CREATE", subject: `${topic}-none` }] },
      { ...resource(), resourceName: "", associations: [{ opType: "CREATE", subject: `${topic}-s` }] },
      { ...resource(), associations: [] },
      { ...second(), associations: [{ opType: "CREATE", subject: `${topic}-s` }] },
    );

    expect(answer).toMatchObject({
      status: 207,
      body: {
        results: [
          { error: { error_code: 40907 } },
          { error: { error_code: 42212 } },
          { error: { error_code: 42212 } },
          { result: { resourceId: `${resourceId}-2` } },
        ],
      },
    });
    const { results } = answer.body as { results: object[] };
    expect(results.map((result) => Object.keys(result))).toEqual([["error"], ["error"], ["error"], ["result"]]);
  });

  it("refuse a mix of frozen operations and others before executing any", async () => {
    await registry.register(`${topic}-s`, record("a"));

    const answer = await batch({
      ...resource(),
      associations: [
        { opType: "CREATE", associationType: "key", schema: { schema: record("a") } },
        { opType: "CREATE", subject: `${topic}-s`, lifecycle: "STRONG", frozen: false },
      ],
    });

    expect(answer.body).toMatchObject({ results: [{ error: { error_code: 42212 } }] });
    expect(await ofResource()).toEqual([]);
  });

  it("delete missing associations without an error, and subjects with cascadeLifecycle", async () => {
    await create({ schema: { schema: record("a") } });
    const deletion = (more: object) => batch({ ...resource(), associations: [{ opType: "DELETE", ...more }] });

    expect((await deletion({ associationType: "key" })).body).toMatchObject({
      results: [{ result: { associations: [{ subject: standard }] } }],
    });
    expect((await deletion({})).body).toMatchObject({ results: [{ error: { error_code: 40908 } }] });
    expect((await deletion({ cascadeLifecycle: true })).body).toEqual({ results: [{ result: resource() }] });
    expect(await versionsOf(standard)).toMatchObject({ error_code: 40401 });
  });

  it("change nothing with dryRun", async () => {
    await registry.register(`${topic}-s`, record("a"));
    const asked = { ...resource(), associations: [{ opType: "CREATE", subject: `${topic}-s` }] };

    const tried = await registry.post("/associations:batchMutate?dryRun=true", { requests: [asked] });

    expect(tried.body).toEqual({ results: [{ result: resource() }] });
    expect(await ofResource()).toEqual([]);
  });

  it.each(["batchMutate", "batchGet"])("%s needs requests", async (verb) => {
    for (const asked of [{}, { requests: [] }, { requests: null }]) {
      expect(await registry.post(`/associations:${verb}`, asked)).toMatchObject(invalid("requests"));
    }
  });

  it("refuse an operation of unknown type as malformed", async () => {
    expect(await batch({ ...resource(), associations: [{ opType: "NONSENSE" }] })).toMatchObject(error(400, /opType/));
    expect(await batch({ ...resource(), associations: [{}] })).toMatchObject(error(400, /opType/));
  });

  it("get by resource id, and by name, with a lifecycle and types", async () => {
    await associate(`${topic}-v`, { lifecycle: "STRONG" });
    await associate(`${topic}-k`, { associationType: "key" });
    const { resourceName, resourceNamespace } = resource();
    const named = { resourceName, resourceNamespace };
    const get = async (...requests: object[]) =>
      (await registry.post("/associations:batchGet", { requests })).body as { results: object[] };

    const value = { subject: `${topic}-v`, associationType: "value", lifecycle: "STRONG", frozen: false };
    const key = { subject: `${topic}-k`, associationType: "key", lifecycle: "WEAK", frozen: false };
    const found = (...associations: object[]) => ({ result: { ...resource(), associations } });
    expect(
      await get(
        { resourceId },
        named,
        { ...named, lifecycle: "STRONG" },
        { resourceId, associationTypes: ["key"] },
        { resourceName, resourceNamespace: "-", lifecycle: "WEAK" },
      ),
    ).toEqual({
      results: [
        found(key, value),
        found(key, value),
        found(value),
        found(key),
        { result: { ...resource(), resourceNamespace: "-", associations: [key] } },
      ],
    });
    expect(await get({ resourceId: "unknown" }, { resourceName })).toMatchObject({
      results: [{ result: { resourceId: "unknown", resourceType: "topic" } }, { error: { error_code: 42212 } }],
    });
  });

  it("get the newest schemas with includeSchemas", async () => {
    await associate(`${topic}-v`);
    await registry.register(`${topic}-v`, record("a", "b?"));

    const got = await registry.post("/associations:batchGet?includeSchemas=true", { requests: [{ resourceId }] });

    expect(got).toMatchObject({
      status: 207,
      body: { results: [{ result: { associations: [{ schema: { version: 2, schema: record("a", "b?") } }] } }] },
    });
  });
});

describe("GET /schemas by association", () => {
  const list = async (query: string) =>
    (await registry.get(`/schemas?subjectPrefix=${topic}&${query}`)).body as {
      subject: string;
      associations?: object[];
    }[];

  beforeEach(async () => {
    await associate(`${topic}-k`, { associationType: "key" });
    await associate(`${topic}-v`, { lifecycle: "STRONG" });
    await registry.register(`${topic}-z`, record("a"));
  });

  it("shows the matching associations with each schema", async () => {
    expect(await list("resourceType=topic")).toMatchObject([
      { subject: `${topic}-k`, associations: [{ associationType: "key", resourceId }] },
      { subject: `${topic}-v`, associations: [{ associationType: "value", lifecycle: "STRONG", resourceName: topic }] },
      { subject: `${topic}-z` },
    ]);
    const [key, value] = await list("associationType=value");
    expect(key).not.toHaveProperty("associations");
    expect(value).toHaveProperty("associations");
    for (const item of await list("")) expect(item).not.toHaveProperty("associations");
  });

  it("selects schemas by lifecycle, with NONE for those without an association", async () => {
    const subjects = async (query: string) => (await list(query)).map(({ subject }) => subject.slice(topic.length + 1));

    expect(await subjects("lifecycle=STRONG")).toEqual(["v"]);
    expect(await subjects("lifecycle=WEAK&lifecycle=STRONG")).toEqual(["k", "v"]);
    expect(await subjects("lifecycle=NONE")).toEqual(["z"]);
    expect(await subjects("lifecycle=NONE&lifecycle=STRONG")).toEqual(["v", "z"]);
    expect(await subjects("lifecycle=WEAK&associationType=value")).toEqual([]);
    expect(await registry.get("/schemas?lifecycle=SOME")).toMatchObject(error(404, "HTTP 404 Not Found"));
  });
});
