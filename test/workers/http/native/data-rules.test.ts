import { describe, expect, it } from "vitest";
import { avroRecord, WAYS } from "../native-calls.ts";

const rule = (name: string, more: object) => ({ name, kind: "TRANSFORM", ...more });

describe.each(WAYS)("POST /subjects/{s}/versions/{v}/rules/execute on the $name platform", ({ open }) => {
  it("runs the rules of a version over a message", async () => {
    const registry = open();
    const shout = rule("shout", { type: "CEL_FIELD", mode: "WRITE", expr: "value + '!'" });
    await registry.register("orders", avroRecord("id"), { contract: { rule_set: { domain_rules: [shout] } } });

    const { status, body } = await registry.call("POST", "/subjects/orders/versions/1.0.0/rules/execute", {
      body: { mode: "WRITE", message: { id: "a" } },
    });

    expect(status).toBe(200);
    expect(body).toEqual({
      passed: true,
      message: { id: "a!" },
      executed: [
        { name: "shout", phase: "domain", mode: "WRITE", version_number: 1, result: "SUCCESS", action: "NONE" },
      ],
    });
  });

  it("migrates a message to the reader's version", async () => {
    const registry = open();
    const up = rule("up", { type: "JSONATA", mode: "UPGRADE", expr: '{"id": id, "note": "new"}' });
    await registry.register("orders", avroRecord("id"));
    await registry.register("orders", avroRecord("id", "note?"), { contract: { rule_set: { migration_rules: [up] } } });

    const { body } = await registry.call("POST", "/subjects/orders/versions/1/rules/execute", {
      body: { mode: "READ", message: { id: "a" }, target_version: "latest" },
    });

    expect(body).toMatchObject({ passed: true, message: { id: "a", note: "new" }, executed: [{ name: "up" }] });
  });

  it("refuses unsupported rules", async () => {
    const registry = open();
    const path = "/subjects/orders/versions/1/rules/execute";

    expect((await registry.call("POST", path, { body: { mode: "WRITE", message: {} } })).status).toBe(404);
    await registry.register("orders", avroRecord("id"));
    expect((await registry.call("POST", path, { body: { mode: "SIDEWAYS", message: {} } })).status).toBe(400);
  });
});
