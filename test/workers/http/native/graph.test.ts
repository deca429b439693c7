import { describe, expect, it } from "vitest";
import { MAX_GRAPH_NODES } from "../../../../durable-objects/primary/answer/graph.ts";
import { findCycles } from "../../../../workers/registry/read/graph.ts";
import { plainRegistry, type RecordBody, type Registry, WAYS } from "../native-calls.ts";

type Slice = {
  root: string;
  nodes: { record: RecordBody; depth: number }[];
  edges: { from: string; to: string; name: string }[];
  missing: unknown[];
  cycles: string[][];
  subject_cycles: string[][];
  truncated: boolean;
  frontier: string[];
};

/** A record type that references those of other versions. */
function registerUsing(
  registry: Registry,
  subject: string,
  used: readonly RecordBody[],
  more = "",
): Promise<RecordBody> {
  const typeOf = (record: RecordBody) => `t.${record.subject}${record.version_number}`;
  const content = {
    type: "record",
    name: `${subject}${more || "1"}`,
    namespace: "t",
    fields: used.map((record, at) => ({ name: `f${at}`, type: typeOf(record) })),
  };
  const references = used.map((record) => ({
    name: typeOf(record),
    subject: record.subject,
    version: record.version_number,
  }));
  return registry.register(subject, content, { references, compatibility_level: more === "" ? "NONE" : undefined });
}

async function graph(registry: Registry, id: string, what: string): Promise<Slice> {
  const { status, body, text } = await registry.get(`/schemas/${id}/${what}`);
  expect(status, text).toBe(200);
  return body as Slice;
}

const shape = ({ nodes }: Slice) => nodes.map(({ record, depth }) => [record.subject, depth]);

describe.each(WAYS)("GET /schemas/{id}/dependencies and /dependents on the $name platform", ({ open }) => {
  it("follows one step by default, and reports that there is more", async () => {
    const registry = open();
    const c = await registerUsing(registry, "c", []);
    const b = await registerUsing(registry, "b", [c]);
    const a = await registerUsing(registry, "a", [b]);

    const slice = await graph(registry, a.id, "dependencies");

    expect(shape(slice)).toEqual([
      ["a", 0],
      ["b", 1],
    ]);
    expect(slice).toMatchObject({
      root: a.id,
      edges: [{ from: a.id, to: b.id, name: "t.b1" }],
      truncated: true,
      frontier: [b.id],
      cycles: [],
    });
  });

  it("follows references to the end, each version once over any number of paths", async () => {
    const registry = open();
    const d = await registerUsing(registry, "d", []);
    const b = await registerUsing(registry, "b", [d]);
    const c = await registerUsing(registry, "c", [d]);
    const a = await registerUsing(registry, "a", [b, c]);

    const slice = await graph(registry, a.id, "dependencies?transitive=true");

    expect(shape(slice)).toEqual([
      ["a", 0],
      ["b", 1],
      ["c", 1],
      ["d", 2],
    ]);
    expect(slice.edges).toHaveLength(4);
    expect(slice.truncated).toBe(false);
  });

  it("reverses the direction for dependents, with edges from referrer to target", async () => {
    const registry = open();
    const c = await registerUsing(registry, "c", []);
    const b = await registerUsing(registry, "b", [c]);
    const a = await registerUsing(registry, "a", [b]);

    const slice = await graph(registry, c.id, "dependents?depth=2");

    expect(shape(slice)).toEqual([
      ["c", 0],
      ["b", 1],
      ["a", 2],
    ]);
    expect(slice.edges).toEqual([
      { from: b.id, to: c.id, name: "t.c1" },
      { from: a.id, to: b.id, name: "t.b1" },
    ]);
    expect(slice.truncated).toBe(false);
  });

  it("excludes soft-deleted dependents unless requested", async () => {
    const registry = open();
    const b = await registerUsing(registry, "b", []);
    const a = await registerUsing(registry, "a", [b]);
    await registry.call("DELETE", `/schemas/${a.id}`);

    expect(shape(await graph(registry, b.id, "dependents"))).toEqual([["b", 0]]);
    expect(shape(await graph(registry, b.id, "dependents?deleted=true"))).toEqual([
      ["b", 0],
      ["a", 1],
    ]);
  });

  it("lists subjects whose versions depend on each other", async () => {
    const registry = open();
    const x = await registerUsing(registry, "x", []);
    const y = await registerUsing(registry, "y", [x]);
    const later = await registerUsing(registry, "x", [y], "2");

    const slice = await graph(registry, later.id, "dependencies?transitive=true");

    expect(slice.subject_cycles).toEqual([["x", "y"]]);
    expect(slice.cycles).toEqual([]);
  });

  it.each([
    ["a malformed id", "nobody", 404],
    ["an unknown id", "00000000-0000-7000-8000-000000000000", 404],
  ])("answers %s with %s: %i", async (_what, id, expected) => {
    const { status } = await open().get(`/schemas/${id}/dependencies`);

    expect(status).toBe(expected);
  });

  it.each(["depth=0", "depth=33", "transitive=perhaps", "steps=1"])("refuses ?%s", async (query) => {
    const registry = open();
    const a = await registerUsing(registry, "a", []);

    const { status } = await registry.get(`/schemas/${a.id}/dependents?${query}`);

    expect(status).toBe(400);
  });
});

describe("the bounds of a graph", () => {
  it("shows all dependents up to the limit, and beyond it only the frontier", async () => {
    const registry = plainRegistry();
    const hub = await registerUsing(registry, "hub", []);
    for (let at = 0; at < MAX_GRAPH_NODES - 1; at += 1) await registerUsing(registry, `user${at}`, [hub]);
    const full = await graph(registry, hub.id, "dependents");

    await registerUsing(registry, "onemore", [hub]);
    const over = await graph(registry, hub.id, "dependents");

    expect([full.nodes.length, full.truncated]).toEqual([MAX_GRAPH_NODES, false]);
    expect([over.nodes.length, over.truncated, over.frontier]).toEqual([1, true, [hub.id]]);
  });
});

describe("cyclesOf", () => {
  const edges = (text: string) => text.split(" ").map((pair) => ({ from: pair[0]!, to: pair[1]! }));

  it.each([
    ["a chain", "ab bc cd", []],
    ["a loop of one", "aa ab", [["a"]]],
    ["a loop of three with a tail", "ab bc ca cd", [["a", "b", "c"]]],
    [
      "two loops that a bridge joins",
      "ab ba bc cd dc",
      [
        ["c", "d"],
        ["a", "b"],
      ],
    ],
    ["two ways that meet", "ab ac bd cd", []],
  ])("finds the cycles of %s", (_what, text, expected) => {
    expect(findCycles(edges(text))).toEqual(expected);
  });

  it("walks a chain longer than any stack", () => {
    const chain = Array.from({ length: 100_000 }, (_, at) => ({ from: String(at), to: String(at + 1) }));

    expect(findCycles([...chain, { from: "100000", to: "0" }])[0]).toHaveLength(100_001);
  });
});
