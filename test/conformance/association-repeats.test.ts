import { describe, expect, it } from "vitest";
import { useResource } from "./associated-resource.ts";
import { error, record, unique, useRegistry } from "./registry.ts";

const registry = useRegistry();
const { own, resource, body, create, remove, versionsOf, ofResource, associate } = useResource(registry);

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
      body: { ...resource(), associations: [{ subject: own.standard }] },
    });
    expect(await ofResource()).toEqual([]);
    expect(await registry.get(`/subjects/${encodeURIComponent(own.standard)}/versions`)).toMatchObject(
      error(40401, /not found/),
    );
  });

  it("answers the schema that came along again", async () => {
    const sent = body({ associationType: "value", schema });
    const first = await registry.post("/associations", sent, withKey);

    const repeated = await registry.post("/associations", sent, withKey);

    expect(repeated.body).toEqual(first.body);
    expect(await versionsOf(own.standard)).toEqual([1]);
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
    await associate(`${own.topic}-value`);
    const path = `/associations/resources/${own.resourceId}`;
    await registry.call("DELETE", path, undefined, withKey);
    await create({ subject: `${own.topic}-value` });

    const repeated = await registry.call("DELETE", path, undefined, withKey);

    expect(repeated.status).toBe(204);
    expect(await ofResource()).toHaveLength(1);
  });

  it("covers each operation of a batch", async () => {
    for (const type of ["key", "value"]) await registry.register(`${own.topic}-${type}`, record("a"));
    const associations = ["key", "value"].map((associationType) => ({
      opType: "CREATE",
      subject: `${own.topic}-${associationType}`,
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
