import { describe, expect, it } from "vitest";
import { error, record, unique, useRegistry } from "./registry";

const registry = useRegistry();

const RULE = { name: "r", kind: "CONDITION", mode: "WRITE", type: "CEL", expr: "true" };

describe("§8.1 merging", () => {
  it("lets later metadata win per key and unites what is sensitive", async () => {
    const subject = unique("merge");
    await registry.put(`/config/${subject}`, {
      defaultMetadata: { tags: { "**.a": ["x"], "**.b": ["x"] }, properties: { k: "default" }, sensitive: ["k"] },
      overrideMetadata: { tags: { "**.b": ["z"] } },
    });

    const registered = await registry.register(subject, {
      schema: record("a"),
      metadata: { tags: { "**.a": ["y"] }, sensitive: ["l"] },
    });

    expect(registered).toMatchObject({
      metadata: { tags: { "**.a": ["y"], "**.b": ["z"] }, properties: { k: "default" }, sensitive: ["k", "l"] },
    });
  });

  it("replaces rules of the same name and appends the new list after the others", async () => {
    const subject = unique("merge-rules");
    await registry.put(`/config/${subject}`, {
      defaultRuleSet: {
        domainRules: [
          { ...RULE, name: "a" },
          { ...RULE, name: "b" },
        ],
        enableAt: "CLIENT",
      },
    });

    const registered = await registry.register(subject, {
      schema: record("a"),
      ruleSet: {
        domainRules: [
          { ...RULE, name: "c" },
          { ...RULE, name: "a", expr: "false" },
        ],
        enableAt: "ALL",
      },
    });

    expect(registered).toMatchObject({
      ruleSet: { domainRules: [{ name: "b" }, { name: "c" }, { name: "a", expr: "false" }], enableAt: "ALL" },
    });
  });
});

describe("§8.3 validation of rules", () => {
  const migration = (rule: object) => ({ migrationRules: [{ ...RULE, mode: "UPGRADE", ...rule }] });
  const domain = (...rules: object[]) => ({ domainRules: rules.map((rule) => ({ ...RULE, ...rule })) });

  it.each([
    [domain({}, {}), "Found rule with duplicate name 'r'"],
    [{ ...domain({}), ...migration({}) }, "Found rule with duplicate name 'r'"],
    [domain({ name: null }), "Missing rule name"],
    [domain({ name: "" }), "Empty rule name"],
    [domain({ name: "n".repeat(257) }), "Rule name too long"],
    [domain({ name: "1a" }), "Illegal initial character in rule name: 1a"],
    [domain({ name: "a b" }), "Illegal character in rule name: a b"],
    [domain({ type: null }), "Missing rule type"],
    [migration({ mode: "WRITE" }), "Migration rules can only be UPGRADE, DOWNGRADE, UPDOWN"],
    [domain({ mode: "UPGRADE" }), "Domain rules can only be WRITE, READ, WRITEREAD"],
    [domain({ onSuccess: "NONE,ERROR" }), "Multiple actions only valid with WRITEREAD and UPDOWN"],
  ])("refuses %j", async (ruleSet, message) => {
    const answer = await registry.post(`/subjects/${unique("rules")}/versions`, { schema: record("a"), ruleSet });

    expect(answer).toMatchObject(error(42210, message));
  });

  it("accepts names of 256 letters, digits, underscores and dashes, and pairs of actions where two modes are", async () => {
    const ruleSet = domain({ name: `_${"a-1".repeat(85)}`, mode: "WRITEREAD", onFailure: "DLQ,ERROR" });

    expect(await registry.register(unique("rules"), { schema: record("a"), ruleSet })).toMatchObject({ ruleSet });
  });
});

describe("§5.3 tags", () => {
  const tags = (entityPath: string, ...names: string[]) => ({
    schemaEntity: { entityPath, entityType: "sr_field" },
    tags: names,
  });

  it("change in a new version, together with metadata and rules", async () => {
    const subject = unique("tags");
    await registry.register(subject, { schema: record("a"), ruleSet: { domainRules: [RULE] } });

    const { body } = await registry.post(`/subjects/${subject}/versions/latest/tags`, {
      tagsToAdd: [tags("Order.a", "PII", "SECRET")],
      metadata: { properties: { owner: "x" } },
      rulesToMerge: { domainRules: [{ ...RULE, name: "s" }] },
      rulesToRemove: ["r"],
    });

    expect(body).toMatchObject({
      version: 2,
      metadata: { properties: { owner: "x", "confluent:version": "2" } },
      ruleSet: { domainRules: [{ name: "s" }] },
    });
    const found = async (query: string) => (await registry.get(`/subjects/${subject}/versions/2?${query}`)).body;
    expect(await found("findTags=PII")).toMatchObject({ schemaTags: [tags("Order.a", "PII", "SECRET")] });
    expect(await found("findTags=*")).toMatchObject({ schemaTags: [tags("Order.a", "PII", "SECRET")] });
    expect(await found("findTags=OTHER")).not.toHaveProperty("schemaTags");
    const { id } = body as { id: number };
    expect((await registry.get(`/schemas/ids/${id}?findTags=OTHER&findTags=PII`)).body).toMatchObject({
      schemaTags: [tags("Order.a", "PII", "SECRET")],
    });
    const removed = await registry.post(`/subjects/${subject}/versions/2/tags`, {
      tagsToRemove: [tags("Order.a", "PII")],
    });
    expect(removed.body).toMatchObject({ version: 3 });
    expect((await registry.get(`/subjects/${subject}/versions/3?findTags=*`)).body).toMatchObject({
      schemaTags: [tags("Order.a", "SECRET")],
    });
  });

  it("refuse a rule set beside changes of it, and versions that are missing", async () => {
    const subject = unique("tags");
    await registry.register(subject, record("a"));
    const path = `/subjects/${subject}/versions`;

    expect(await registry.post(`${path}/1/tags`, { ruleSet: {}, rulesToRemove: ["r"] })).toMatchObject(
      error(42210, "ruleSet should be omitted if specifying rulesToMerge or rulesToRemove"),
    );
    expect(await registry.post(`${path}/9/tags`, {})).toMatchObject(error(40402, "Version 9 not found."));
    expect(await registry.post(`${path}/1/tags`, { tagsToAdd: [tags("No.where", "X")] })).toMatchObject({
      status: 422,
      body: { error_code: 42201 },
    });
  });

  it("can be added by a registration, and kept from the newest version", async () => {
    const subject = unique("tags");

    const first = await registry.register(subject, { schema: record("a"), schemaTagsToAdd: [tags("Order.a", "PII")] });
    const second = await registry.register(subject, { schema: record("a", "b?"), propagateSchemaTags: true });

    expect(first.schema).toContain('"confluent:tags":["PII"]');
    expect(second.schema).toContain('"confluent:tags":["PII"]');
    expect(second.version).toBe(2);
  });
});
