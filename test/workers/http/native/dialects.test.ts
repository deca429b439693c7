import { describe, expect, it } from "vitest";
import { type ProblemBody, plainRegistry, type RecordBody } from "../native-calls.ts";

/** Up to draft-07 siblings of `$ref` are ignored, later they are applied. */
const BOUNDED = { $defs: { S: { type: "string" } }, properties: { code: { $ref: "#/$defs/S", maxLength: 5 } } };
const UNBOUNDED = { $defs: { S: { type: "string" } }, properties: { code: { $ref: "#/$defs/S" } } };
const JSON_SCHEMA = { format: "json-schema" };

describe("the dialect of a JSON Schema without $schema", () => {
  it("belongs to the record: two subjects read the same text in different dialects", async () => {
    const registry = plainRegistry();
    const modern = await registry.register("modern", BOUNDED, JSON_SCHEMA);
    const older = await registry.register("older", BOUNDED, { ...JSON_SCHEMA, dialect: "draft-07" });

    expect([modern.dialect, older.dialect]).toEqual(["2020-12", "draft-07"]);
    expect(older).toMatchObject({ guid: modern.guid, confluent_id: modern.confluent_id });
    for (const { id, dialect } of [modern, older]) {
      expect((await registry.get(`/schemas/${id}`)).body).toMatchObject({ dialect });
      expect((await registry.get(`/schemas/${id}/content`)).body).toMatchObject({ dialect });
    }
  });

  it("is given by its own $schema, whichever dialect the request names", async () => {
    const registry = plainRegistry();
    const content = { $schema: "http://json-schema.org/draft-06/schema#", type: "string" };

    const record = await registry.register("s", content, { ...JSON_SCHEMA, dialect: "2019-09" });

    expect(record.dialect).toBe("draft-06");
  });

  it("decides whether a change is compatible, in registrations and in checks", async () => {
    const registry = plainRegistry();
    await registry.register("s", UNBOUNDED, { ...JSON_SCHEMA, dialect: "draft-07" });
    const candidate = { subject: "s", format: "json-schema", content: BOUNDED };
    const check = async (more: object) =>
      (await registry.call("POST", "/compatibility/check", { body: { ...candidate, ...more } })).body;

    expect(await check({ dialect: "draft-07" })).toMatchObject({ compatible: true });
    expect(await check({})).toMatchObject({ compatible: false });
    const refused = await registry.call("POST", "/schemas", { body: candidate });
    expect((refused.body as ProblemBody).code).toBe("incompatible_schema");
    const registered = await registry.call("POST", "/schemas", { body: { ...candidate, dialect: "draft-07" } });
    expect(registered.status).toBe(201);
  });

  it("may be given for either side of a pair, and for a schema that is only checked", async () => {
    const registry = plainRegistry();
    const side = (content: object, dialect: string) => ({ format: "json-schema", content, dialect });
    const compatible = async (dialect: string) => {
      const body = { reader: side(BOUNDED, dialect), writer: side(UNBOUNDED, "2020-12") };
      return ((await registry.call("POST", "/compatibility/check", { body })).body as { compatible: boolean })
        .compatible;
    };

    expect([await compatible("draft-07"), await compatible("2019-09")]).toEqual([true, false]);
    const exclusive = { format: "json-schema", content: { minimum: 1, exclusiveMinimum: true } };
    const valid = async (dialect: string) =>
      ((await registry.call("POST", "/schemas/check", { body: { ...exclusive, dialect } })).body as { valid: boolean })
        .valid;
    expect([await valid("draft-04"), await valid("2020-12")]).toEqual([true, false]);
  });

  it("makes a known text another version if it is given, and a warning if not", async () => {
    const registry = plainRegistry();
    const older = await registry.register("s", BOUNDED, { ...JSON_SCHEMA, dialect: "draft-07" });

    const known = await registry.call("POST", "/schemas", { body: { subject: "s", content: BOUNDED, ...JSON_SCHEMA } });
    const other = await registry
      .register("s", BOUNDED, { ...JSON_SCHEMA, dialect: "2019-09", compatibility_level: "NONE" })
      .catch(() => undefined);

    expect(known.status).toBe(200);
    expect(known.body).toMatchObject({ id: older.id, warnings: [{ rule: "dialect_unchanged", pointer: "/dialect" }] });
    expect(other).toBeUndefined();
    await registry.call("PUT", "/subjects/s/compatibility", { body: { level: "NONE" } });
    const named = await registry.register("s", BOUNDED, { ...JSON_SCHEMA, dialect: "2019-09" });
    expect(named).toMatchObject({ version_number: 2, dialect: "2019-09" });
  });
});

describe("contents that differ in the order of their keys", () => {
  it("are one version, and a draft of one cannot become another", async () => {
    const registry = plainRegistry();
    const first = await registry.register("s", { type: "object", title: "t" }, JSON_SCHEMA);
    const draft = await registry.register("s", { title: "t", type: "object" }, { ...JSON_SCHEMA, state: "draft" });

    const again = await registry.call("POST", "/schemas", {
      body: { subject: "s", content: { title: "t", type: "object" }, ...JSON_SCHEMA },
    });
    const activated = await registry.call("PATCH", `/schemas/${draft.id}`, { body: { state: "active" } });

    expect(again.status).toBe(200);
    expect((again.body as RecordBody).id).toBe(first.id);
    expect((activated.body as ProblemBody).code).toBe("conflict");
  });
});
