import { describe, expect, it } from "vitest";
import { avroRecord, type Called, type Registry, WAYS } from "../native-calls.ts";

const BREAK = avroRecord("id", "required");
const ADDITION = avroRecord("id", "note?");
const FORWARD = { level: "FORWARD", enforce_version: true };

/** One version, 1.4.2, of a subject that enforces versions. */
async function enforcing(registry: Registry, version = "1.4.2", settings: object = { enforce_version: true }) {
  await registry.call("PUT", "/subjects/orders/compatibility", { body: settings });
  await registry.register("orders", avroRecord("id"), { version });
}

function give(registry: Registry, content: object, version: string | undefined): Promise<Called> {
  return registry.call("POST", "/schemas", {
    body: { subject: "orders", format: "avro", content, ...(version === undefined ? {} : { version }) },
  });
}

describe.each(WAYS)("enforced versions on the $name platform", ({ open }) => {
  it("is off until it is enabled, and is shown", async () => {
    const registry = open();
    await enforcing(registry, "1.4.2", { enforce_version: false, level: "NONE" });

    const small = await give(registry, BREAK, "1.4.3");
    const on = await registry.call("PUT", "/subjects/orders/compatibility", { body: { enforce_version: true } });
    const off = await registry.call("DELETE", "/subjects/orders/compatibility");

    expect(small.status).toBe(201);
    expect(on.body).toMatchObject({ enforce_version: true, level: "NONE" });
    expect(off.body).toMatchObject({ enforce_version: false, level: "BACKWARD" });
  });

  it.each([
    ["a break that the level does not promise to avoid", BREAK, "1.4.3", { level: "FORWARD" }, "minor", "1.5.0"],
    ["a break under NONE", BREAK, "1.9.0", { level: "NONE" }, "major", "2.0.0"],
    ["an addition", ADDITION, "1.4.3", {}, "minor", "1.5.0"],
    ["a pre-release of too small a step", ADDITION, "1.4.3-rc.1", {}, "minor", "1.5.0"],
  ])(
    "refuses too small a step for %s, with the required step and the reason",
    async (_, content, version, more, step, least) => {
      const registry = open();
      await enforcing(registry, "1.4.2", { enforce_version: true, ...more });
      const before = await registry.lastSeq();

      const refused = await give(registry, content, version);

      expect(refused.status).toBe(409);
      expect(refused.body).toMatchObject({
        code: "conflict",
        demanded: { step, at_least: least, from: "1.4.2", reasons: expect.arrayContaining([expect.any(String)]) },
        errors: expect.arrayContaining([{ pointer: "/version", rule: `demands_${step}`, message: expect.any(String) }]),
      });
      expect((refused.body as { detail: string }).detail).toContain(least);
      expect(await registry.lastSeq()).toBe(before);
    },
  );

  it.each([
    ["the step that is demanded", ADDITION, "1.5.0"],
    ["a larger one", ADDITION, "3.0.0"],
    ["a pre-release of it, with build metadata", ADDITION, "1.5.0-rc.1+build.7"],
    ["any step for a change without effect", { ...avroRecord("id"), doc: "An order." }, "1.4.3"],
  ])("accepts %s and keeps the semver as given", async (_, content, version) => {
    const registry = open();
    await enforcing(registry);

    const { status, body, text } = await give(registry, content, version);

    expect(status, text).toBe(201);
    expect(body).toMatchObject({ version });
  });

  it("asks for a minor after a break in 0.y.z", async () => {
    const registry = open();
    await enforcing(registry, "0.4.2", { enforce_version: true, level: "NONE" });

    const small = await give(registry, BREAK, "0.4.3");
    const enough = await give(registry, BREAK, "0.5.0");

    expect(small).toMatchObject({ status: 409, body: { demanded: { step: "minor", at_least: "0.5.0" } } });
    expect(enough.status).toBe(201);
  });

  it("allows changes that a pre-release has announced", async () => {
    const registry = open();
    await enforcing(registry, "2.0.0-rc.1", { enforce_version: true, level: "NONE" });

    const next = await give(registry, BREAK, "2.0.0-rc.2");
    const release = await give(registry, avroRecord("id", "required", "another"), "2.0.0");

    expect([next.status, release.status]).toEqual([201, 201]);
  });

  it("reports a break before a semver that is too small for it", async () => {
    const registry = open();
    await enforcing(registry);

    const refused = await give(registry, BREAK, "1.4.3");

    expect(refused.body).toMatchObject({ code: "incompatible_schema" });
  });

  it("counts a break that an exception allows, but not a difference that an override removes", async () => {
    const registry = open();
    await enforcing(registry);
    await registry.call("POST", "/exceptions", {
      body: { subject: "orders", name: "e", owner: "ana", reason: "r", expires_at: "2999-01-01T00:00:00Z" },
    });

    const excepted = await give(registry, BREAK, "1.5.0");
    await registry.call("PUT", "/subjects/orders/rules", { body: { overrides: [{ pointer: "**", action: "allow" }] } });
    const overridden = await give(registry, BREAK, "1.5.0");

    expect(excepted).toMatchObject({ status: 409, body: { demanded: { step: "major", at_least: "2.0.0" } } });
    expect(overridden.status).toBe(201);
  });

  it("assigns the required step if no semver is given", async () => {
    const registry = open();
    await enforcing(registry, "1.4.2", FORWARD);

    const { body } = await give(registry, BREAK, undefined);

    expect(body).toMatchObject({ version: "1.5.0" });
  });

  it("is inherited from the context", async () => {
    const registry = open();
    await registry.call("PUT", "/compatibility", { body: { enforce_version: true } });
    await registry.register("orders", avroRecord("id"));

    const refused = await give(registry, ADDITION, "1.0.1");

    expect(refused.status).toBe(409);
  });
});

describe.each(WAYS)("suggested versions on the $name platform", ({ open }) => {
  it("include the step and its reasons", async () => {
    const registry = open();
    await registry.register("orders", avroRecord("id"), { version: "1.4.2" });
    const ask = async (content: object) =>
      (await registry.call("POST", "/compatibility/check", { body: { subject: "orders", content } })).body;

    expect(await ask(BREAK)).toMatchObject({
      suggested_version: "2.0.0",
      suggested_bump: "major",
      suggestion_reasons: expect.arrayContaining([expect.stringContaining("required")]),
    });
    expect(await ask(ADDITION)).toMatchObject({ suggested_version: "1.5.0", suggested_bump: "minor" });
    expect(await ask(avroRecord("id"))).toMatchObject({ suggested_version: "1.4.2", suggested_bump: "none" });
  });

  it("continue from a pre-release, in check and registration alike", async () => {
    const registry = open();
    await registry.register("orders", avroRecord("id"), { version: "2.0.0-rc.1" });

    const { body } = await registry.call("POST", "/compatibility/check", {
      body: { subject: "orders", content: ADDITION },
    });
    const registered = await registry.register("orders", ADDITION);

    expect(body).toMatchObject({ suggested_version: "2.0.0-rc.2" });
    expect(registered.version).toBe("2.0.0-rc.2");
  });
});
