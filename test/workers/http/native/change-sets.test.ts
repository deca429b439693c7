import { describe, expect, it } from "vitest";
import { MAX_CHANGE_DEPTH, MAX_CHANGES } from "../../../../registry/change-set.ts";
import { avroRecord, type ProblemBody, plainRegistry, type RecordBody, type Registry, WAYS } from "../native-calls.ts";

type Outcome = { result: string; id: string; subject: string; version_number: number; seq: number };
type Made = { change_set: string | null; changes: Outcome[] };

const ADDRESS = { type: "record", name: "Address", fields: [{ name: "street", type: "string" }] };
const ORDER = { type: "record", name: "Order", fields: [{ name: "ship_to", type: "Address" }] };

async function make(registry: Registry, changes: object[], more: object = {}, headers = {}): Promise<Made> {
  const { status, body, text } = await registry.call("POST", "/change-sets", { body: { changes, ...more }, headers });
  expect(status, text).toBe(200);
  return body as Made;
}

async function refused(
  registry: Registry,
  changes: object[],
): Promise<ProblemBody & { status: number; change?: number }> {
  const before = await registry.lastSeq();
  const { status, body, text } = await registry.call("POST", "/change-sets", { body: { changes } });
  expect(status, text).toBeGreaterThanOrEqual(400);
  expect(await registry.lastSeq()).toBe(before);
  return { status, ...(body as ProblemBody) };
}

function register(subject: string, content: unknown, more: object = {}) {
  return { operation: "register", subject, format: "avro", content, ...more };
}

/** Each references the previous one. */
function chain(length: number): object[] {
  return Array.from({ length }, (_, index) => {
    const fields = index === 0 ? [{ name: "id", type: "string" }] : [{ name: "inner", type: `R${index - 1}` }];
    const references = index === 0 ? [] : [{ name: `R${index - 1}`, subject: `chain-${index - 1}` }];
    return register(`chain-${index}`, { type: "record", name: `R${index}`, fields }, { references });
  });
}

describe.each(WAYS)("POST /change-sets on the $name platform", ({ open }) => {
  it("registers schemas that reference each other, in any order", async () => {
    const registry = open();
    const orders = register("orders", ORDER, { references: [{ name: "Address", subject: "addresses" }] });

    const made = await make(registry, [orders, register("addresses", ADDRESS)], { message: "Orders get an address." });

    expect(made.changes).toMatchObject([
      { result: "registered", subject: "orders", version_number: 1 },
      { result: "registered", subject: "addresses", version_number: 1 },
    ]);
    const { body } = await registry.get(`/schemas/${made.changes[0]!.id}`);
    expect(body).toMatchObject({ references: [{ name: "Address", subject: "addresses", version: 1 }] });
  });

  it("changes nothing if one of the changes is refused, and reports which", async () => {
    const registry = open();
    await registry.register("orders", avroRecord("id"));

    const problem = await refused(registry, [
      register("a", avroRecord("id")),
      register("orders", avroRecord("id", "added")),
      register("b", avroRecord("id")),
    ]);

    expect(problem).toMatchObject({ status: 409, code: "incompatible_schema", change: 1 });
    expect(problem.errors?.[0]?.pointer).toMatch(/^\/changes\/1/);
    expect((await registry.get("/subjects")).body).toMatchObject({ items: [{ subject: "orders" }] });
  });

  it("compares each version of a subject with the previous one of the same set", async () => {
    const registry = open();
    const [first, second] = [register("orders", avroRecord("id")), register("orders", avroRecord("id", "added?"))];

    const made = await make(registry, [first, second]);
    const problem = await refused(registry, [
      register("other", avroRecord("id")),
      register("other", avroRecord("id", "added")),
    ]);

    expect(made.changes).toMatchObject([{ version_number: 1 }, { version_number: 2 }]);
    expect(problem).toMatchObject({ code: "incompatible_schema", change: 1 });
  });

  it("registers a content that occurs twice once", async () => {
    const registry = open();

    const made = await make(registry, [register("a", avroRecord("id")), register("a", avroRecord("id"))]);
    const again = await make(registry, [register("a", avroRecord("id"))]);

    expect(made.changes.map(({ result }) => result)).toEqual(["registered", "unchanged"]);
    expect(again).toMatchObject({ change_set: null, changes: [{ result: "unchanged" }] });
  });

  it("deletes subjects that reference each other, in any order", async () => {
    const registry = open();
    await make(registry, chain(4));
    const subjects = ["chain-0", "chain-2", "chain-1", "chain-3"];

    const soft = await make(
      registry,
      subjects.map((subject) => ({ operation: "delete", subject })),
    );
    const hard = await make(
      registry,
      subjects.map((subject) => ({ operation: "delete", subject, permanent: true })),
    );

    expect(soft.changes.map(({ result }) => result)).toEqual(["deleted", "deleted", "deleted", "deleted"]);
    expect(hard.changes).toHaveLength(4);
    expect((await registry.get("/subjects?deleted=true")).body).toMatchObject({ items: [] });
  });

  it("refuses to delete a version that a schema outside the set references", async () => {
    const registry = open();
    await make(registry, chain(3));

    const problem = await refused(registry, [
      { operation: "delete", subject: "chain-0" },
      { operation: "delete", subject: "chain-1" },
    ]);

    expect(problem).toMatchObject({ status: 409, code: "conflict" });
  });

  it("replaces a subject: deletes it, and registers it anew", async () => {
    const registry = open();
    const { id } = await registry.register("orders", avroRecord("id"));

    const made = await make(registry, [
      { operation: "delete", id },
      { operation: "delete", id, permanent: true },
      register("orders", { type: "record", name: "Order", fields: [{ name: "n", type: "int" }] }),
    ]);

    expect(made.changes[2]).toMatchObject({ result: "registered", version_number: 1 });
  });

  it("applies a set once per Idempotency-Key, and refuses a different set with it", async () => {
    const registry = open();
    const headers = { "Idempotency-Key": "deploy-7" };

    const first = await make(registry, [register("a", avroRecord("id"))], {}, headers);
    const second = await make(registry, [register("a", avroRecord("id"))], {}, headers);
    const other = await registry.call("POST", "/change-sets", {
      body: { changes: [register("b", avroRecord("id"))] },
      headers,
    });

    expect(second).toEqual(first);
    expect(other.status).toBe(422);
  });

  it("marks its events with the change set", async () => {
    const registry = open();
    await registry.register("before", avroRecord("id"));
    const { change_set } = await make(registry, [register("a", avroRecord("id")), register("b", avroRecord("id"))]);
    await registry.register("after", avroRecord("id"));

    const { body } = await registry.get("/events?after=0");

    const events = (body as { items: { type: string; data: { change_set?: string } }[] }).items;
    expect(events.map(({ data }) => data.change_set)).toEqual([
      undefined,
      change_set,
      change_set,
      change_set,
      undefined,
    ]);
    expect(events[3]!.type).toMatch(/\.change_set\.committed$/);
  });

  it("activates drafts and undeletes versions together with their references", async () => {
    const registry = open();
    const draft = await registry.register("orders", avroRecord("id"), { state: "draft" });
    const gone = await registry.register("gone", avroRecord("id"));
    await registry.call("DELETE", `/schemas/${gone.id}`);

    const made = await make(registry, [
      { operation: "activate", id: draft.id },
      { operation: "undelete", id: gone.id },
    ]);

    expect(made.changes).toMatchObject([
      { result: "changed", version_number: 1, state: "active" },
      { result: "changed", subject: "gone" },
    ]);
    expect((await registry.get("/subjects/gone/versions/1")).status).toBe(200);
  });
});

describe("POST /change-sets", () => {
  it("refuses circular references", async () => {
    const registry = plainRegistry();

    const problem = await refused(registry, [
      register("a", ADDRESS, { references: [{ name: "B", subject: "b" }] }),
      register("b", ADDRESS, { references: [{ name: "A", subject: "a" }] }),
    ]);

    expect(problem.errors).toMatchObject([{ rule: "reference_cycle" }]);
  });

  it.each([
    ["a subject that the set does not register", [register("a", ORDER, { references: [{ name: "X", subject: "x" }] })]],
    [
      "a draft",
      [
        register("x", ADDRESS, { state: "draft" }),
        register("a", ORDER, { references: [{ name: "Address", subject: "x" }] }),
      ],
    ],
    [
      "one of two versions",
      [
        register("x", ADDRESS),
        register("x", { ...ADDRESS, doc: "again" }),
        register("a", ORDER, { references: [{ name: "Address", subject: "x" }] }),
      ],
    ],
  ])("refuses a reference without a version to %s", async (_, changes) => {
    const problem = await refused(plainRegistry(), changes);

    expect(problem.status).toBe(422);
    expect(problem.errors?.[0]?.pointer).toMatch(/^\/changes\/\d\/references\/0$/);
  });

  it("refuses an unknown operation, and lists the allowed fields", async () => {
    const problem = await refused(plainRegistry(), [{ operation: "rename", subject: "a" }]);

    expect(problem.status).toBe(400);
    expect(problem.errors?.[0]?.pointer).toMatch(/^\/changes\/0/);
  });

  it("accepts a chain up to the limit, and refuses a longer one", async () => {
    const registry = plainRegistry();

    const made = await make(registry, chain(MAX_CHANGE_DEPTH));
    const problem = await refused(registry, chain(MAX_CHANGE_DEPTH + 1));

    expect(made.changes).toHaveLength(MAX_CHANGE_DEPTH);
    expect(problem.errors).toMatchObject([{ rule: "too_deep" }]);
  });

  it("accepts changes up to the limit, and refuses more", async () => {
    const registry = plainRegistry();
    const changes = (count: number) =>
      Array.from({ length: count }, (_, index) => register(`subject-${index}`, avroRecord(`field_${index}`)));

    const problem = await refused(registry, changes(MAX_CHANGES + 1));
    const made = await make(registry, changes(MAX_CHANGES));

    expect(problem.status).toBe(400);
    expect(made.changes).toHaveLength(MAX_CHANGES);
  });
});

describe("GET /change-sets", () => {
  it("lists change sets page by page, newest first, and gives each by its id", async () => {
    const registry = plainRegistry();
    const made: (string | null)[] = [];
    for (const subject of ["a", "b", "c"]) {
      const { change_set } = await make(registry, [register(subject, avroRecord("id"))], {
        message: `Adds ${subject}.`,
      });
      made.push(change_set);
    }

    type Page = { items: { id: string; message: string; first_seq: number; last_seq: number }[]; next_before?: number };
    const first = (await registry.get("/change-sets?limit=2")).body as Page;
    const second = (await registry.get(`/change-sets?limit=2&before=${first.next_before}`)).body as Page;

    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(made.toReversed());
    expect(second.next_before).toBeUndefined();
    const { body } = await registry.get(`/change-sets/${made[0]}`);
    expect(body).toMatchObject({ message: "Adds a.", first_seq: 1, last_seq: 2, kind: "bulk", proposal: null });
    expect((await registry.get("/change-sets/unknown")).status).toBe(404);
  });

  it("still lists a set whose versions were hard-deleted", async () => {
    const registry = plainRegistry();
    const { change_set, changes } = await make(registry, [register("a", avroRecord("id"))]);
    const { id } = changes[0] as unknown as RecordBody;
    await registry.call("DELETE", `/schemas/${id}`);
    await registry.call("DELETE", `/schemas/${id}?permanent=true`);

    const { body } = await registry.get(`/change-sets/${change_set}`);

    expect(body).toMatchObject({ id: change_set, first_seq: 1, last_seq: 2 });
  });
});
