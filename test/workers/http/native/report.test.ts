import { describe, expect, it } from "vitest";
import openapi from "../../../../contract/openapi.json";
import {
  MAX_REPORT_PAIRS,
  MAX_REPORTED_DIFFERENCES,
  PAIRS_BETWEEN_PROGRESS,
} from "../../../../workers/registry/compatibility/report.ts";
import { avroRecord, hostileRegistry, plainRegistry, type Registry, WAYS } from "../native-calls.ts";

type Line = { type: string; [field: string]: unknown };

async function report(registry: Registry, query = ""): Promise<Line[]> {
  const { status, body, text } = await registry.get(`/compatibility/report${query}`);
  expect(status, text).toBe(200);
  return body as Line[];
}

function verdicts(lines: readonly Line[]) {
  return lines
    .filter(({ type }) => type === "verdict")
    .map(({ subject, from, to, compatible }) => {
      const number = (version: unknown) => (version as { version_number: number }).version_number;
      return [subject, number(from), number(to), compatible];
    });
}

/** Two subjects of three and one of one version. */
async function filled(registry: Registry): Promise<void> {
  await registry.register("a", avroRecord("id"), { compatibility_level: "NONE" });
  await registry.register("a", avroRecord("id", "x"));
  await registry.register("a", avroRecord("id", "x", "y?"));
  await registry.register("b", avroRecord("id"));
  await registry.register("b", avroRecord("id", "x?"));
  await registry.register("b", avroRecord("id", "x?", "y?"));
  await registry.register("single", avroRecord("id"));
}

describe.each(WAYS)("GET /compatibility/report on the $name platform", ({ open }) => {
  it("has a start and an end for an empty registry", async () => {
    const lines = await report(open());

    expect(lines.map(({ type }) => type)).toEqual(["start", "progress", "end"]);
    expect(lines.at(-1)).toMatchObject({ complete: true, subjects: 0, pairs: 0 });
  });

  it("covers every version and the one before it, under its subject's policy", async () => {
    const registry = open();
    await filled(registry);
    await registry.call("PUT", "/subjects/a/compatibility", { body: { level: "BACKWARD" } });
    const before = await registry.lastSeq();

    const lines = await report(registry);

    expect(verdicts(lines)).toEqual([
      ["a", 1, 2, false],
      ["a", 2, 3, true],
      ["b", 1, 2, true],
      ["b", 2, 3, true],
    ]);
    expect(lines[1]).toMatchObject({
      type: "verdict",
      level: "BACKWARD",
      policy: "semantic",
      backward: { compatible: false, breaking: 1 },
      forward: { compatible: true },
      suggested_bump: "major",
      version_sufficient: false,
      differences: [
        { severity: "breaking", direction: "backward" },
        { severity: "info", direction: "forward" },
      ],
    });
    expect(lines.filter(({ type }) => type === "subject")).toMatchObject([
      { subject: "a", versions: 3, pairs: 2, incompatible: 1 },
      { subject: "b", versions: 3, pairs: 2, incompatible: 0 },
      { subject: "single", versions: 1, pairs: 0 },
    ]);
    expect(lines.at(-1)).toMatchObject({
      type: "end",
      complete: true,
      subjects: 3,
      versions: 7,
      pairs: 4,
      incompatible: 1,
    });
    expect(await registry.lastSeq()).toBe(before);
  });

  it("continues from its cursor, one verdict at a time, without repeats", async () => {
    const registry = open();
    await filled(registry);
    const whole = await report(registry);

    const told: unknown[] = [];
    let cursor = "";
    for (let answer = 0; answer < 10; answer += 1) {
      const lines = await report(registry, `?limit=1${cursor}`);
      told.push(...verdicts(lines));
      const end = lines.at(-1)!;
      if (end.complete) break;
      cursor = `&cursor=${end.next_cursor}`;
    }

    expect(told).toEqual(verdicts(whole));
  });

  it("covers only the requested subjects", async () => {
    const registry = open();
    await filled(registry);
    await registry.register(":.eu:b", avroRecord("id"));
    await registry.register(":.eu:b", avroRecord("id", "x?"));

    const ofPrefix = await report(registry, "?subject_prefix=b");
    const ofContext = await report(registry, "?context=eu");

    expect(verdicts(ofPrefix)).toHaveLength(3);
    expect(verdicts(ofContext)).toEqual([["b", 1, 2, true]]);
    expect(ofContext[1]).toMatchObject({ context: ".eu" });
  });

  it("omits deleted versions, keeps groups apart and follows references", async () => {
    const registry = open();
    const inner = { type: "record", name: "Inner", fields: [] };
    await registry.register("inner", inner);
    const uses = (field: string) => ({
      type: "record",
      name: "Outer",
      fields: [
        { name: "inner", type: "Inner" },
        { name: field, type: "string", default: "" },
      ],
    });
    const references = [{ name: "Inner", subject: "inner", version: 1 }];
    await registry.call("PUT", "/subjects/outer/compatibility", { body: { group: "line" } });
    const line = (value: string) => ({ references, contract: { metadata: { properties: { line: value } } } });
    await registry.register("outer", uses("a"), line("1"));
    await registry.register("outer", uses("b"), line("2"));
    const third = await registry.register("outer", uses("c"), line("1"));
    await registry.register("outer", uses("d"), line("1"));
    await registry.call("DELETE", `/schemas/${third.id}`);

    const lines = await report(registry, "?subject_prefix=outer");

    expect(verdicts(lines)).toEqual([["outer", 1, 4, true]]);
  });

  it("applies rules and names a role's sides", async () => {
    const registry = open();
    await filled(registry);
    await registry.call("PUT", "/subjects/a/compatibility", { body: { level: "BACKWARD", role: "tool_input" } });
    await registry.call("PUT", "/rules", { body: { rules: [{ name: "ok", expr: "true", action: "warn" }] } });

    const lines = await report(registry, "?subject_prefix=a");

    expect(verdicts(lines)).toEqual([
      ["a", 1, 2, true],
      ["a", 2, 3, true],
    ]);
    expect(lines[1]).toMatchObject({
      role: "tool_input",
      differences: expect.arrayContaining([
        expect.objectContaining({ affected: "tool", decided_by: expect.anything() }),
      ]),
    });
  });

  it.each(["cursor=x", "limit=0", "limit=20001", "context=a:b"])("refuses ?%s before it starts", async (query) => {
    const { status } = await open().get(`/compatibility/report?${query}`);

    expect(status).toBe(400);
  });
});

describe("GET /compatibility/report", () => {
  it("reports a policy that does not apply and continues", async () => {
    const registry = plainRegistry();
    await filled(registry);
    await registry.call("PUT", "/compatibility", { body: { policy: "buf_wire" } });

    const lines = await report(registry);

    expect(lines.find(({ type }) => type === "verdict")).toMatchObject({
      compatible: null,
      problem: expect.any(String),
    });
    expect(lines.at(-1)).toMatchObject({ complete: true, pairs: 4, undecided: 4 });
  });

  it("shows progress with a cursor, and breaking differences first if there are many", async () => {
    const registry = plainRegistry();
    const fields = (count: number, prefix: string) => Array.from({ length: count }, (_, index) => `${prefix}${index}?`);
    await registry.register("many", avroRecord(...fields(MAX_REPORTED_DIFFERENCES + 5, "a")), {
      compatibility_level: "NONE",
    });
    await registry.register("many", avroRecord(...fields(MAX_REPORTED_DIFFERENCES + 5, "b"), "required"));

    const lines = await report(registry);

    const verdict = lines[1] as Line & { differences: { severity: string }[]; omitted_differences: number };
    expect(verdict.differences).toHaveLength(MAX_REPORTED_DIFFERENCES);
    expect(verdict.differences[0]!.severity).toBe("breaking");
    expect(verdict.omitted_differences).toBeGreaterThan(0);
    expect(lines.find(({ type }) => type === "progress")).toMatchObject({ cursor: expect.any(String) });
  });

  it(`shows progress after every ${PAIRS_BETWEEN_PROGRESS} pairs, over pages of records`, async () => {
    const registry = plainRegistry();
    for (let n = 0; n <= 2 * PAIRS_BETWEEN_PROGRESS + 10; n += 1) {
      await registry.register("long", avroRecord("id", `f${n}?`), { compatibility_level: "NONE" });
    }

    const lines = await report(registry);

    expect(verdicts(lines)).toHaveLength(2 * PAIRS_BETWEEN_PROGRESS + 10);
    expect(lines.filter(({ type }) => type === "progress").map(({ pairs }) => pairs)).toEqual([100, 199, 200, 210]);
  });

  it("ends in an error and a cursor if the primary is lost on the way", async () => {
    const registry = hostileRegistry();
    await filled(registry);
    const response = await registry.platform.edges[0].fetch("/api/v1/compatibility/report");
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    registry.platform.primaries.unreachable = true;

    const rest: string[] = [];
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      rest.push(new TextDecoder().decode(read.value));
    }

    const lines = rest
      .join("")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
    expect(lines.slice(-2)).toMatchObject([
      { type: "error", code: "not_ready" },
      { type: "end", complete: false },
    ]);
  });

  it("reads no further than its reader consumes", async () => {
    const registry = plainRegistry();
    await filled(registry);
    const response = await registry.platform.edges[0].fetch("/api/v1/compatibility/report");
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();

    const { value } = await reader.read();
    await reader.cancel();

    expect(JSON.parse(new TextDecoder().decode(value))).toMatchObject({ type: "start" });
  });

  it("has the limit of the OpenAPI document", () => {
    const { parameters } = openapi.paths["/compatibility/report"].get;
    const limit = parameters.find((parameter) => "name" in parameter && parameter.name === "limit");

    expect(limit).toMatchObject({ schema: { maximum: MAX_REPORT_PAIRS, default: MAX_REPORT_PAIRS } });
  });
});
