import { beforeEach, describe, expect, it } from "vitest";
import { error, recordNamed, unique, useRegistry } from "./registry.ts";

const registry = useRegistry();
let subject = "";

beforeEach(() => {
  subject = unique("deletes");
});

/** Content that no other test uses, so its id disappears with its subject. */
function record(...fields: string[]): string {
  return recordNamed(subject, ...fields);
}

async function registerThree(): Promise<number[]> {
  const texts = [record("a"), record("a", "b?"), record("a", "b?", "c?")];
  const ids: number[] = [];
  for (const text of texts) ids.push((await registry.register(subject, text)).id);
  return ids;
}

describe("soft delete", () => {
  it("hides a version from lists, latest, lookup and compatibility, and shows it with deleted=true", async () => {
    await registerThree();

    expect((await registry.delete(`/subjects/${subject}/versions/3`)).text).toBe("3");

    expect((await registry.get(`/subjects/${subject}/versions`)).body).toEqual([1, 2]);
    expect((await registry.get(`/subjects/${subject}/versions?deleted=true`)).body).toEqual([1, 2, 3]);
    expect((await registry.get(`/subjects/${subject}/versions?deletedOnly=true&deleted=true`)).body).toEqual([3]);
    expect((await registry.get(`/subjects/${subject}/versions?deletedAsNegative=true`)).body).toEqual([1, 2, -3]);
    expect((await registry.get(`/subjects/${subject}/versions/latest`)).body).toMatchObject({ version: 2 });
    expect((await registry.get(`/subjects/${subject}/versions/latest?deleted=true`)).body).toMatchObject({
      version: 2,
    });
    expect(await registry.get(`/subjects/${subject}/versions/3`)).toMatchObject(error(40402, "Version 3 not found."));
    expect((await registry.get(`/subjects/${subject}/versions/3?deleted=true`)).body).toMatchObject({
      version: 3,
      deleted: true,
    });
    const lookup = { schema: record("a", "b?", "c?") };
    expect(await registry.post(`/subjects/${subject}`, lookup)).toMatchObject(error(40403, "Schema not found"));
    expect((await registry.post(`/subjects/${subject}?deleted=true`, lookup)).body).toMatchObject({ version: 3 });
  });

  it("keeps reads by id", async () => {
    const [id] = await registerThree();

    await registry.delete(`/subjects/${subject}`);

    expect((await registry.get(`/schemas/ids/${id}`)).body).toMatchObject({ schema: record("a") });
    expect(await registry.get(`/schemas/ids/${id}/versions`)).toMatchObject({ status: 200, body: [] });
    expect((await registry.get(`/schemas/ids/${id}/versions?deleted=true`)).body).toEqual([{ subject, version: 1 }]);
  });

  it("gives re-registered content a new number and its old id, and removes the deleted row", async () => {
    const [id] = await registerThree();
    await registry.delete(`/subjects/${subject}/versions/1`);
    await registry.put(`/config/${subject}`, { compatibility: "NONE" });

    const again = await registry.register(subject, record("a"));

    expect(again).toMatchObject({ id, version: 4 });
    expect((await registry.get(`/subjects/${subject}/versions?deleted=true`)).body).toEqual([2, 3, 4]);
  });

  it("never reuses a soft-deleted number", async () => {
    await registerThree();
    await registry.delete(`/subjects/${subject}/versions/3`);

    expect(await registry.register(subject, record("a", "b?", "d?"))).toMatchObject({ version: 4 });
  });

  it("refuses a second soft delete of a version", async () => {
    await registerThree();
    await registry.delete(`/subjects/${subject}/versions/1`);

    expect(await registry.delete(`/subjects/${subject}/versions/1`)).toMatchObject(
      error(40406, `Subject '${subject}' Version 1 was soft deleted.Set permanent=true to delete permanently`),
    );
  });

  it("answers with the numbers of the whole subject, and refuses a repeat", async () => {
    await registerThree();
    await registry.delete(`/subjects/${subject}/versions/2`);

    expect((await registry.delete(`/subjects/${subject}`)).body).toEqual([1, 3]);
    expect(await registry.delete(`/subjects/${subject}`)).toMatchObject(
      error(40404, `Subject '${subject}' was soft deleted.Set permanent=true to delete permanently`),
    );
    expect(await registry.get(`/subjects/${subject}/versions`)).toMatchObject(
      error(40401, `Subject '${subject}' not found.`),
    );
  });

  it("keeps the subject's config and mode", async () => {
    await registerThree();
    await registry.put(`/config/${subject}`, { compatibility: "FULL" });

    await registry.delete(`/subjects/${subject}`);

    expect((await registry.get(`/config/${subject}`)).body).toEqual({ compatibilityLevel: "FULL" });
  });

  it("resolves latest to the newest live version", async () => {
    await registerThree();

    expect((await registry.delete(`/subjects/${subject}/versions/latest`)).text).toBe("3");
    expect((await registry.delete(`/subjects/${subject}/versions/-1`)).text).toBe("2");
  });
});

describe("hard delete", () => {
  it("requires a soft delete first", async () => {
    await registerThree();

    expect(await registry.delete(`/subjects/${subject}/versions/1?permanent=true`)).toMatchObject(
      error(40407, `Subject '${subject}' Version 1 was not deleted first before being permanently deleted`),
    );
    expect(await registry.delete(`/subjects/${subject}?permanent=true`)).toMatchObject(
      error(40405, `Subject '${subject}' was not deleted first before being permanently deleted`),
    );
  });

  it("removes the version, and the id with its last version", async () => {
    const [first, second] = await registerThree();
    await registry.delete(`/subjects/${subject}/versions/1`);

    expect((await registry.delete(`/subjects/${subject}/versions/1?permanent=true`)).text).toBe("1");

    expect((await registry.get(`/subjects/${subject}/versions?deleted=true`)).body).toEqual([2, 3]);
    expect(await registry.get(`/schemas/ids/${first}`)).toMatchObject(error(40403, `Schema ${first} not found`));
    expect((await registry.get(`/schemas/ids/${second}`)).status).toBe(200);
    expect(await registry.delete(`/subjects/${subject}/versions/1?permanent=true`)).toMatchObject(
      error(40402, "Version 1 not found."),
    );
  });

  it("removes config and mode with the last version, and starts numbers at 1 again", async () => {
    await registerThree();
    await registry.put(`/config/${subject}`, { compatibility: "FULL" });
    await registry.put(`/mode/${subject}`, { mode: "READWRITE" });
    await registry.delete(`/subjects/${subject}`);

    expect((await registry.delete(`/subjects/${subject}?permanent=true`)).body).toEqual([1, 2, 3]);

    expect(await registry.get(`/config/${subject}`)).toMatchObject({ status: 404 });
    expect(await registry.get(`/mode/${subject}`)).toMatchObject({ status: 404 });
    expect(await registry.delete(`/subjects/${subject}`)).toMatchObject(
      error(40401, `Subject '${subject}' not found.`),
    );
    expect(await registry.register(subject, record("x"))).toMatchObject({ version: 1 });
  });

  it("never reuses a number while the subject exists (a deviation)", async () => {
    await registerThree();
    await registry.delete(`/subjects/${subject}/versions/3`);
    await registry.delete(`/subjects/${subject}/versions/3?permanent=true`);

    expect(await registry.register(subject, record("a", "b?", "d?"))).toMatchObject({ version: 4 });
  });
});

describe("references", () => {
  async function registerReference(): Promise<{ base: string; referrer: string }> {
    const base = `${subject}-base`;
    const referrer = `${subject}-referrer`;
    await registry.register(base, JSON.stringify({ type: "record", name: "Base", fields: [] }));
    await registry.register(referrer, {
      schema: JSON.stringify({ type: "record", name: "Top", fields: [{ name: "base", type: "Base" }] }),
      references: [{ name: "Base", subject: base, version: 1 }],
    });
    return { base, referrer };
  }

  it("block the soft delete of referenced versions", async () => {
    const { base } = await registerReference();
    const refusal = error(
      42206,
      `One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=${base},version=1}.`,
    );

    expect(await registry.delete(`/subjects/${base}/versions/1`)).toMatchObject(refusal);
    expect(await registry.delete(`/subjects/${base}`)).toMatchObject(refusal);
  });

  it("of soft-deleted versions block a hard delete only", async () => {
    const { base, referrer } = await registerReference();
    await registry.delete(`/subjects/${referrer}`);

    expect((await registry.delete(`/subjects/${base}`)).body).toEqual([1]);
    expect(await registry.delete(`/subjects/${base}?permanent=true`)).toMatchObject({ status: 422 });
    expect((await registry.delete(`/subjects/${referrer}?permanent=true`)).body).toEqual([1]);
    expect((await registry.delete(`/subjects/${base}?permanent=true`)).body).toEqual([1]);
  });

  it("from inside a subject do not block its whole deletion", async () => {
    await registry.put(`/config/${subject}`, { compatibility: "NONE" });
    await registry.register(subject, JSON.stringify({ type: "record", name: "Base", fields: [] }));
    await registry.register(subject, {
      schema: JSON.stringify({ type: "record", name: "Top", fields: [{ name: "base", type: "Base" }] }),
      references: [{ name: "Base", subject, version: 1 }],
    });

    expect(await registry.delete(`/subjects/${subject}/versions/1`)).toMatchObject({ status: 422 });
    expect((await registry.delete(`/subjects/${subject}`)).body).toEqual([1, 2]);
    expect((await registry.delete(`/subjects/${subject}?permanent=true`)).body).toEqual([1, 2]);
  });

  it("to a soft-deleted version cannot be added", async () => {
    const { base, referrer } = await registerReference();
    await registry.delete(`/subjects/${referrer}`);
    await registry.delete(`/subjects/${base}`);

    const answer = await registry.post(`/subjects/${unique("late")}/versions`, {
      schema: JSON.stringify({ type: "record", name: "Late", fields: [{ name: "base", type: "Base" }] }),
      references: [{ name: "Base", subject: base, version: 1 }],
    });

    expect(answer).toMatchObject(
      error(42201, new RegExp(`No schema reference found for subject "${base}" and version 1`)),
    );
  });
});
