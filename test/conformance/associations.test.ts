import { beforeEach, describe, expect, it } from "vitest";
import { error, record, unique, useRegistry } from "./registry.ts";

const registry = useRegistry();
let topic = "";
let resourceId = "";

beforeEach(() => {
  topic = unique("topic");
  resourceId = unique("resource");
});

const body = (...associations: object[]) => ({
  resourceName: topic,
  resourceNamespace: "cluster",
  resourceId,
  resourceType: "topic",
  associations,
});

async function associate(subject: string, more: object = {}) {
  await registry.register(subject, record("a"));
  return registry.post("/associations", body({ subject, associationType: "value", ...more }));
}

describe("§5.9 associations", () => {
  it("are created for a subject that has a version, and read by subject, id and name", async () => {
    const subject = `${topic}-orders`;

    expect((await associate(subject, { lifecycle: "WEAK" })).body).toEqual({
      resourceName: topic,
      resourceNamespace: "cluster",
      resourceId,
      resourceType: "topic",
      associations: [{ subject, associationType: "value", lifecycle: "WEAK", frozen: false }],
    });

    const expected = [
      {
        subject,
        guid: expect.any(String),
        resourceName: topic,
        resourceNamespace: "cluster",
        resourceId,
        resourceType: "topic",
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
    expect(await read(`/associations/resources/cluster/${topic}`)).toEqual(expected);
    expect(await read(`/associations/resources/-/${topic}`)).toEqual(expected);
    expect(await read(`/associations/resources/other/${topic}`)).toEqual([]);
    expect(await read(`/associations/resources/${resourceId}?associationType=key`)).toEqual([]);
    expect(await read(`/associations/resources/${resourceId}?lifecycle=STRONG`)).toEqual([]);
    expect(await read(`/associations/resources/${resourceId}?resourceType=table`)).toEqual([]);
  });

  it("with a schema are strong and frozen, under the resource's own name", async () => {
    const { body: created } = await registry.post(
      "/associations",
      body({ associationType: "value", schema: { schema: record("a") } }),
    );

    expect(created).toMatchObject({
      associations: [{ subject: `${topic}-value`, lifecycle: "STRONG", frozen: true }],
    });
    expect((await registry.get(`/subjects/${topic}-value/versions`)).body).toEqual([1]);
  });

  it.each([
    ["associationType", { associationType: "header" }],
    ["frozen", { lifecycle: "WEAK", frozen: true }],
    ["lifecycle", { lifecycle: "WEAK", schema: { schema: record("a") } }],
    ["frozen", { frozen: false, schema: { schema: record("a") } }],
  ])("refuse an invalid %s", async (property, association) => {
    const subject = `${topic}-s`;

    expect(await associate(subject, association)).toMatchObject(
      error(42212, new RegExp(`^The association specified an invalid value for property: '${property}', detail: .`)),
    );
  });

  it("keep the resource's own name for frozen ones, and need a resource and a subject", async () => {
    const refusal = { status: 422, body: { error_code: 42212 } };

    expect(await associate(`${topic}-value`, { lifecycle: "STRONG" })).toMatchObject(refusal);
    expect(await registry.post("/associations", body({ associationType: "key" }))).toMatchObject(refusal);
    expect(await registry.post("/associations", { associations: [{}] })).toMatchObject(refusal);
    expect(await registry.post("/associations", body())).toMatchObject(refusal);
  });

  it("need a live version", async () => {
    const subject = `${topic}-none`;

    expect(await registry.post("/associations", body({ subject, associationType: "value" }))).toMatchObject(
      error(40907, `No active (non-deleted) version exists for subject '${subject}'`),
    );
  });

  it("are one of a type for a resource, which PUT may change", async () => {
    const subject = `${topic}-a`;
    await associate(subject);

    const again = await registry.post("/associations", body({ subject, associationType: "value" }));
    const other = await associate(`${topic}-b`);
    const put = await registry.put(
      `/associations/resources/${resourceId}`,
      body({ subject: `${topic}-b`, associationType: "value", lifecycle: "STRONG" }),
    );

    expect(again.status).toBe(200);
    expect(other).toMatchObject(error(40903, `An association of type 'value' already exists for resource '${topic}'`));
    expect(put.body).toMatchObject({ associations: [{ subject: `${topic}-b`, lifecycle: "STRONG" }] });
    expect((await registry.get(`/associations/subjects/${subject}`)).body).toEqual([]);
  });

  it("that are frozen do not change, and go only together with what they stand for", async () => {
    const subject = `${topic}-frozen`;
    await associate(subject, { lifecycle: "STRONG", frozen: true });
    const frozen = error(40908, `The association of type  'value' is frozen for subject '${subject}'`);

    expect(
      await registry.put(
        `/associations/resources/${resourceId}`,
        body({ subject, associationType: "value", lifecycle: "WEAK", frozen: false }),
      ),
    ).toMatchObject(frozen);
    expect(await registry.delete(`/associations/resources/${resourceId}`)).toMatchObject(frozen);
    expect(await registry.delete(`/associations/resources/${resourceId}?cascadeLifecycle=true`)).toMatchObject({
      status: 204,
    });
    expect(await registry.get(`/subjects/${subject}/versions`)).toMatchObject({ status: 404 });
  });

  it("that are strong keep others away, and references too", async () => {
    const subject = `${topic}-strong`;
    await registry.register(subject, '{"type":"record","name":"Base","fields":[]}');
    await registry.post("/associations", body({ subject, associationType: "value", lifecycle: "STRONG" }));

    const elsewhere = { ...body({ subject, associationType: "value" }), resourceId: `${resourceId}-2` };
    expect(await registry.post("/associations", elsewhere)).toMatchObject(
      error(40905, `A strong association already exists for subject '${subject}'`),
    );
    const referring = await registry.post(`/subjects/${topic}-top/versions`, {
      schema: '{"type":"record","name":"Top","fields":[{"name":"base","type":"Base"}]}',
      references: [{ name: "Base", subject, version: 1 }],
    });
    expect(referring).toMatchObject(
      error(42205, `Subject '${subject}' has a strong association and cannot be referenced`),
    );
  });

  it("keep their subject alive", async () => {
    const subject = `${topic}-alive`;
    await associate(subject);

    expect(await registry.delete(`/subjects/${subject}`)).toMatchObject(
      error(40904, `An association already exists for subject '${subject}'`),
    );
    expect(await registry.delete(`/subjects/${subject}/versions/1`)).toMatchObject(
      error(40907, `No active (non-deleted) version exists for subject '${subject}'`),
    );
    expect(await registry.delete(`/associations/resources/${resourceId}`)).toMatchObject({ status: 204 });
    expect((await registry.delete(`/subjects/${subject}`)).body).toEqual([1]);
  });

  it("that are missing are not found", async () => {
    expect(await registry.delete(`/associations/resources/${resourceId}`)).toMatchObject(
      error(40410, `Association for '${resourceId}' not found.`),
    );
  });

  it("are only tried with dryRun", async () => {
    const subject = `${topic}-dry`;
    await registry.register(subject, record("a"));

    const tried = await registry.post("/associations?dryRun=true", body({ subject, associationType: "value" }));

    expect(tried).toMatchObject({ status: 200, body: { associations: [{ subject }] } });
    expect((await registry.get(`/associations/subjects/${subject}`)).body).toEqual([]);
  });

  it("lie in the context that a write names", async () => {
    const context = unique("ctx");
    await registry.register(`:.${context}:s`, record("a"));

    const { body: created } = await registry.post(
      `/contexts/${context}/associations`,
      body({ subject: "s", associationType: "value" }),
    );

    expect(created).toMatchObject({ associations: [{ subject: `:.${context}:s` }] });
  });

  it("change and are read in batches, each by itself", async () => {
    const subject = `${topic}-batch`;
    await registry.register(subject, record("a"));
    const create = { opType: "CREATE", ...body({ subject, associationType: "value" }) };

    const mutated = await registry.post("/associations:batchMutate", {
      requests: [create, { ...create, opType: "NONSENSE" }, { opType: "DELETE", resourceId: "none" }],
    });
    const got = await registry.post("/associations:batchGet?includeSchemas=true", { requests: [{ resourceId }] });

    expect(mutated).toMatchObject({
      status: 207,
      body: {
        results: [
          { result: { associations: [{ subject }] } },
          { error: { error_code: 400 } },
          { error: { error_code: 40410 } },
        ],
      },
    });
    expect(got).toMatchObject({
      status: 207,
      body: { results: [{ result: { associations: [{ subject, schema: { version: 1 } }] } }] },
    });
  });
});
