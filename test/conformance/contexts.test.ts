import { beforeEach, describe, expect, it } from "vitest";
import { error, record, recordNamed, unique, useRegistry } from "./registry.ts";

const registry = useRegistry();
let name = "";

beforeEach(() => {
  name = unique("ctx");
});

describe("qualified subjects", () => {
  it("print no prefix in the default context", async () => {
    const subject = unique("default");
    await registry.register(`:.:${subject}`, record("a"));

    expect((await registry.get(`/subjects/${subject}/versions/1`)).body).toMatchObject({ subject });
  });

  it("print their context otherwise", async () => {
    await registry.register(`:.${name}:s`, record("a"));

    expect((await registry.get(`/subjects/:.${name}:s/versions/1`)).body).toMatchObject({ subject: `:.${name}:s` });
    expect(await registry.get(`/subjects/:.${name}:none/versions`)).toMatchObject(
      error(40401, `Subject ':.${name}:none' not found.`),
    );
  });

  it("have ids of their own, from 1", async () => {
    expect(await registry.register(`:.${name}:s`, record("a"))).toMatchObject({ id: 1, version: 1 });
    expect(await registry.register(`:.${name}:t`, record("b"))).toMatchObject({ id: 2 });
    expect(await registry.register(`:.${name}:u`, record("a"))).toMatchObject({ id: 1 });
  });
});

describe("paths under /contexts/{c}", () => {
  it.each([["c"], [".c"], [":.c:"]])("treat %s as the same context", async (form) => {
    await registry.register(`:.${name}:s`, record("a"));
    const spelled = form.replace("c", name);

    expect((await registry.get(`/contexts/${spelled}/subjects/s/versions`)).body).toEqual([1]);
    expect((await registry.get(`/contexts/${encodeURIComponent(spelled)}/subjects`)).body).toEqual([`:.${name}:s`]);
  });

  it("refuse a colon inside the name", async () => {
    expect(await registry.get("/contexts/a:b/subjects")).toMatchObject(
      error(400, "Context name 'a:b' cannot contain a colon"),
    );
  });

  it("qualify subjects, config, mode and compatibility, unless they are qualified", async () => {
    await registry.post(`/contexts/${name}/subjects/s/versions`, { schema: record("a") });
    await registry.put(`/contexts/${name}/config/s`, { compatibility: "FULL" });
    await registry.put(`/contexts/${name}/mode/s`, { mode: "READWRITE" });

    expect((await registry.get(`/config/:.${name}:s`)).body).toEqual({ compatibilityLevel: "FULL" });
    expect((await registry.get(`/mode/:.${name}:s`)).body).toEqual({ mode: "READWRITE" });
    expect((await registry.get(`/contexts/other/subjects/:.${name}:s/versions`)).body).toEqual([1]);
    const check = await registry.post(`/contexts/${name}/compatibility/subjects/s/versions/latest`, {
      schema: '"string"',
    });
    expect(check.body).toEqual({ is_compatible: false });
  });

  it("mean the context itself for /config and /mode", async () => {
    await registry.put(`/contexts/${name}/config`, { compatibility: "NONE" });
    await registry.put(`/contexts/${name}/mode`, { mode: "READONLY" });

    expect((await registry.get(`/config/:.${name}:`)).body).toEqual({ compatibilityLevel: "NONE" });
    expect((await registry.get(`/mode/:.${name}:`)).body).toEqual({ mode: "READONLY" });
  });

  it("look up ids in the context, and list only its contents", async () => {
    const text = recordNamed(name, "a");
    await registry.register(`:.${name}:s`, text);

    expect((await registry.get(`/contexts/${name}/schemas/ids/1`)).body).toMatchObject({ schema: text });
    expect((await registry.get(`/contexts/${name}/schemas/ids/1/subjects`)).body).toEqual([`:.${name}:s`]);
    expect((await registry.get(`/contexts/${name}/schemas`)).body).toMatchObject([{ subject: `:.${name}:s` }]);
    expect((await registry.get(`/contexts/${name}/subjects?subjectPrefix=x`)).body).toEqual([]);
  });
});

describe("contexts whose names have dots", () => {
  it("are contexts like others, in every route", async () => {
    const context = `${name}.with.dots`;
    const { id } = await registry.register(`:.${context}:s`, record("a"));

    const read = async (path: string) => (await registry.get(`/contexts/${context}${path}`)).body;
    expect(await read("/subjects")).toEqual([`:.${context}:s`]);
    expect(await read("/subjects/s/versions")).toEqual([1]);
    expect(await read("/subjects/s/versions/1/schema")).toEqual(JSON.parse(record("a")));
    expect(await read(`/schemas/ids/${id}/subjects`)).toEqual([`:.${context}:s`]);
    expect(await read(`/schemas/ids/${id}/versions`)).toEqual([{ subject: `:.${context}:s`, version: 1 }]);
    expect(await read("/schemas")).toMatchObject([{ subject: `:.${context}:s` }]);
    expect(await read("/mode?defaultToGlobal=true")).toEqual({ mode: "READWRITE" });
    expect(await read("/config?defaultToGlobal=true")).toEqual({ compatibilityLevel: "BACKWARD" });
    expect((await registry.get("/contexts")).body).toContain(`.${context}`);
  });
});

describe("unqualified names", () => {
  it("find versions and contents in other contexts", async () => {
    const subject = unique("only");
    const text = recordNamed(name, "a");
    await registry.register(`:.${name}:${subject}`, text);

    expect((await registry.get(`/subjects/${subject}/versions/1`)).body).toMatchObject({
      subject: `:.${name}:${subject}`,
    });
    expect((await registry.get(`/subjects/${subject}/versions/latest/schema`)).text).toBe(text);
    expect((await registry.get(`/subjects/${subject}/versions/1/referencedby`)).body).toEqual([]);
    expect((await registry.post(`/subjects/${subject}`, { schema: text })).body).toMatchObject({
      subject: `:.${name}:${subject}`,
    });
    expect((await registry.get(`/schemas/ids/1?subject=${subject}`)).body).toMatchObject({
      subject: `:.${name}:${subject}`,
      schema: text,
    });
  });

  it("are not searched by lists, and qualified names only in their context", async () => {
    const subject = unique("only");
    await registry.register(`:.${name}:${subject}`, record("a"));

    expect(await registry.get(`/subjects/${subject}/versions`)).toMatchObject({ status: 404 });
    expect(await registry.get(`/subjects/:.other-${name}:${subject}/versions/1`)).toMatchObject({ status: 404 });
  });

  it("fall back to the id in the default context, under any subject", async () => {
    const { id } = await registry.register(unique("first"), recordNamed(name, "a"));

    const { body } = await registry.get(`/schemas/ids/${id}?subject=${unique("never")}`);

    expect(body).toMatchObject({ schema: recordNamed(name, "a") });
  });

  it("find a guid in every context", async () => {
    const { guid } = await registry.register(`:.${name}:s`, recordNamed(name, "a"));

    expect((await registry.get(`/schemas/guids/${guid}`)).body).toEqual({
      guid,
      schemaType: "AVRO",
      schema: recordNamed(name, "a"),
    });
    expect((await registry.get(`/schemas/guids/${guid}/ids`)).body).toEqual([{ context: `.${name}`, id: 1 }]);
  });
});

describe("subject validity", () => {
  it.each(["__GLOBAL", "__EMPTY", "a\u0001b", ":.__GLOBAL:s"])("refuses to register under %j", async (subject) => {
    const answer = await registry.post(`/subjects/${encodeURIComponent(subject)}/versions`, { schema: record("a") });

    expect(answer).toMatchObject(error(42208, `The specified subject '${subject}' is not a valid.`));
  });

  it.each(["config", "mode"])("refuses PUT /%s for it, and accepts the global context there", async (noun) => {
    const value = noun === "config" ? { compatibility: "FULL" } : { mode: "READWRITE" };

    expect(await registry.put(`/${noun}/__EMPTY`, value)).toMatchObject({ status: 422, body: { error_code: 42208 } });
    expect(await registry.put(`/${noun}/:.__GLOBAL:`, value)).toMatchObject({ status: 200 });
    expect(await registry.delete(`/${noun}/:.__GLOBAL:`)).toMatchObject({ status: 200 });
  });

  it("accepts a context's own empty subject", async () => {
    expect(await registry.register(`:.${name}:`, record("a"))).toMatchObject({ version: 1 });
  });
});

describe("aliases", () => {
  it("redirect subjects, compatibility and ids, but not config and mode", async () => {
    const [subject, alias] = [unique("real"), unique("alias")];
    const { id } = await registry.register(subject, record("a"));
    expect((await registry.put(`/config/${alias}`, { alias: subject })).body).toEqual({ alias: subject });

    expect((await registry.get(`/subjects/${alias}/versions/1`)).body).toMatchObject({ subject });
    expect((await registry.get(`/subjects/${alias}/versions`)).body).toEqual([1]);
    expect((await registry.post(`/subjects/${alias}`, { schema: record("a") })).body).toMatchObject({ subject, id });
    expect(await registry.register(alias, record("a", "b?"))).toMatchObject({ version: 2 });
    expect((await registry.get(`/schemas/ids/${id}?subject=${alias}`)).body).toMatchObject({ subject });
    const check = await registry.post(`/compatibility/subjects/${alias}/versions/2`, { schema: '"string"' });
    expect(check.body).toEqual({ is_compatible: false });
    expect((await registry.get(`/config/${alias}`)).body).toEqual({ alias: subject });
    expect(await registry.get(`/mode/${alias}`)).toMatchObject({ status: 404 });
  });

  it("apply to their target's version lists, referrers, metadata, tags, uses and deletes", async () => {
    const [subject, alias] = [unique("real"), unique("alias")];
    const { id } = await registry.register(subject, record("a"));
    await registry.put(`/config/${alias}`, { alias: subject });

    expect((await registry.get(`/subjects/${alias}/versions/latest`)).body).toMatchObject({ subject });
    expect((await registry.get(`/subjects/${alias}/versions/1/schema`)).text).toBe(record("a"));
    expect((await registry.get(`/subjects/${alias}/versions/1/referencedby`)).body).toEqual([]);
    expect((await registry.get(`/subjects/${alias}/metadata`)).body).toMatchObject({ subject });
    expect((await registry.get(`/schemas/ids/${id}/schema?subject=${alias}`)).text).toBe(record("a"));
    const changed = await registry.post(`/subjects/${alias}/versions/1/tags`, { metadata: { properties: { a: "b" } } });
    expect(changed.body).toMatchObject({ version: 2 });
    expect((await registry.delete(`/subjects/${alias}/versions/2`)).body).toBe(2);
    expect((await registry.delete(`/subjects/${alias}`)).body).toEqual([1]);
    expect((await registry.delete(`/subjects/${alias}?permanent=true`)).body).toEqual([1, 2]);
    expect((await registry.get(`/config/${alias}`)).body).toEqual({ alias: subject });
  });

  it("may point to another context, and are cleared by an empty name", async () => {
    const alias = unique("alias");
    await registry.register(`:.${name}:real`, record("a"));
    await registry.put(`/config/${alias}`, { alias: `:.${name}:real` });

    expect((await registry.get(`/subjects/${alias}/versions/1`)).body).toMatchObject({ subject: `:.${name}:real` });
    await registry.put(`/config/${alias}`, { alias: "" });
    expect(await registry.get(`/subjects/${alias}/versions`)).toMatchObject({ status: 404 });
  });

  it("are followed once", async () => {
    const [first, second, real] = [unique("one"), unique("two"), unique("real")];
    await registry.register(real, record("a"));
    await registry.put(`/config/${first}`, { alias: second });
    await registry.put(`/config/${second}`, { alias: real });

    expect(await registry.get(`/subjects/${first}/versions`)).toMatchObject({ status: 404 });
    expect((await registry.get(`/subjects/${second}/versions`)).body).toEqual([1]);
  });

  it("stay in their own context", async () => {
    await registry.register(`:.${name}:real`, record("a"));
    await registry.put(`/config/:.${name}:alias`, { alias: "real" });

    expect((await registry.get(`/subjects/:.${name}:alias/versions`)).body).toEqual([1]);
  });

  it("are listed with their target's schemas", async () => {
    const [subject, alias] = [unique("real"), unique("alias")];
    await registry.register(subject, record("a"));
    await registry.put(`/config/${alias}`, { alias: subject });

    const { body } = await registry.get(`/schemas?subjectPrefix=${subject}&aliases=true`);
    const byAlias = await registry.get(`/schemas?subjectPrefix=${alias}&aliases=true`);

    expect(body).toMatchObject([{ subject, aliases: [alias] }]);
    expect(byAlias.body).toMatchObject([{ subject, aliases: [alias] }]);
    expect((await registry.get(`/schemas?subjectPrefix=${alias}`)).body).toEqual([]);
  });
});

describe("contexts", () => {
  it.each(["api/v1/subjects", "api/v1/schemas", "health", "openapi.json", "openapi/confluent.json", "docs"])(
    "have no /%s, which would ignore them",
    async (path) => {
      const { status, body } = await registry.get(`/contexts/${name}/${path}`);

      expect({ status, body }).toMatchObject(error(404, /not found/i));
    },
  );

  it("support only DELETE on the context itself", async () => {
    for (const path of [`/contexts/${name}`, `/contexts/${name}/`]) {
      const answer = await registry.get(path);

      expect(answer).toMatchObject(error(405, "HTTP 405 Method Not Allowed"));
      expect(answer.headers.get("Allow")).toBe("DELETE");
    }
  });

  it("exist from the first registration, the default one first", async () => {
    await registry.register(`:.${name}:s`, record("a"));

    const { body } = await registry.get("/contexts");

    expect((body as string[])[0]).toBe(".");
    expect(body).toContain(`.${name}`);
    expect((await registry.get(`/contexts?contextPrefix=.${name}`)).body).toEqual([`.${name}`]);
    expect((await registry.get("/contexts?offset=0&limit=1")).body).toEqual(["."]);
  });

  it("can be deleted once they are empty", async () => {
    await registry.register(`:.${name}:s`, record("a"));
    const refusal = error(42211, `The specified context '.${name}' is not empty.`);

    expect(await registry.delete(`/contexts/${name}`)).toMatchObject(refusal);
    await registry.delete(`/subjects/:.${name}:s`);
    expect(await registry.delete(`/contexts/.${name}`)).toMatchObject(refusal);
    await registry.delete(`/subjects/:.${name}:s?permanent=true`);
    expect(await registry.delete(`/contexts/.${name}`)).toMatchObject({ status: 204, text: "" });
    expect((await registry.get("/contexts")).body).not.toContain(`.${name}`);
  });
});
