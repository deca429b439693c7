import { describe, expect, it } from "vitest";
import { avroRecord, openRegistry, WAYS } from "./calls.ts";

const TEXT = JSON.stringify(avroRecord("a"));

describe("CONFLUENT_API_LEVEL", () => {
  it.each([
    ["7.9", 409],
    ["8.1", 409],
    ["8.2", 40901],
  ])("%s answers an incompatible schema with %i", async (CONFLUENT_API_LEVEL, errorCode) => {
    const registry = openRegistry({ vars: { CONFLUENT_API_LEVEL } });
    await registry.register("s", TEXT);

    const { status, body } = await registry.post("/subjects/s/versions", { schema: '"string"' });

    expect(status).toBe(409);
    expect(body).toMatchObject({ error_code: errorCode });
  });

  it.each([
    ["7.9", "READWRITE, READONLY, READONLY_OVERRIDE, and IMPORT"],
    ["8.0", "READWRITE, READONLY, IMPORT and FORWARD"],
  ])("%s refuses an unknown mode and names %s", async (CONFLUENT_API_LEVEL, modes) => {
    const registry = openRegistry({ vars: { CONFLUENT_API_LEVEL } });

    const { body } = await registry.put("/mode", { mode: "WRITEONLY" });

    expect(body).toEqual({ error_code: 42204, message: `Invalid mode. Valid values are ${modes}.` });
  });

  it("7.9 answers changes of tags with the id, and lists without later members", async () => {
    const registry = openRegistry({ vars: { CONFLUENT_API_LEVEL: "7.9" } });
    await registry.register("s", TEXT);

    const changed = await registry.post("/subjects/s/versions/1/tags", { metadata: { properties: { a: "b" } } });

    expect(changed.body).toEqual({ id: 2 });
    expect((await registry.get("/schemas?latestOnly=true")).body).toEqual([
      { subject: "s", version: 2, id: 2, metadata: { properties: { a: "b", "confluent:version": "2" } }, schema: TEXT },
    ]);
    expect((await registry.get("/schemas/ids/1?fetchMaxId=true")).body).toEqual({ schema: TEXT, maxId: 2 });
    expect((await registry.get("/subjects/s/metadata?key=a&value=b")).body).toMatchObject({ id: 2 });
  });

  it("7.9 answers registrations with the id, and schemas without later members", async () => {
    const registry = openRegistry({ vars: { CONFLUENT_API_LEVEL: "7.9" } });

    expect(await registry.register("s", TEXT)).toEqual({ id: 1 });
    const entity = { subject: "s", version: 1, id: 1, schema: TEXT };
    expect((await registry.get("/subjects/s/versions/1")).body).toEqual(entity);
    expect((await registry.post("/subjects/s", { schema: TEXT })).body).toEqual(entity);
    expect((await registry.get("/schemas/ids/1")).body).toEqual({ schema: TEXT });
    expect((await registry.get("/schemas/ids/1?subject=s")).body).toEqual({ schema: TEXT });
    expect((await registry.get("/v1/metadata/version")).body).toEqual({ version: "7.9.0", commitId: "" });
    await registry.register("j", '{"type":"object"}', { schemaType: "JSON" });
    expect((await registry.get("/schemas/ids/2")).body).toEqual({ schemaType: "JSON", schema: '{"type":"object"}' });
  });
});

describe("CONFLUENT_STALENESS_SECONDS", () => {
  /** Writes through one edge and reads through another, which has seen the state before. */
  async function twoEdges(seconds: string) {
    const registry = WAYS[1]!.open({ vars: { CONFLUENT_STALENESS_SECONDS: seconds } });
    const [writer, reader] = registry.platform.edges;
    const send = async (edge: typeof writer, method: string, path: string, body?: object) => {
      const init = body
        ? { method, body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }
        : { method };
      const response = await edge.fetch(path, init);
      return { status: response.status, body: (await response.json()) as unknown };
    };
    return { registry, writer, reader, send };
  }

  it("0 shows every delete immediately", async () => {
    const { writer, reader, send } = await twoEdges("0");
    await send(writer, "POST", "/subjects/s/versions", { schema: TEXT });
    expect((await send(reader, "GET", "/subjects/s/versions/1")).status).toBe(200);
    expect((await send(reader, "POST", "/subjects/s", { schema: TEXT })).status).toBe(200);

    await send(writer, "DELETE", "/subjects/s");

    expect((await send(reader, "GET", "/subjects/s/versions/1")).status).toBe(404);
    expect((await send(reader, "POST", "/subjects/s", { schema: TEXT })).status).toBe(404);
    expect((await send(reader, "GET", "/schemas/ids/1?subject=s")).status).toBe(200);
  });

  it("10 serves cached positive reads for ten seconds and no longer", async () => {
    const { registry, writer, reader, send } = await twoEdges("10");
    await send(writer, "POST", "/subjects/s/versions", { schema: TEXT });
    await send(reader, "GET", "/subjects/s/versions/1");
    await send(reader, "POST", "/subjects/s", { schema: TEXT });
    await send(reader, "POST", "/subjects/s/versions", { schema: TEXT });
    await send(writer, "DELETE", "/subjects/s");

    const early = await Promise.all([
      send(reader, "GET", "/subjects/s/versions/1"),
      send(reader, "POST", "/subjects/s", { schema: TEXT }),
      send(reader, "POST", "/subjects/s/versions", { schema: TEXT }),
    ]);
    registry.platform.clock.advance(11_000);
    const late = await send(reader, "GET", "/subjects/s/versions/1");

    expect(early.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(late.status).toBe(404);
  });

  it("10 serves a cached latest for ten seconds, and shows an edge its own writes immediately", async () => {
    const { registry, writer, reader, send } = await twoEdges("10");
    const next = JSON.stringify({ ...JSON.parse(TEXT), doc: "next" });
    const latestAt = async (edge: typeof writer) =>
      ((await send(edge, "GET", "/subjects/s/versions/latest")).body as { version?: number }).version;
    await send(writer, "POST", "/subjects/s/versions", { schema: TEXT });
    expect([await latestAt(writer), await latestAt(reader)]).toEqual([1, 1]);

    await send(writer, "POST", "/subjects/s/versions", { schema: next });

    expect([await latestAt(writer), await latestAt(reader)]).toEqual([2, 1]);
    registry.platform.clock.advance(11_000);
    expect(await latestAt(reader)).toBe(2);
    await send(writer, "DELETE", "/subjects/s/versions/2");
    expect([await latestAt(writer), await latestAt(reader)]).toEqual([1, 2]);
  });

  it("10 shows an edge immediately that it has changed an alias", async () => {
    const { writer, send } = await twoEdges("10");
    const subjectOf = async () =>
      ((await send(writer, "GET", "/subjects/alias/versions/latest")).body as { subject?: string }).subject;
    for (const subject of ["s", "t"]) await send(writer, "POST", `/subjects/${subject}/versions`, { schema: TEXT });
    await send(writer, "PUT", "/config/alias", { alias: "s" });
    expect(await subjectOf()).toBe("s");

    await send(writer, "PUT", "/config/alias", { alias: "t" });

    expect(await subjectOf()).toBe("t");
  });

  it("names the source of every response", async () => {
    const { writer, reader } = await twoEdges("10");
    const post = {
      method: "POST",
      body: JSON.stringify({ schema: TEXT }),
      headers: { "Content-Type": "application/json" },
    };
    await writer.fetch("/subjects/s/versions", post);
    const buildSource = async (path: string, init?: RequestInit) => {
      const response = await reader.fetch(path, init);
      await response.text();
      return response.headers.get("X-Registry-Source");
    };

    for (const path of ["/schemas/ids/1?subject=s", "/schemas/ids/1/schema?subject=s", "/subjects/s/versions/1"]) {
      await buildSource(path);
      expect([path, await buildSource(path)]).toEqual([path, "memory"]);
    }
    expect(await buildSource("/subjects/s", post)).toBe("primary");
    expect(await buildSource("/subjects/s", post)).toBe("memory");
    expect(await buildSource("/subjects/s/versions", post)).toBe("primary");
    expect(await buildSource("/subjects/s/versions", post)).toBe("memory");
    expect(await buildSource("/subjects/s/versions")).toBe("primary");
  });

  it("never serves a state older than the caller has seen", async () => {
    const { writer, reader } = await twoEdges("60");
    const post = {
      method: "POST",
      body: JSON.stringify({ schema: TEXT }),
      headers: { "Content-Type": "application/json" },
    };
    await writer.fetch("/subjects/s/versions", post);
    await (await reader.fetch("/subjects/s/versions/1")).text();
    const deleted = await writer.fetch("/subjects/s", { method: "DELETE" });

    const token = deleted.headers.get("X-Registry-Seq")!;
    const read = await reader.fetch("/subjects/s/versions/1", { headers: { "X-Registry-Min-Seq": token } });

    expect(read.status).toBe(404);
  });
});

describe.each(WAYS)("The Confluent API on the $name platform", ({ open }) => {
  it("keeps a subject's lifecycle consistent", async () => {
    const registry = open();
    const { id } = await registry.register("s", TEXT);
    expect(await registry.register("s", JSON.stringify(avroRecord("a", "b?")))).toMatchObject({ version: 2 });
    expect(await registry.register("s", TEXT)).toMatchObject({ id, version: 1 });
    expect((await registry.get(`/schemas/ids/${id}`)).body).toMatchObject({ schema: TEXT });
    expect((await registry.get("/subjects/s/versions")).body).toEqual([1, 2]);
    expect((await registry.post("/subjects/s", { schema: TEXT })).body).toMatchObject({ version: 1, id });
    expect((await registry.delete("/subjects/s")).body).toEqual([1, 2]);
    expect((await registry.delete("/subjects/s?permanent=true")).body).toEqual([1, 2]);
    expect((await registry.get("/subjects")).body).toEqual([]);
  });

  it("keeps an association's lifecycle consistent", async () => {
    const registry = open();
    const resource = { resourceName: "orders", resourceNamespace: "cluster", resourceId: "r-1" };
    const subject = ":.cluster:orders-value";
    const associations = [{ schema: { schema: TEXT } }];

    expect(await registry.post("/associations", { ...resource, associations })).toMatchObject({
      status: 200,
      body: { associations: [{ subject, lifecycle: "STRONG", frozen: true, schema: { version: 1 } }] },
    });
    expect(await registry.post("/associations", { ...resource, associations })).toMatchObject({ status: 200 });
    expect((await registry.get("/associations/resources/r-1")).body).toMatchObject([{ subject }]);
    expect(await registry.delete("/associations/resources/r-1")).toMatchObject({ body: { error_code: 40908 } });
    expect((await registry.delete("/associations/resources/r-1?cascadeLifecycle=true")).status).toBe(204);
    expect((await registry.get("/subjects?deleted=true")).body).toEqual([]);
    expect(await registry.post("/associations", { ...resource, associations })).toMatchObject({ status: 200 });
  });

  it("gives an empty-schema registration the newest text, despite concurrent writers", async () => {
    const registry = open();
    await registry.register("s", TEXT);

    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        registry.post("/subjects/s/versions", { metadata: { properties: { writer: String(index) } } }),
      ),
    );

    for (const { status, body } of answers) {
      expect(status).toBe(200);
      expect(body).toMatchObject({ schema: TEXT });
    }
    expect((await registry.get("/subjects/s/versions")).body).toHaveLength(9);
  });
});
