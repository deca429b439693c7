import { describe, expect, it } from "vitest";
import { MAX_ANSWER_BYTES } from "../../../../registry/rpc.ts";
import { MAX_DIFFERENCES } from "../../../../schema/difference-list.ts";
import { type HostilePair, manyChanges, manyFields } from "../../../support/hostile-schemas.ts";
import { plainRegistry } from "../native-calls.ts";

type Listed = { compatible: boolean; differences: { kind: string; severity: string }[]; differences_total?: number };

const MANY: HostilePair[] = [manyChanges(25_000), manyFields(33_000)];
const bytesOf = (text: string) => new TextEncoder().encode(text).length;
const contentOf = ({ format }: HostilePair, text: string) => (format === "json-schema" ? JSON.parse(text) : text);
const sideOf = (pair: HostilePair, text: string) => ({ format: pair.format, content: contentOf(pair, text) });

describe.each(MANY)("responses about $name", (pair) => {
  it("list the first differences, count all of them and stay within the size limit", async () => {
    const registry = plainRegistry();

    const checked = await registry.call("POST", "/compatibility/check", {
      body: { reader: sideOf(pair, pair.reader), writer: sideOf(pair, pair.writer), policy: "semantic" },
    });

    const { compatible, differences, differences_total } = checked.body as Listed;
    expect(checked.status).toBe(200);
    expect(compatible).toBe(false);
    expect(differences.length).toBeGreaterThan(0);
    expect(differences.length).toBeLessThanOrEqual(MAX_DIFFERENCES);
    expect(differences_total).toBeGreaterThan(MAX_DIFFERENCES);
    expect(bytesOf(checked.text)).toBeLessThanOrEqual(MAX_ANSWER_BYTES);
  }, 120_000);

  it("refuse the registration with as many, in both APIs, and show them in the diff of versions", async () => {
    const registry = plainRegistry();
    const schemaType = pair.format === "protobuf" ? "PROTOBUF" : "JSON";
    await registry.register("s", contentOf(pair, pair.writer), { format: pair.format, compatibility_level: "FULL" });

    const next = { subject: "s", format: pair.format, content: contentOf(pair, pair.reader) };
    const refused = await registry.call("POST", "/schemas", { body: next });
    const confluent = await registry.platform.fetch("/subjects/s/versions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ schemaType, schema: pair.reader }),
    });
    await registry.call("PUT", "/subjects/s/compatibility", { body: { level: "NONE" } });
    const registered = await registry.call("POST", "/schemas", { body: next });
    const diff = await registry.get("/subjects/s/diff?from=1.0.0&to=latest");

    expect(refused.status, refused.text.slice(0, 500)).toBe(409);
    const { verdict, detail, errors } = refused.body as { verdict: Listed; detail: string; errors: unknown[] };
    expect(verdict.differences_total).toBeGreaterThan(MAX_DIFFERENCES);
    expect(verdict.differences.length).toBeLessThanOrEqual(MAX_DIFFERENCES);
    expect(errors.length).toBeLessThanOrEqual(MAX_DIFFERENCES);
    expect(detail.length).toBeLessThan(30_000);
    expect(confluent.status).toBe(409);
    expect(registered.status, registered.text.slice(0, 500)).toBe(201);
    const { backward } = diff.body as { backward: Listed };
    expect(backward.differences_total).toBeGreaterThan(MAX_DIFFERENCES);
    const texts = [refused.text, await confluent.text(), diff.text];
    for (const text of texts) expect(bytesOf(text)).toBeLessThanOrEqual(MAX_ANSWER_BYTES);
  }, 120_000);
});

describe("POST /compatibility/check, of more differences than are listed", () => {
  const exception = { name: "all", owner: "team", reason: "known", expires_at: "2099-01-01T00:00:00Z" };
  const check = async (changes: number, book: object) => {
    const registry = plainRegistry();
    const pair = manyChanges(changes);
    await registry.register("s", JSON.parse(pair.writer), { format: "json-schema" });
    const put = await registry.call("PUT", "/subjects/s/rules", { body: book });
    expect(put.status, put.text).toBe(200);
    const content = JSON.parse(pair.reader);
    const checked = await registry.call("POST", "/compatibility/check", { body: { subject: "s", content } });
    const registered = await registry.call("POST", "/schemas", { body: { subject: "s", content } });
    return { verdict: checked.body as Listed, status: registered.status };
  };

  it.each([
    ["an exception", { exceptions: [exception] }],
    ["an override", { overrides: [{ pointer: "**", action: "allow" }] }],
    ["a rule", { rules: [{ name: "r", expr: "true", action: "allow" }] }],
  ])("does not allow the change by %s, which applies only to listed differences", async (_, book) => {
    const { verdict, status } = await check(MAX_DIFFERENCES + 1, book);

    expect(verdict.compatible).toBe(false);
    expect(verdict.differences.filter(({ severity }) => severity === "breaking")).toMatchObject([
      { kind: "DIFFERENCES_NOT_LISTED" },
    ]);
    expect(status).toBe(409);
  });

  it("allows the change if all differences are listed", async () => {
    const { verdict, status } = await check(MAX_DIFFERENCES, { exceptions: [exception] });

    expect(verdict).toMatchObject({ compatible: true });
    expect(verdict.differences_total).toBeUndefined();
    expect(status).toBe(201);
  });
});
