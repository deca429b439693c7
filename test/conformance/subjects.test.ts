import { describe, expect, it } from "vitest";
import { error, record, unique, useRegistry } from "./registry.ts";

const registry = useRegistry();

describe("GET /subjects", () => {
  it("lists every context, sorted, or the subjects with a prefix", async () => {
    const [name, context] = [unique("subjects"), unique("ctx")];
    const names = [`${name}-b`, `${name}-a`, `:.${context}:${name}`];
    for (const subject of names) await registry.register(subject, record("a"));

    const { body } = await registry.get("/subjects");

    expect(body).toEqual((body as string[]).toSorted());
    expect(body).toEqual(expect.arrayContaining(names));
    expect((await registry.get(`/subjects?subjectPrefix=${name}`)).body).toEqual([`${name}-a`, `${name}-b`]);
    expect((await registry.get(`/subjects?subjectPrefix=:*:${name}`)).body).toHaveLength(3);
    expect((await registry.get(`/subjects?subjectPrefix=${name}&offset=1`)).body).toEqual([`${name}-b`]);
    expect((await registry.get(`/subjects?subjectPrefix=${name}&limit=1`)).body).toEqual([`${name}-a`]);
  });

  it("counts a subject as deleted only if all its versions are", async () => {
    const name = unique("subjects");
    for (const half of ["live", "half", "gone"]) {
      await registry.register(`${name}-${half}`, record("a"));
      await registry.register(`${name}-${half}`, record("a", "b?"));
    }
    await registry.delete(`/subjects/${name}-half/versions/1`);
    await registry.delete(`/subjects/${name}-gone`);
    const listed = async (query: string) => (await registry.get(`/subjects?subjectPrefix=${name}${query}`)).body;

    expect(await listed("")).toEqual([`${name}-half`, `${name}-live`]);
    expect(await listed("&deleted=true")).toEqual([`${name}-gone`, `${name}-half`, `${name}-live`]);
    expect(await listed("&deleted=true&deletedOnly=true")).toEqual([`${name}-gone`]);
  });
});

describe("versions", () => {
  it("can be read by number, by latest in any case, and by -1", async () => {
    const subject = unique("version");
    await registry.register(subject, record("a"));
    await registry.register(subject, record("a", "b?"));

    for (const version of ["2", "latest", "LATEST", "latest%20", "%20latest", "-1"]) {
      expect((await registry.get(`/subjects/${subject}/versions/${version}`)).body).toMatchObject({ version: 2 });
    }
    expect((await registry.get(`/subjects/${subject}/versions/1/schema`)).text).toBe(record("a"));
  });

  it.each(["0", "-2", "x", "2147483648", "1.0", "99999999999999"])("refuse %s with 42202", async (version) => {
    const refusal = error(
      42202,
      `The specified version '${version}' is not a valid version id. Allowed values are between [1, 2^31-1] and the string "latest"`,
    );

    expect(await registry.get(`/subjects/none/versions/${version}`)).toMatchObject(refusal);
    expect(await registry.delete(`/subjects/none/versions/${version}`)).toMatchObject(refusal);
  });

  it("answer 40402 if missing, and 40401 if the subject is", async () => {
    const subject = unique("missing");

    expect(await registry.get(`/subjects/${subject}/versions/1`)).toMatchObject(
      error(40401, `Subject '${subject}' not found.`),
    );
    await registry.register(subject, record("a"));
    expect(await registry.get(`/subjects/${subject}/versions/2`)).toMatchObject(error(40402, "Version 2 not found."));
    expect(await registry.delete(`/subjects/${subject}/versions/2`)).toMatchObject(
      error(40402, "Version 2 not found."),
    );
    await registry.delete(`/subjects/${subject}`);
    expect(await registry.get(`/subjects/${subject}/versions/latest?deleted=true`)).toMatchObject(
      error(40402, "Version -1 not found."),
    );
  });

  it("are listed page by page", async () => {
    const subject = unique("pages");
    await registry.register(subject, record("a"));
    await registry.register(subject, record("a", "b?"));

    expect((await registry.get(`/subjects/${subject}/versions?offset=1`)).body).toEqual([2]);
    expect((await registry.get(`/subjects/${subject}/versions?limit=1`)).body).toEqual([1]);
    expect((await registry.get(`/subjects/${subject}/versions?limit=0`)).body).toEqual([1, 2]);
  });
});

describe("unusual names", () => {
  it.each([" ", "*", "a%b", "a?b", "a#b", "../x", "x/../y", "a\\b", "a:b", ":a:b", ".a", "ö😀"])(
    "a subject may be named %j",
    async (part) => {
      const subject = part === "*" ? part : `${part}${unique("name")}`;

      await registry.register(subject, record("a"));

      expect((await registry.get("/subjects")).body).toContain(subject);
      expect((await registry.get(`/subjects/${encodeURIComponent(subject)}/versions/1`)).body).toMatchObject({
        subject,
      });
      expect((await registry.delete(`/subjects/${encodeURIComponent(subject)}`)).body).toEqual([1]);
    },
  );
});

describe("referencedby", () => {
  it("gives the ids of referring schemas, including deleted ones on request", async () => {
    const subject = unique("referenced");
    await registry.register(subject, '{"type":"record","name":"Base","fields":[]}');
    const { id } = await registry.register(`${subject}-top`, {
      schema: '{"type":"record","name":"Top","fields":[{"name":"base","type":"Base"}]}',
      references: [{ name: "Base", subject, version: 1 }],
    });
    const path = `/subjects/${subject}/versions/1/referencedby`;

    expect((await registry.get(path)).body).toEqual([id]);
    await registry.delete(`/subjects/${subject}-top`);
    expect((await registry.get(path)).body).toEqual([]);
    expect((await registry.get(`${path}?deleted=true`)).body).toEqual([id]);
    expect(await registry.get(`/subjects/${subject}/versions/2/referencedby`)).toMatchObject(
      error(40402, "Version 2 not found."),
    );
  });
});

describe("search by metadata", () => {
  it("finds the newest version with all properties", async () => {
    const subject = unique("metadata");
    const texts = [record("a"), record("a", "b?"), record("a", "b?", "c?")];
    const properties = [{ major: "1", x: "1" }, { major: "1", x: "2" }, { major: "2" }];
    for (const [index, schema] of texts.entries()) {
      await registry.register(subject, { schema, metadata: { properties: properties[index] } });
    }
    const found = (query: string) => registry.get(`/subjects/${subject}/metadata?${query}`);

    expect((await found("key=major&value=1")).body).toMatchObject({ version: 2 });
    expect((await found("key=major&value=1&key=x&value=1")).body).toMatchObject({ version: 1 });
    expect(await found("key=major&value=3")).toMatchObject(error(40403, "Schema not found"));
    expect(await registry.get(`/subjects/${subject}-none/metadata?key=a&value=b`)).toMatchObject(
      error(40401, `Subject '${subject}-none' not found.`),
    );
  });
});
