import { describe, expect, it } from "vitest";
import { error, record, unique, useRegistry } from "./registry.ts";

const registry = useRegistry();

const RULE = { name: "r", kind: "CONDITION", mode: "WRITE", type: "CEL", expr: "true" };

describe("merging", () => {
  it("lets later metadata win per key and unites sensitive sets", async () => {
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

describe("validation of rules", () => {
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

  it("accepts names of 256 letters, digits, underscores and dashes, and paired actions for paired modes", async () => {
    const ruleSet = domain({ name: `_${"a-1".repeat(85)}`, mode: "WRITEREAD", onFailure: "DLQ,ERROR" });

    expect(await registry.register(unique("rules"), { schema: record("a"), ruleSet })).toMatchObject({ ruleSet });
  });
});

describe("changes of tags", () => {
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

  it("refuse a rule set combined with changes of it, and missing versions", async () => {
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

describe("execution on the server", () => {
  const user = JSON.stringify({
    type: "record",
    name: "User",
    namespace: "n",
    fields: [
      { name: "name", type: "string", "confluent:tags": ["PII"] },
      { name: "age", type: "int" },
      { name: "emails", type: { type: "array", items: "string" }, default: [] },
    ],
  });
  const execute = (subject: string, body: object, version = "latest") =>
    registry.post(`/subjects/${subject}/versions/${version}/rules/execute`, body);
  const withRules = async (...domainRules: object[]) => {
    const subject = unique("execute");
    await registry.register(subject, {
      schema: user,
      metadata: { tags: { "**.emails": ["MAIL"] } },
      ruleSet: { domainRules },
    });
    return subject;
  };
  const message = { name: "Ada", age: 36, emails: ["a@b"] };
  const transform = (name: string, mode: string, expr: string) => ({
    name,
    kind: "TRANSFORM",
    type: "CEL_FIELD",
    mode,
    expr,
  });

  it("checks conditions on a message", async () => {
    const subject = await withRules({ ...RULE, name: "adult", expr: "message.age >= 18" });

    expect((await execute(subject, { mode: "WRITE", message })).body).toMatchObject({
      passed: true,
      message,
      executed: [{ name: "adult", phase: "domain", mode: "WRITE", version: 1, result: "SUCCESS", action: "NONE" }],
    });
    expect((await execute(subject, { mode: "WRITE", message: { ...message, age: 3 } })).body).toMatchObject({
      passed: false,
      executed: [{ name: "adult", result: "FAILURE", action: "ERROR" }],
    });
    expect((await execute(subject, { mode: "READ", message })).body).toEqual({ passed: true, message, executed: [] });
  });

  it("runs in order when writing, and in reverse order when reading", async () => {
    const subject = await withRules(
      transform("a", "WRITEREAD", "name == 'name' ; value + 'a'"),
      transform("b", "WRITEREAD", "name == 'name' ; value + 'b'"),
    );

    expect((await execute(subject, { mode: "WRITE", message })).body).toMatchObject({ message: { name: "Adaab" } });
    expect((await execute(subject, { mode: "READ", message })).body).toMatchObject({ message: { name: "Adaba" } });
  });

  it("gives rules the names, types and tags of fields", async () => {
    const subject = await withRules(
      { ...transform("tagged", "WRITE", "value + fullName"), tags: ["PII"] },
      { ...transform("mail", "WRITE", "'x'"), tags: ["MAIL"] },
      transform("typed", "WRITE", "typeName == 'INT' ; value + 1.0"),
    );

    expect((await execute(subject, { mode: "WRITE", message })).body).toMatchObject({
      passed: true,
      message: { name: "Adan.User.name", age: 37, emails: ["x"] },
    });
  });

  it("continues after a failure whose action is NONE, and pairs actions with modes", async () => {
    const subject = await withRules(
      { ...RULE, name: "never", mode: "WRITEREAD", expr: "false", onFailure: "NONE,DLQ" },
      { ...RULE, name: "off", expr: "false", disabled: true },
      { ...RULE, name: "after" },
    );

    expect((await execute(subject, { mode: "WRITE", message })).body).toMatchObject({
      passed: true,
      executed: [{ name: "never", result: "FAILURE", action: "NONE" }, { name: "after" }],
    });
    expect((await execute(subject, { mode: "READ", message })).body).toMatchObject({
      passed: false,
      executed: [{ name: "never", action: "DLQ" }],
    });
  });

  it("fails rules of unsupported types", async () => {
    const subject = await withRules({ ...RULE, name: "secret", kind: "TRANSFORM", type: "ENCRYPT" });

    expect((await execute(subject, { mode: "WRITE", message })).body).toMatchObject({
      passed: false,
      executed: [{ message: "Could not find rule executor of type ENCRYPT" }],
    });
  });

  it("migrates between versions, up and down", async () => {
    const subject = unique("migrate");
    await registry.put(`/config/${subject}`, { compatibility: "NONE" });
    const jsonata = (name: string, mode: string, expr: string) => ({
      name,
      kind: "TRANSFORM",
      type: "JSONATA",
      mode,
      expr,
    });
    const step = (n: number) => ({
      migrationRules: [
        jsonata(`up${n}`, "UPGRADE", `{"v": v & "${n}"}`),
        jsonata(`down${n}`, "DOWNGRADE", `{"v": v & "-${n}"}`),
      ],
    });
    await registry.register(subject, record("a"));
    for (const n of [2, 3]) await registry.register(subject, { schema: record(`a${n}`), ruleSet: step(n) });

    const up = await execute(subject, { mode: "READ", message: { v: "x" }, targetVersion: 3 }, "1");
    const down = await execute(subject, { mode: "DOWNGRADE", message: { v: "x" }, targetVersion: 1 }, "3");

    expect(up.body).toMatchObject({ passed: true, message: { v: "x23" } });
    expect(down.body).toMatchObject({ passed: true, message: { v: "x-3-2" } });
    expect(await execute(subject, { mode: "UPGRADE", message: {}, targetVersion: 1 }, "3")).toMatchObject({
      status: 422,
    });
  });

  it.each([
    ["CEL", "[1,2,3,4,5,6,7,8,9].all(a, [1,2,3].all(b, [1].all(c, true)))"],
    ["JSONATA", "($f := function($n) { $f($n + 1) + 1 }; $f(0))"],
    ["JSONATA", "($f := function() { $f() }; $f())"],
    ["JSONATA", "[1..100000000]"],
    ["JSONATA", "$match('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', /(a+)+$/)"],
    ["JSONATA", "$pad('x', 1000000000)"],
    ["CEL", "this is no expression"],
    ["JSONATA", "{{{"],
  ])("ends %s %s", async (type, expr) => {
    const subject = await withRules({ ...RULE, name: "hostile", kind: "TRANSFORM", type, expr });

    expect(await execute(subject, { mode: "WRITE", message })).toMatchObject({ status: 200 });
  });

  it("requires a mode and a message", async () => {
    const subject = await withRules(RULE);

    expect(await execute(subject, { message })).toMatchObject({ status: 422 });
    expect(await execute(subject, { mode: "WRITE" })).toMatchObject({ status: 422 });
    expect(await execute(subject, { mode: "WRITE", message }, "9")).toMatchObject(error(40402, "Version 9 not found."));
  });
});
