import { describe, expect, it } from "vitest";
import { avroRecord, type ProblemBody, type Registry, WAYS } from "../native-calls.ts";

type Outcome = { result: string; id: string; subject: string; context: string; version_number: number };

const ADDRESS = { type: "record", name: "Address", fields: [{ name: "street", type: "string" }] };
const ORDER = { type: "record", name: "Order", fields: [{ name: "to", type: "Address" }] };

async function withOrder(registry: Registry): Promise<void> {
  await registry.register("addresses", ADDRESS);
  const references = [{ name: "Address", subject: "addresses", version: 1 }];
  await registry.register("orders", ORDER, { references, owner: "orders-team" });
}

function promote(registry: Registry, more: object = {}) {
  return registry.call("POST", "/promotions", {
    body: { subject: "orders", version: "latest", to_context: ".prod", ...more },
  });
}

describe.each(WAYS)("POST /promotions on the $name platform", ({ open }) => {
  it("registers a version and what it references in the other context, once", async () => {
    const registry = open();
    await withOrder(registry);

    const first = await promote(registry);
    const again = await promote(registry);

    const { change_set, changes } = first.body as { change_set: string; changes: Outcome[] };
    expect(changes).toMatchObject([
      { result: "registered", context: ".prod", subject: "addresses", version_number: 1 },
      { result: "registered", context: ".prod", subject: "orders", version_number: 1 },
    ]);
    expect((await registry.get(`/change-sets/${change_set}`)).body).toMatchObject({ kind: "promotion" });
    expect((await registry.get(`/schemas/${changes[1]!.id}`)).body).toMatchObject({
      owner: "orders-team",
      content: ORDER,
    });
    expect(again.body).toMatchObject({ change_set: null, changes: [{ result: "unchanged" }, { result: "unchanged" }] });
  });

  it("promotes nothing if the target's own level refuses one of the versions", async () => {
    const registry = open();
    await withOrder(registry);
    await registry.register(":.prod:orders", { type: "record", name: "Order", fields: [{ name: "n", type: "int" }] });
    const before = await registry.lastSeq();

    const { status, body } = await promote(registry);

    expect(status).toBe(409);
    expect(body).toMatchObject({ code: "incompatible_schema", change: 1 });
    expect(await registry.lastSeq()).toBe(before);
  });

  it("becomes a proposal if the target is protected", async () => {
    const registry = open();
    await withOrder(registry);
    const protections = [{ name: "production", subjects: [":.prod:*"], approvals: [{ count: 1 }] }];
    await registry.call("PUT", "/governance", { body: { protections } });

    const { status, body } = await promote(registry);

    expect(status).toBe(409);
    expect(body).toMatchObject({
      code: "protected",
      proposal: { address: expect.stringContaining("/api/v1/proposals/") },
    });
  });

  it.each([
    [{ version: "7" }, 404],
    [{ subject: "absent" }, 404],
    [{ to_context: "." }, 422],
    [{ to_context: ":" }, 400],
  ])("refuses %j with %i", async (more, status) => {
    const registry = open();
    await withOrder(registry);
    await registry.register("lone", avroRecord("id"));

    const called = await promote(registry, more);

    expect(called.status, called.text).toBe(status);
    expect((called.body as ProblemBody).detail).toBeTruthy();
  });
});
