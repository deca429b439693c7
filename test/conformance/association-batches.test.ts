import { describe, expect, it } from "vitest";
import { invalid, useResource } from "./associated-resource.ts";
import { error, record, useRegistry } from "./registry.ts";

const registry = useRegistry();
const { own, resource, create, versionsOf, ofResource, associate } = useResource(registry);

describe("batches", () => {
  const batch = (...requests: object[]) => registry.post("/associations:batchMutate", { requests });
  const second = () => ({ ...resource(), resourceName: `${own.topic}b`, resourceId: `${own.resourceId}-2` });

  it("run each request's operations in order, and answer with the resulting resource", async () => {
    for (const type of ["key", "value"]) await registry.register(`${own.topic}-${type}`, record("a"));
    await create({ subject: `${own.topic}-key`, associationType: "key" });

    const answer = await batch({
      ...resource(),
      associations: [
        { opType: "CREATE", subject: `${own.topic}-value`, associationType: "value", lifecycle: "STRONG" },
        { opType: "UPSERT", subject: `${own.topic}-key`, associationType: "key", lifecycle: "STRONG" },
        { opType: "DELETE", associationType: "key" },
      ],
    });

    const associations = [
      { subject: `${own.topic}-value`, associationType: "value", lifecycle: "STRONG", frozen: false },
    ];
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
          result: {
            associations: [{ subject: own.standard, frozen: true, schema: { version: 1, schema: record("a") } }],
          },
        },
      ],
    });
  });

  it("report a failing request in its place and continue", async () => {
    await registry.register(`${own.topic}-s`, record("a"));

    const answer = await batch(
      { ...resource(), associations: [{ opType: "CREATE", subject: `${own.topic}-none` }] },
      { ...resource(), resourceName: "", associations: [{ opType: "CREATE", subject: `${own.topic}-s` }] },
      { ...resource(), associations: [] },
      { ...second(), associations: [{ opType: "CREATE", subject: `${own.topic}-s` }] },
    );

    expect(answer).toMatchObject({
      status: 207,
      body: {
        results: [
          { error: { error_code: 40907 } },
          { error: { error_code: 42212 } },
          { error: { error_code: 42212 } },
          { result: { resourceId: `${own.resourceId}-2` } },
        ],
      },
    });
    const { results } = answer.body as { results: object[] };
    expect(results.map((result) => Object.keys(result))).toEqual([["error"], ["error"], ["error"], ["result"]]);
  });

  it("refuse a mix of frozen operations and others before executing any", async () => {
    await registry.register(`${own.topic}-s`, record("a"));

    const answer = await batch({
      ...resource(),
      associations: [
        { opType: "CREATE", associationType: "key", schema: { schema: record("a") } },
        { opType: "CREATE", subject: `${own.topic}-s`, lifecycle: "STRONG", frozen: false },
      ],
    });

    expect(answer.body).toMatchObject({ results: [{ error: { error_code: 42212 } }] });
    expect(await ofResource()).toEqual([]);
  });

  it("delete missing associations without an error, and subjects with cascadeLifecycle", async () => {
    await create({ schema: { schema: record("a") } });
    const deletion = (more: object) => batch({ ...resource(), associations: [{ opType: "DELETE", ...more }] });

    expect((await deletion({ associationType: "key" })).body).toMatchObject({
      results: [{ result: { associations: [{ subject: own.standard }] } }],
    });
    expect((await deletion({})).body).toMatchObject({ results: [{ error: { error_code: 40908 } }] });
    expect((await deletion({ cascadeLifecycle: true })).body).toEqual({ results: [{ result: resource() }] });
    expect(await versionsOf(own.standard)).toMatchObject({ error_code: 40401 });
  });

  it("change nothing with dryRun", async () => {
    await registry.register(`${own.topic}-s`, record("a"));
    const asked = { ...resource(), associations: [{ opType: "CREATE", subject: `${own.topic}-s` }] };

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
    await associate(`${own.topic}-v`, { lifecycle: "STRONG" });
    await associate(`${own.topic}-k`, { associationType: "key" });
    const { resourceName, resourceNamespace } = resource();
    const named = { resourceName, resourceNamespace };
    const get = async (...requests: object[]) =>
      (await registry.post("/associations:batchGet", { requests })).body as { results: object[] };

    const value = { subject: `${own.topic}-v`, associationType: "value", lifecycle: "STRONG", frozen: false };
    const key = { subject: `${own.topic}-k`, associationType: "key", lifecycle: "WEAK", frozen: false };
    const found = (...associations: object[]) => ({ result: { ...resource(), associations } });
    expect(
      await get(
        { resourceId: own.resourceId },
        named,
        { ...named, lifecycle: "STRONG" },
        { resourceId: own.resourceId, associationTypes: ["key"] },
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
    await associate(`${own.topic}-v`);
    await registry.register(`${own.topic}-v`, record("a", "b?"));

    const got = await registry.post("/associations:batchGet?includeSchemas=true", {
      requests: [{ resourceId: own.resourceId }],
    });

    expect(got).toMatchObject({
      status: 207,
      body: { results: [{ result: { associations: [{ schema: { version: 2, schema: record("a", "b?") } }] } }] },
    });
  });
});
