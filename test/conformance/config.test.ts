import { beforeEach, describe, expect, it } from "vitest";
import { error, unique, useRegistry } from "./registry.ts";

const registry = useRegistry();
let subject = "";

beforeEach(() => {
  subject = unique("config");
});

describe("config of a subject", () => {
  it("is missing until it is set, and then returned as set", async () => {
    const missing = error(40408, `Subject '${subject}' does not have subject-level compatibility configured`);

    expect(await registry.get(`/config/${subject}`)).toMatchObject(missing);
    expect((await registry.put(`/config/${subject}`, { compatibility: "FULL" })).body).toEqual({
      compatibility: "FULL",
    });
    expect((await registry.get(`/config/${subject}`)).body).toEqual({ compatibilityLevel: "FULL" });
    expect((await registry.delete(`/config/${subject}`)).body).toEqual({ compatibilityLevel: "FULL" });
    expect(await registry.get(`/config/${subject}`)).toMatchObject(missing);
    expect(await registry.delete(`/config/${subject}`)).toMatchObject(error(40401, `Subject '${subject}' not found.`));
  });

  it.each(["NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"])(
    "accepts %s in any case",
    async (level) => {
      await registry.put(`/config/${subject}`, { compatibility: level.toLowerCase() });

      expect((await registry.get(`/config/${subject}`)).body).toEqual({ compatibilityLevel: level });
    },
  );

  it("refuses an unknown level", async () => {
    expect(await registry.put(`/config/${subject}`, { compatibility: "SIDEWAYS" })).toMatchObject(
      error(
        42203,
        "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and full_transitive",
      ),
    );
  });

  it("keeps absent fields, clears null ones, sets the rest, and answers the merged config", async () => {
    await registry.put(`/config/${subject}`, { compatibility: "FULL", normalize: true, compatibilityGroup: "g" });

    const { body } = await registry.put(`/config/${subject}`, { normalize: null, validateFields: false });

    expect(body).toEqual({ compatibility: "FULL", validateFields: false, compatibilityGroup: "g" });
  });

  it("keeps every field", async () => {
    const rule = { name: "r", kind: "CONDITION", mode: "WRITE", type: "CEL", expr: "true", disabled: false };
    const metadata = { properties: { a: "b" } };
    const all = {
      alias: "other",
      aliasForDeks: "other",
      normalize: true,
      validateFields: true,
      validateNewSchemas: false,
      validateRules: true,
      compatibilityPolicy: "LENIENT",
      compatibilityGroup: "g",
      defaultMetadata: metadata,
      overrideMetadata: metadata,
      defaultRuleSet: { domainRules: [rule] },
      overrideRuleSet: { domainRules: [rule] },
    };

    expect((await registry.put(`/config/${subject}`, { ...all, compatibility: "NONE" })).body).toEqual({
      ...all,
      compatibility: "NONE",
    });
    expect((await registry.get(`/config/${subject}`)).body).toEqual({ ...all, compatibilityLevel: "NONE" });
  });

  it("coerces strings and numbers, and refuses other values", async () => {
    expect((await registry.put(`/config/${subject}`, { normalize: "true", validateFields: 0 })).body).toEqual({
      normalize: true,
      validateFields: false,
    });
    expect(await registry.put(`/config/${subject}`, { normalize: "yes" })).toMatchObject(error(400, /normalize/));
    expect(await registry.put(`/config/${subject}`, [])).toMatchObject({ status: 400 });
    expect(await registry.put(`/config/${subject}`, { compatibility: "" })).toMatchObject({
      body: { error_code: 42203 },
    });
  });

  it.each(["LOGICAL", "FAIR"])("refuses the policy %s with 42203", async (compatibilityPolicy) => {
    expect(await registry.put(`/config/${subject}`, { compatibilityPolicy })).toMatchObject({
      status: 422,
      body: { error_code: 42203 },
    });
  });

  it("checks the rules in defaults and overrides", async () => {
    const defaultRuleSet = { domainRules: [{ name: "1st", type: "CEL" }] };

    expect(await registry.put(`/config/${subject}`, { defaultRuleSet })).toMatchObject(
      error(42210, "Illegal initial character in rule name: 1st"),
    );
  });

  it("cannot change while the subject is read-only", async () => {
    await registry.put(`/mode/${subject}`, { mode: "READONLY" });
    const refusal = error(42205, `Subject ${subject} in context  is in read-only mode`);

    expect(await registry.put(`/config/${subject}`, { compatibility: "FULL" })).toMatchObject(refusal);
    expect(await registry.delete(`/config/${subject}`)).toMatchObject(refusal);
  });
});

describe("the top level", () => {
  it("always has a level, also in the response to PUT", async () => {
    expect((await registry.get("/config")).body).toEqual({ compatibilityLevel: "BACKWARD" });
    expect((await registry.put("/config", { compatibility: "FULL" })).body).toEqual({ compatibility: "FULL" });
    expect((await registry.put("/config", { normalize: true })).body).toEqual({
      compatibility: "FULL",
      normalize: true,
    });
    expect((await registry.put("/config", { compatibility: null, normalize: null })).body).toEqual({
      compatibility: "BACKWARD",
    });
    await registry.put("/config", { compatibility: "full", normalize: true });
    expect((await registry.get("/config")).body).toEqual({ compatibilityLevel: "FULL", normalize: true });
    expect((await registry.delete("/config")).body).toEqual({ compatibilityLevel: "FULL", normalize: true });
    expect((await registry.get("/config")).body).toEqual({ compatibilityLevel: "BACKWARD" });
    expect((await registry.delete("/config")).body).toEqual({ compatibilityLevel: "BACKWARD" });
  });

  it("is the same as :.: and the empty subject", async () => {
    await registry.put("/config/:.:", { compatibility: "NONE" });

    expect((await registry.get("/config")).body).toEqual({ compatibilityLevel: "NONE" });
    await registry.delete("/config");
  });
});

describe("effective config", () => {
  const effective = async (name: string) => (await registry.get(`/config/${name}?defaultToGlobal=true`)).body;

  it("is the server's default if nothing is set", async () => {
    expect(await effective(subject)).toEqual({ compatibilityLevel: "BACKWARD" });
  });

  it("of a subject with settings inherits some from the top level, but not the level", async () => {
    await registry.put("/config", { compatibility: "FULL", normalize: true, compatibilityGroup: "top" });
    await registry.put(`/config/${subject}`, {
      compatibilityGroup: "own",
      overrideMetadata: { properties: { a: "b" } },
    });

    const own = await effective(subject);
    const other = await effective(`${subject}-other`);
    await registry.delete("/config");

    expect(own).toEqual({
      compatibilityLevel: "BACKWARD",
      normalize: true,
      compatibilityGroup: "own",
      overrideMetadata: { properties: { a: "b" } },
    });
    expect(other).toEqual({ compatibilityLevel: "FULL", normalize: true, compatibilityGroup: "top" });
  });

  it("falls back from the context to the global context to the server", async () => {
    const name = `:.${subject}:s`;
    await registry.put("/config/:.__GLOBAL:", { compatibility: "FORWARD" });
    const global = await effective(name);
    await registry.put(`/config/:.${subject}:`, { compatibility: "NONE" });
    const ofContext = await effective(name);
    await registry.delete("/config/:.__GLOBAL:");

    expect(global).toEqual({ compatibilityLevel: "FORWARD" });
    expect(ofContext).toEqual({ compatibilityLevel: "NONE" });
  });
});
