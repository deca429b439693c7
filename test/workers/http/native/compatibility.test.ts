import { describe, expect, it } from "vitest";
import { avroRecord, WAYS } from "../native-calls.ts";

describe.each(WAYS)("/compatibility on the $name platform", ({ open }) => {
  it("returns the default's, the context's or the subject's settings, and their source", async () => {
    const registry = open();
    const path = "/subjects/orders/compatibility";

    const byDefault = await registry.get(path);
    await registry.call("PUT", "/compatibility", { body: { level: "FULL" } });
    const ofContext = await registry.get(path);
    await registry.call("PUT", path, { body: { level: "NONE", policy: "strict", writers: "any", role: "event" } });
    const ofSubject = await registry.get(path);

    expect(byDefault.body).toMatchObject({
      level: "BACKWARD",
      policy: "semantic",
      writers: "declared",
      source: "default",
    });
    expect(ofContext.body).toMatchObject({ level: "FULL", source: "context" });
    expect(ofSubject.body).toEqual({
      subject: "orders",
      context: ".",
      level: "NONE",
      policy: "strict",
      writers: "any",
      group: null,
      role: "event",
      enforce_version: false,
      undecided: "strict",
      source: "subject",
    });
  });

  it("keeps absent settings, and clears null ones", async () => {
    const registry = open();
    const path = "/subjects/orders/compatibility";
    await registry.call("PUT", path, { body: { level: "NONE", policy: "strict" } });

    const kept = await registry.call("PUT", path, { body: { writers: "any" } });
    const cleared = await registry.call("PUT", path, { body: { level: null } });

    expect(kept.body).toMatchObject({ level: "NONE", policy: "strict", writers: "any" });
    expect(cleared.body).toMatchObject({ level: "BACKWARD", policy: "strict" });
  });

  it("returns to the wider scope on DELETE, repeatedly", async () => {
    const registry = open();
    await registry.call("PUT", "/subjects/orders/compatibility", { body: { level: "NONE" } });

    const first = await registry.call("DELETE", "/subjects/orders/compatibility");
    const second = await registry.call("DELETE", "/subjects/orders/compatibility");

    expect(first.body).toMatchObject({ level: "BACKWARD", source: "default" });
    expect(second.status).toBe(200);
    expect(await registry.lastSeq()).toBe(2);
  });

  it("configures another context, and the fallback of all", async () => {
    const registry = open();
    await registry.call("PUT", "/compatibility?context=.__GLOBAL", { body: { level: "FULL_TRANSITIVE" } });
    await registry.call("PUT", "/compatibility?context=eu", { body: { level: "FORWARD" } });

    const eu = await registry.get("/subjects/orders/compatibility?context=eu");
    const us = await registry.get("/subjects/orders/compatibility?context=us");

    expect(eu.body).toMatchObject({ context: ".eu", level: "FORWARD", source: "context" });
    expect(us.body).toMatchObject({ context: ".us", level: "FULL_TRANSITIVE", source: "global" });
  });
});

describe.each(WAYS)("POST /compatibility/check on the $name platform", ({ open }) => {
  it("accepts a compatible candidate and suggests the next semver", async () => {
    const registry = open();
    const first = await registry.register("orders", avroRecord("id"));

    const { status, body } = await registry.call("POST", "/compatibility/check", {
      body: { subject: "orders", content: avroRecord("id", "note?") },
    });

    expect(status).toBe(200);
    expect(body).toMatchObject({
      compatible: true,
      level: "BACKWARD",
      policy: "semantic",
      writers: "declared",
      compared_versions: [{ version: "1.0.0", version_number: 1, id: first.id, compatible: true }],
      suggested_version: "1.1.0",
    });
    expect(await registry.lastSeq()).toBe(1);
  });

  it("lists every difference of an incompatible candidate, with direction and version, and suggests a major", async () => {
    const registry = open();
    await registry.register("orders", avroRecord("id"));

    const { body } = await registry.call("POST", "/compatibility/check", {
      body: { subject: "orders", content: avroRecord("id", "required") },
    });

    expect(body).toMatchObject({ compatible: false, suggested_version: "2.0.0" });
    const { differences } = body as { differences: { severity: string; direction: string; version_number: number }[] };
    expect(differences).toContainEqual(
      expect.objectContaining({ severity: "breaking", direction: "backward", version_number: 1 }),
    );
  });

  it("compares with all versions, with one, or at another level", async () => {
    const registry = open();
    await registry.register("orders", avroRecord("id"), { compatibility_level: "NONE" });
    await registry.register("orders", avroRecord("id", "b"));
    const ask = async (more: object) =>
      (
        await registry.call("POST", "/compatibility/check", {
          body: { subject: "orders", content: avroRecord("id", "b", "c?"), ...more },
        })
      ).body as { compatible: boolean; compared_versions: { version_number: number; compatible: boolean }[] };

    const byLevel = await ask({});
    const newest = await ask({ level: "BACKWARD" });
    const all = await ask({ level: "BACKWARD_TRANSITIVE" });
    const explicit = await ask({ level: "BACKWARD", version: "all" });
    const one = await ask({ level: "BACKWARD", version: 1 });
    const labelled = await ask({ level: "BACKWARD", version: "latest" });

    expect(byLevel).toMatchObject({ compatible: true, compared_versions: [] });
    expect(newest.compared_versions.map(({ version_number }) => version_number)).toEqual([2]);
    expect(all.compared_versions.map(({ version_number }) => version_number)).toEqual([2, 1]);
    expect(all.compared_versions.map(({ compatible }) => compatible)).toEqual([true, false]);
    expect(explicit.compared_versions).toHaveLength(2);
    expect(one).toMatchObject({ compatible: false, compared_versions: [{ version_number: 1 }] });
    expect(labelled).toMatchObject({ compatible: true, compared_versions: [{ version_number: 2 }] });
  });

  it("names a role's sides", async () => {
    const registry = open();
    await registry.register("tool", avroRecord("id"));

    const { body } = await registry.call("POST", "/compatibility/check", {
      body: { subject: "tool", content: avroRecord("id", "required"), role: "tool_input" },
    });

    const { differences } = body as { differences: { affected?: string }[] };
    expect(differences.map(({ affected }) => affected)).toContain("tool");
  });

  it("compares a reader with a writer, inline or by id", async () => {
    const registry = open();
    const stored = await registry.register("orders", avroRecord("id"));
    const inline = { format: "avro", content: avroRecord("id", "required") };

    const reads = await registry.call("POST", "/compatibility/check", {
      body: { reader: { id: stored.id }, writer: inline },
    });
    const fails = await registry.call("POST", "/compatibility/check", {
      body: { reader: inline, writer: { id: stored.id } },
    });

    expect(reads.body).toMatchObject({ compatible: true, level: null, compared_versions: [], suggested_version: null });
    expect(fails.body).toMatchObject({ compatible: false });
  });

  it("reports two formats as incompatible", async () => {
    const { body } = await open().call("POST", "/compatibility/check", {
      body: {
        reader: { format: "avro", content: avroRecord("id") },
        writer: { format: "json-schema", content: { type: "object" } },
      },
    });

    expect(body).toMatchObject({ compatible: false, differences: [{ kind: "FORMAT_CHANGED" }] });
  });

  it("accepts anything for a subject that does not exist yet, if the format is given", async () => {
    const registry = open();

    const told = await registry.call("POST", "/compatibility/check", {
      body: { subject: "new", format: "avro", content: avroRecord("id") },
    });
    const untold = await registry.call("POST", "/compatibility/check", {
      body: { subject: "new", content: avroRecord("id") },
    });

    expect(told.body).toMatchObject({ compatible: true, compared_versions: [], suggested_version: "1.0.0" });
    expect(untold.status).toBe(400);
  });

  it.each([
    ["neither form", {}],
    ["both forms", { subject: "a", content: {}, reader: { id: "x" }, writer: { id: "y" } }],
    ["half a pair", { reader: { id: "x" } }],
    ["a level beside a pair", { reader: { id: "x" }, writer: { id: "y" }, level: "FULL" }],
  ])("refuses %s", async (_, body) => {
    const { status } = await open().call("POST", "/compatibility/check", { body });

    expect(status).toBe(400);
  });

  it("answers 404 for a missing version, subject or id", async () => {
    const registry = open();
    await registry.register("orders", avroRecord("id"));
    const ask = async (body: object) => (await registry.call("POST", "/compatibility/check", { body })).status;

    expect(await ask({ subject: "orders", content: avroRecord("id"), version: 7 })).toBe(404);
    expect(await ask({ subject: "nowhere", format: "avro", content: avroRecord("id"), version: 1 })).toBe(404);
    expect(await ask({ reader: { id: "nope" }, writer: { id: "nope" } })).toBe(404);
  });

  it("refuses an invalid candidate", async () => {
    const registry = open();

    const { status, body } = await registry.call("POST", "/compatibility/check", {
      body: { subject: "orders", format: "avro", content: { type: "record" } },
    });

    expect(status).toBe(422);
    expect(body).toMatchObject({ code: "invalid_schema" });
  });
});
