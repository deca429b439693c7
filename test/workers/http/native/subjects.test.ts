import { describe, expect, it } from "vitest";
import { avroRecord, type RecordBody, type Registry, WAYS } from "../native-calls.ts";

type Page<T> = { items: T[]; next_cursor?: string };
type SubjectBody = { subject: string; context: string; versions: number };

async function evolve(registry: Registry, subject: string): Promise<RecordBody[]> {
  return [
    await registry.register(subject, avroRecord("id"), { version: "1.0.0" }),
    await registry.register(subject, avroRecord("id", "a?"), { version: "1.4.0" }),
    await registry.register(subject, avroRecord("id", "a?", "b?"), { version: "2.0.0" }),
  ];
}

describe.each(WAYS)("GET /subjects on the $name platform", ({ open }) => {
  it("lists summaries of all contexts, or of one, or by prefix", async () => {
    const registry = open();
    await registry.register("b", avroRecord("x"));
    await registry.register("a", avroRecord("y"));
    await registry.register(":.eu:c", avroRecord("z"));
    const names = async (query: string) =>
      ((await registry.get(`/subjects${query}`)).body as Page<SubjectBody>).items.map(
        ({ context, subject }) => `${context}/${subject}`,
      );

    expect(await names("")).toEqual(["./a", "./b", ".eu/c"]);
    expect(await names("?context=eu")).toEqual([".eu/c"]);
    expect(await names("?context=.")).toEqual(["./a", "./b"]);
    expect(await names("?prefix=c")).toEqual([".eu/c"]);
    expect(await names("?prefix=%3A.eu%3A")).toEqual([".eu/c"]);
  });

  it("pages without gaps or repeats", async () => {
    const registry = open();
    for (const subject of ["a", "b", "c"]) await registry.register(subject, avroRecord(subject));

    const first = (await registry.get("/subjects?limit=2")).body as Page<SubjectBody>;
    const second = (await registry.get(`/subjects?limit=2&cursor=${first.next_cursor}`)).body as Page<SubjectBody>;

    expect([...first.items, ...second.items].map(({ subject }) => subject)).toEqual(["a", "b", "c"]);
    expect(second.next_cursor).toBeUndefined();
  });
});

describe.each(WAYS)("GET /subjects/{s} on the $name platform", ({ open }) => {
  it("returns counts, the latest version and the compatibility settings", async () => {
    const registry = open();
    const [, , third] = await evolve(registry, "orders");
    await registry.register("orders", avroRecord("id", "c?"), { state: "draft" });

    const { body } = await registry.get("/subjects/orders");

    expect(body).toEqual({
      subject: "orders",
      context: ".",
      latest: { version: "2.0.0", version_number: 3, id: third?.id },
      versions: 3,
      deleted_versions: 0,
      drafts: 1,
      level: "BACKWARD",
      policy: "semantic",
      writers: "declared",
      mode: "READWRITE",
      role: null,
    });
  });

  it.each(["a/b", "ünïcode ☃", "with space", "100%", "a?b#c", "a:b", "%2F", "-", "latest", "versions"])(
    "finds the subject %s again, percent-encoded",
    async (subject) => {
      const registry = open();
      await registry.register(subject, avroRecord("id"));

      const { status, body } = await registry.get(`/subjects/${encodeURIComponent(subject)}`);
      const version = await registry.get(`/subjects/${encodeURIComponent(subject)}/versions/1`);

      expect([status, version.status]).toEqual([200, 200]);
      expect(body).toMatchObject({ subject });
    },
  );

  it("finds a subject of another context by query and by qualified name", async () => {
    const registry = open();
    await registry.register(":.eu:orders", avroRecord("id"));

    const answers = await Promise.all(
      [
        "/subjects/orders?context=eu",
        "/subjects/orders?context=.eu",
        "/subjects/%3A.eu%3Aorders",
        "/subjects/:.eu:orders",
      ].map((path) => registry.get(path)),
    );

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await registry.get("/subjects/orders")).status).toBe(404);
  });

  it("answers 404 for a missing subject", async () => {
    const { status, body } = await open().get("/subjects/nowhere");

    expect(status).toBe(404);
    expect(body).toMatchObject({ code: "not_found", detail: 'There is no subject "nowhere".' });
  });
});

describe.each(WAYS)("GET /subjects/{s}/versions/{v} on the $name platform", ({ open }) => {
  it.each([
    ["1", 1],
    ["3", 3],
    ["latest", 3],
    ["1.4.0", 2],
    ["^1", 2],
    ["~1.0", 1],
    ["1.x", 2],
    [">=1 <2", 2],
    ["^2", 3],
    ["*", 3],
  ])("selects %s", async (selector, number) => {
    const registry = open();
    await evolve(registry, "orders");

    const { status, body } = await registry.get(`/subjects/orders/versions/${encodeURIComponent(selector)}`);

    expect(status).toBe(200);
    expect(body).toMatchObject({ version_number: number });
  });

  it.each([
    ["9", 404],
    ["9.9.9", 404],
    ["^7", 404],
    ["0", 422],
    ["-1", 422],
    ["2147483648", 422],
    ["no-such-alias", 404],
    ["non sense", 422],
    ["1.2.3.4", 422],
    ["%00", 422],
    ["☃", 422],
  ])("refuses %s with %i", async (selector, status) => {
    const registry = open();
    await evolve(registry, "orders");

    const answer = await registry.get(`/subjects/orders/versions/${selector}`);

    expect(answer.status).toBe(status);
  });

  it("skips deprecated versions for latest while an active one exists, and archived ones always", async () => {
    const registry = open();
    const [, second, third] = await evolve(registry, "orders");
    await registry.call("PATCH", `/schemas/${third?.id}`, { body: { state: "deprecated" } });
    const afterDeprecation = await registry.get("/subjects/orders/versions/latest");
    await registry.call("PATCH", `/schemas/${second?.id}`, { body: { state: "archived" } });

    const afterArchival = await registry.get("/subjects/orders/versions/^1");

    expect(afterDeprecation.body).toMatchObject({ version_number: 2 });
    expect(afterArchival.body).toMatchObject({ version_number: 1 });
    expect((await registry.get("/subjects/orders/versions/2")).status).toBe(200);
  });
});

describe.each(WAYS)("GET /subjects/{s}/versions on the $name platform", ({ open }) => {
  it("lists versions by number, with deleted ones on request, page by page", async () => {
    const registry = open();
    const [, second] = await evolve(registry, "orders");
    await registry.call("DELETE", `/schemas/${second?.id}`);
    const numbers = async (query: string) => {
      const { items, next_cursor } = (await registry.get(`/subjects/orders/versions${query}`)).body as Page<RecordBody>;
      return { numbers: items.map(({ version_number }) => version_number), next_cursor };
    };

    expect((await numbers("")).numbers).toEqual([1, 3]);
    expect((await numbers("?deleted=true")).numbers).toEqual([1, 2, 3]);
    const first = await numbers("?deleted=true&limit=2");
    expect(first.numbers).toEqual([1, 2]);
    expect((await numbers(`?deleted=true&limit=2&cursor=${first.next_cursor}`)).numbers).toEqual([3]);
  });

  it("answers 404 for a missing subject", async () => {
    expect((await open().get("/subjects/nowhere/versions")).status).toBe(404);
  });
});

describe.each(WAYS)("DELETE /subjects/{s} on the $name platform", ({ open }) => {
  it("deletes all versions, soft and then hard", async () => {
    const registry = open();
    const records = await evolve(registry, "orders");

    const soft = await registry.call("DELETE", "/subjects/orders");
    const again = await registry.call("DELETE", "/subjects/orders");
    const hard = await registry.call("DELETE", "/subjects/orders?permanent=true");
    const after = await registry.call("DELETE", "/subjects/orders?permanent=true");

    expect(soft.body).toMatchObject({ permanent: false, versions: [1, 2, 3], ids: records.map(({ id }) => id) });
    expect(hard.body).toMatchObject({ permanent: true });
    expect([soft.status, again.status, hard.status, after.status]).toEqual([200, 404, 200, 404]);
    expect((await registry.get("/subjects/orders?deleted=true")).status).toBe(404);
  });

  it("refuses to hard-delete a subject with live versions", async () => {
    const registry = open();
    await registry.register("orders", avroRecord("id"));

    const { body } = await registry.call("DELETE", "/subjects/orders?permanent=true");

    expect(body).toMatchObject({ code: "conflict" });
    expect((await registry.get("/subjects/orders")).status).toBe(200);
  });
});

describe.each(WAYS)("GET /subjects/{s}/diff on the $name platform", ({ open }) => {
  it("returns the differences of each direction", async () => {
    const registry = open();
    await registry.register("orders", avroRecord("id"), { compatibility_level: "NONE" });
    await registry.register("orders", avroRecord("id", "required"));

    const { status, body } = await registry.get("/subjects/orders/diff?from=1&to=latest");

    expect(status).toBe(200);
    expect(body).toMatchObject({
      from: { version_number: 1 },
      to: { version_number: 2 },
      policy: "semantic",
      backward: { compatible: false },
      forward: { compatible: true },
    });
  });

  it("refuses a missing side, an unknown version and a policy that the format lacks", async () => {
    const registry = open();
    await registry.register("orders", avroRecord("id"));

    const missing = await registry.get("/subjects/orders/diff?from=1");
    const unknown = await registry.get("/subjects/orders/diff?from=1&to=9");
    const foreign = await registry.get("/subjects/orders/diff?from=1&to=1&policy=buf_wire");

    expect([missing.status, unknown.status, foreign.status]).toEqual([400, 404, 422]);
  });
});
