import { beforeEach, describe, expect, it } from "vitest";
import { error, record, recordNamed, unique, useRegistry } from "./registry.ts";

const registry = useRegistry();
let subject = "";

beforeEach(() => {
  subject = unique("mode");
});

describe("mode", () => {
  it("of a subject is missing until it is set", async () => {
    const missing = error(40409, `Subject '${subject}' does not have subject-level mode configured`);

    expect(await registry.get(`/mode/${subject}`)).toMatchObject(missing);
    expect((await registry.get(`/mode/${subject}?defaultToGlobal=true`)).body).toEqual({ mode: "READWRITE" });
    expect((await registry.put(`/mode/${subject}`, { mode: "READONLY" })).body).toEqual({ mode: "READONLY" });
    expect((await registry.get(`/mode/${subject}`)).body).toEqual({ mode: "READONLY" });
    expect((await registry.delete(`/mode/${subject}`)).body).toEqual({ mode: "READONLY" });
    expect(await registry.get(`/mode/${subject}`)).toMatchObject(missing);
    expect(await registry.delete(`/mode/${subject}`)).toMatchObject(error(40401, `Subject '${subject}' not found.`));
    expect(await registry.delete(`/mode/${subject}?recursive=true`)).toMatchObject({
      status: 200,
      body: { mode: null },
    });
  });

  it("is cleared by null", async () => {
    await registry.put(`/mode/${subject}`, { mode: "READONLY" });

    expect((await registry.put(`/mode/${subject}`, { mode: null })).body).toEqual({});
    expect(await registry.get(`/mode/${subject}`)).toMatchObject({ status: 404 });
  });

  it.each(["WRITEONLY", "", "5"])("refuses %j with 42204", async (mode) => {
    expect(await registry.put(`/mode/${subject}`, { mode })).toMatchObject(
      error(42204, "Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD."),
    );
  });

  it("FORWARD is allowed for the global context only", async () => {
    for (const scope of [`/mode/${subject}`, `/mode/:.${subject}:`, "/mode", "/mode/:.:"]) {
      expect(await registry.put(scope, { mode: "FORWARD" })).toMatchObject(
        error(42204, "Forward mode only supported on global level"),
      );
    }
    expect((await registry.put("/mode/:.__GLOBAL:", { mode: "FORWARD" })).body).toEqual({ mode: "FORWARD" });
    const forwarded = await registry.post(`/subjects/${subject}/versions`, {
      schema: recordNamed(subject),
      id: 70_000,
    });
    expect((await registry.delete("/mode/:.__GLOBAL:")).body).toEqual({ mode: "FORWARD" });
    expect(forwarded.body).toMatchObject({ id: 70_000 });
  });

  it("is echoed as sent, and stored in upper case", async () => {
    expect((await registry.put(`/mode/${subject}`, { mode: "readonly" })).body).toEqual({ mode: "readonly" });
    expect((await registry.get(`/mode/${subject}`)).body).toEqual({ mode: "READONLY" });
  });

  it("of the top level is READWRITE until it is set", async () => {
    expect((await registry.get("/mode")).body).toEqual({ mode: "READWRITE" });
    expect((await registry.put("/mode", { mode: "READONLY" })).body).toEqual({ mode: "READONLY" });
    const refused = await registry.post(`/subjects/${subject}/versions`, { schema: record("a") });
    expect((await registry.delete("/mode")).body).toEqual({ mode: "READONLY" });

    expect(refused).toMatchObject(error(42205, `Subject ${subject} in context  is in read-only mode`));
    expect((await registry.get("/mode")).body).toEqual({ mode: "READWRITE" });
  });

  it("is cleared in a whole context with recursive=true", async () => {
    await registry.put(`/mode/:.${subject}:`, { mode: "READONLY" });
    await registry.put(`/mode/:.${subject}:s`, { mode: "READWRITE" });

    expect((await registry.delete(`/mode/:.${subject}:?recursive=true`)).body).toEqual({ mode: "READONLY" });
    expect(await registry.get(`/mode/:.${subject}:s`)).toMatchObject({ status: 404 });
  });
});

describe("scopes", () => {
  it("apply from the subject over its context to the global context", async () => {
    const effective = async () => (await registry.get(`/mode/:.${subject}:s?defaultToGlobal=true`)).body;
    await registry.put("/mode/:.__GLOBAL:", { mode: "READONLY" });
    const global = await effective();
    await registry.delete("/mode/:.__GLOBAL:");
    await registry.put(`/mode/:.${subject}:`, { mode: "READONLY" });
    await registry.put(`/mode/:.${subject}:s`, { mode: "READWRITE" });

    expect(global).toEqual({ mode: "READONLY" });
    expect(await effective()).toEqual({ mode: "READWRITE" });
    expect(await registry.register(`:.${subject}:s`, record("a"))).toMatchObject({ version: 1 });
    expect(await registry.post(`/subjects/:.${subject}:t/versions`, { schema: record("a") })).toMatchObject(
      error(42205, `Subject :.${subject}:t in context :.${subject}: is in read-only mode`),
    );
  });
});

describe("READONLY", () => {
  it.each(["READONLY", "READONLY_OVERRIDE"])(
    "as %s refuses writes and answers reads and known content",
    async (mode) => {
      await registry.register(subject, record("a"));
      await registry.put(`/mode/${subject}`, { mode });
      const refusal = { status: 422, body: { error_code: 42205 } };

      expect(await registry.post(`/subjects/${subject}/versions`, { schema: record("b") })).toMatchObject(refusal);
      expect(await registry.delete(`/subjects/${subject}`)).toMatchObject(refusal);
      expect(await registry.delete(`/subjects/${subject}/versions/1`)).toMatchObject(refusal);
      expect(await registry.put(`/config/${subject}`, { compatibility: "NONE" })).toMatchObject(refusal);
      expect((await registry.get(`/subjects/${subject}/versions`)).body).toEqual([1]);
      expect(await registry.register(subject, record("a"))).toMatchObject({ version: 1 });
    },
  );
});

describe("IMPORT", () => {
  const context = () => `:.${subject}:`;

  it("accepts any ids and versions, unchecked", async () => {
    await registry.put(`/mode/${context()}`, { mode: "IMPORT" });

    const first = await registry.register(`${context()}s`, { schema: record("a"), id: 40, version: 7 });
    const second = await registry.register(`${context()}s`, { schema: record("a", "b"), id: 30, version: 3 });

    expect(first).toMatchObject({ id: 40, version: 7 });
    expect(second).toMatchObject({ id: 30, version: 3 });
    expect((await registry.get(`/subjects/${context()}s/versions`)).body).toEqual([3, 7]);
    await registry.put(`/mode/${context()}`, { mode: "READWRITE" });
    expect(await registry.register(`${context()}t`, recordNamed(subject, "new"))).toMatchObject({ id: 41 });
  });

  it("continues after the highest imported version, in any order", async () => {
    await registry.put(`/mode/${context()}`, { mode: "IMPORT" });
    await registry.register(`${context()}s`, { schema: record("a"), id: 40, version: 7 });
    await registry.register(`${context()}s`, { schema: record("a", "b?"), id: 30, version: 3 });
    await registry.put(`/mode/${context()}`, { mode: "READWRITE" });

    const next = await registry.register(`${context()}s`, record("a", "c?"));

    expect(next).toMatchObject({ id: 41, version: 8 });
    expect((await registry.get(`/subjects/${context()}s/versions`)).body).toEqual([3, 7, 8]);
  });

  it("requires an id", async () => {
    await registry.put(`/mode/${context()}`, { mode: "IMPORT" });

    expect(await registry.post(`/subjects/${context()}s/versions`, { schema: record("a") })).toMatchObject(
      error(42205, `Subject ${context()}s in context ${context()} is not in read-write mode`),
    );
  });

  it("allows one content per id", async () => {
    await registry.put(`/mode/${context()}`, { mode: "IMPORT" });
    await registry.register(`${context()}s`, { schema: record("a"), id: 5, version: 1 });

    expect(await registry.register(`${context()}t`, { schema: record("a"), id: 5, version: 1 })).toMatchObject({
      id: 5,
    });
    expect(
      await registry.post(`/subjects/${context()}u/versions`, { schema: record("b"), id: 5, version: 1 }),
    ).toMatchObject(error(42205, `Overwrite new schema with id 5 in context ${context()} is not permitted.`));
  });

  it("allows repeats", async () => {
    await registry.put(`/mode/${context()}`, { mode: "IMPORT" });
    const body = { schema: record("a"), id: 5, version: 2 };
    await registry.register(`${context()}s`, body);

    expect(await registry.register(`${context()}s`, body)).toMatchObject({ id: 5, version: 2 });
    await registry.delete(`/subjects/${context()}s`);
    expect(await registry.register(`${context()}s`, body)).toMatchObject({ id: 5, version: 2 });
    expect((await registry.get(`/subjects/${context()}s/versions`)).body).toEqual([2]);
  });

  it("accepts content that a registration would refuse, which can then be registered again", async () => {
    await registry.register(subject, '{"type":"record","name":"Base","fields":[]}');
    const refused = [
      { schema: '{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":"x"}]}' },
      {
        schemaType: "JSON",
        schema: '{"$ref":"base.json"}',
        references: [{ name: "base.json", subject: `:.:${subject}`, version: 1 }],
      },
    ];
    for (const [index, body] of refused.entries()) {
      const name = `:.${subject}-${index}:s`;
      expect(await registry.post(`/subjects/${name}/versions`, body)).toMatchObject({ status: 422 });
      await registry.put(`/mode/:.${subject}-${index}:`, { mode: "IMPORT" });
      const imported = await registry.register(name, { ...body, id: 9, version: 4 });
      await registry.put(`/mode/:.${subject}-${index}:`, { mode: "READWRITE" });

      expect(await registry.register(name, body)).toMatchObject({ id: 9, version: 4, guid: imported.guid });
    }
  });

  it("is refused if subjects are live, unless forced", async () => {
    await registry.register(`${context()}s`, record("a"));

    expect(await registry.put(`/mode/${context()}`, { mode: "IMPORT" })).toMatchObject(
      error(42205, "Cannot import since found existing subjects"),
    );
    expect((await registry.put(`/mode/${context()}?force=true`, { mode: "IMPORT" })).body).toEqual({ mode: "IMPORT" });
  });

  it("hard-deletes soft-deleted versions", async () => {
    await registry.register(`${context()}s`, record("a"));
    await registry.delete(`/subjects/${context()}s`);

    await registry.put(`/mode/${context()}s`, { mode: "IMPORT" });

    expect(await registry.get(`/subjects/${context()}s/versions?deleted=true`)).toMatchObject({ status: 404 });
  });

  it("is refused if a soft-deleted version is referenced", async () => {
    await registry.register(`${subject}-base`, '{"type":"record","name":"Base","fields":[]}');
    await registry.register(`${subject}-top`, {
      schema: '{"type":"record","name":"Top","fields":[{"name":"b","type":"Base"}]}',
      references: [{ name: "Base", subject: `${subject}-base`, version: 1 }],
    });
    await registry.delete(`/subjects/${subject}-top`);
    await registry.delete(`/subjects/${subject}-base`);

    expect(await registry.put(`/mode/${subject}-base`, { mode: "IMPORT" })).toMatchObject({
      status: 422,
      body: { error_code: 42206 },
    });
    expect((await registry.get(`/subjects/${subject}-base/versions?deleted=true`)).body).toEqual([1]);
  });
});
