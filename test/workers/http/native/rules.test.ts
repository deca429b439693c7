/** Rule books over HTTP: how they are stored, what they change in verdicts, exceptions, and dry runs. */
import { describe, expect, it } from "vitest";
import { MAX_RULE_BOOK_CHARACTERS, MAX_RULES } from "../../../../schema/rules/rule-book.ts";
import { avroRecord, type ProblemBody, type Registry, WAYS } from "../native-calls.ts";

const TOLERATE = {
  name: "tolerate-new-fields",
  expr: "difference.kind == 'READER_FIELD_MISSING_DEFAULT_VALUE'",
  action: "warn",
  message: "Agreed with the readers.",
};
const NEXT_YEAR = "2999-01-01T00:00:00.000Z";

type Verdict = {
  compatible: boolean;
  differences: { severity: string; message: string; decided_by?: { type: string; name: string; was: string } }[];
};

/** A subject whose second version would break its readers. */
async function withOneVersion(registry: Registry, subject = "orders"): Promise<void> {
  await registry.register(subject, avroRecord("id"), { compatibility_level: "BACKWARD" });
}

const BREAK = avroRecord("id", "required");

async function check(registry: Registry, content: object = BREAK): Promise<Verdict> {
  const { body } = await registry.call("POST", "/compatibility/check", { body: { subject: "orders", content } });
  return body as Verdict;
}

describe.each(WAYS)("rule books on the $name platform", ({ open }) => {
  it("are stored as given, for a subject and for the tenant", async () => {
    const registry = open();
    const book = {
      rules: [TOLERATE],
      overrides: [{ pointer: "/fields/*", kinds: ["TYPE_MISMATCH"], action: "deny" }],
      exceptions: [{ name: "e", owner: "ana", reason: "migration", expires_at: "2999-01-01T02:00:00+02:00" }],
    };
    const stored = { ...book, exceptions: [{ ...book.exceptions[0], expires_at: NEXT_YEAR, expired: false }] };

    const put = await registry.call("PUT", "/subjects/orders/rules", { body: book });
    const ofSubject = await registry.get("/subjects/orders/rules");
    const ofTenant = await registry.get("/rules");

    expect(put.body).toEqual({ subject: "orders", context: ".", ...stored });
    expect(ofSubject.body).toEqual(put.body);
    expect(ofTenant.body).toEqual({ rules: [], overrides: [], exceptions: [] });
  });

  it("write nothing if nothing changes, and are removed by DELETE", async () => {
    const registry = open();
    await registry.call("PUT", "/rules", { body: { rules: [TOLERATE] } });

    await registry.call("PUT", "/rules", { body: { rules: [TOLERATE] } });
    await registry.call("DELETE", "/subjects/orders/rules");
    const afterRepeat = await registry.lastSeq();
    const deleted = await registry.call("DELETE", "/rules");

    expect(afterRepeat).toBe(1);
    expect(deleted.body).toEqual({ rules: [], overrides: [], exceptions: [] });
    expect(await registry.lastSeq()).toBe(2);
  });

  it("show the tenant's before the subject's own if the effective ones are requested", async () => {
    const registry = open();
    await registry.call("PUT", "/rules", { body: { rules: [TOLERATE] } });
    await registry.call("PUT", "/subjects/orders/rules", { body: { rules: [{ ...TOLERATE, name: "own" }] } });

    const { body } = await registry.get("/subjects/orders/rules?effective=true");

    expect((body as { rules: { name: string }[] }).rules.map(({ name }) => name)).toEqual([TOLERATE.name, "own"]);
  });

  it("apply to registrations, checks and diffs alike, and every verdict names them", async () => {
    const registry = open();
    await withOneVersion(registry);
    const before = await check(registry);

    await registry.call("PUT", "/rules", { body: { rules: [TOLERATE] } });
    const after = await check(registry);
    const registered = await registry.register("orders", BREAK);
    const diff = await registry.get("/subjects/orders/diff?from=1&to=2");

    const decided_by = { type: "rule", name: TOLERATE.name, was: "breaking" };
    expect(before.compatible).toBe(false);
    expect(after.compatible).toBe(true);
    expect(after.differences).toContainEqual(expect.objectContaining({ severity: "warning", decided_by }));
    expect(after.differences[0]!.message).toContain("Agreed with the readers.");
    expect(registered.version_number).toBe(2);
    expect(diff.body).toMatchObject({ backward: { compatible: true } });
    expect((diff.body as { backward: Verdict }).backward.differences).toContainEqual(
      expect.objectContaining({ decided_by }),
    );
  });

  it("let the subject's rules override the tenant's", async () => {
    const registry = open();
    await withOneVersion(registry);
    await registry.call("PUT", "/rules", { body: { rules: [TOLERATE] } });
    const deny = { name: "no", expr: "difference.severity == 'breaking'", action: "deny" };

    await registry.call("PUT", "/subjects/orders/rules", { body: { rules: [deny] } });

    expect((await check(registry)).compatible).toBe(false);
  });

  it("can deny what the policy allows, and the refusal names the rule", async () => {
    const registry = open();
    await withOneVersion(registry);
    const frozen = {
      name: "frozen",
      expr: "difference.kind == 'FIELD_ADDED' || true",
      action: "deny",
      message: "Frozen.",
    };
    await registry.call("PUT", "/subjects/orders/rules", { body: { rules: [frozen] } });
    const before = await registry.lastSeq();

    const checked = await check(registry, avroRecord("id", "note?"));
    const refused = await registry.call("POST", "/schemas", {
      body: { subject: "orders", format: "avro", content: avroRecord("id", "note?") },
    });

    expect(checked.compatible).toBe(false);
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchObject({
      code: "incompatible_schema",
      verdict: { differences: [{ severity: "breaking", decided_by: { type: "rule", name: "frozen" } }] },
    });
    expect(await registry.lastSeq()).toBe(before);
  });

  it("decide by location with overrides", async () => {
    const registry = open();
    await withOneVersion(registry);
    const at = (pointer: string) =>
      registry.call("PUT", "/subjects/orders/rules", { body: { overrides: [{ pointer, action: "allow" }] } });

    await at("/nowhere/**");
    const elsewhere = await check(registry);
    await at("/fields/**");
    const here = await check(registry);

    expect(elsewhere.compatible).toBe(false);
    expect(here.compatible).toBe(true);
    expect(here.differences).toContainEqual(
      expect.objectContaining({ decided_by: { type: "override", name: "/fields/**", was: "breaking" } }),
    );
  });

  it("allow a break under an exception until it expires, and still suggest a major", async () => {
    const registry = open();
    await withOneVersion(registry);
    const expires_at = new Date(registry.platform.clock.now() + 60_000).toISOString();

    const added = await registry.call("POST", "/exceptions", {
      body: { subject: "orders", name: "launch", owner: "ana", reason: "Readers are updated on Monday.", expires_at },
    });
    const checked = await check(registry);
    registry.platform.clock.advance(60_000);
    const afterwards = await check(registry);

    expect(added.status).toBe(201);
    expect(added.body).toMatchObject({ subject: "orders", context: ".", name: "launch", expires_at, expired: false });
    expect(checked).toMatchObject({ compatible: true, suggested_version: "2.0.0" });
    expect(checked.differences[0]).toMatchObject({
      decided_by: { type: "exception", name: "launch", was: "breaking" },
    });
    expect(afterwards.compatible).toBe(false);
  });

  it.each([
    ["an expression that does not parse", { rules: [{ name: "r", expr: "1 +", action: "warn" }] }, "/rules/0/expr"],
    ["two rules of one name", { rules: [TOLERATE, TOLERATE] }, "/rules/1/name"],
    ["a pattern that is not a pointer", { overrides: [{ pointer: "fields", action: "warn" }] }, "/overrides/0/pointer"],
    [
      "an owner of blanks",
      { exceptions: [{ name: "e", owner: "  ", reason: "r", expires_at: NEXT_YEAR }] },
      "/exceptions/0/owner",
    ],
    [
      "a book that is too large",
      {
        overrides: Array.from({ length: MAX_RULES }, (_, index) => ({
          pointer: `/${index}/${"x".repeat(1_000)}`,
          action: "warn",
          message: "m".repeat(1_000),
          kinds: [
            `K${"k".repeat(120)}`,
            `L${"k".repeat(120)}`,
            `M${"k".repeat(120)}`,
            `N${"k".repeat(120)}`,
            `O${"k".repeat(120)}`,
            `P${"k".repeat(120)}`,
          ],
        })),
      },
      "",
    ],
  ])("refuse %s with the location", async (_, body, pointer) => {
    const registry = open();

    const refused = await registry.call("PUT", "/rules", { body });

    expect(refused.status).toBe(422);
    expect((refused.body as ProblemBody).errors?.[0]?.pointer).toBe(pointer);
    expect(await registry.lastSeq()).toBe(0);
  });

  it.each([
    ["2999-02-30T00:00:00Z"],
    ["2999-13-01T00:00:00Z"],
    ["2999-01-01"],
    ["2999-01-01T00:00:00"],
    ["2999-01-01T25:00:00Z"],
    ["tomorrow"],
  ])("refuse %s, which is not a time", async (expires_at) => {
    const registry = open();

    const refused = await registry.call("PUT", "/rules", {
      body: { exceptions: [{ name: "e", owner: "ana", reason: "r", expires_at }] },
    });

    expect(refused.status).toBe(400);
    expect((refused.body as ProblemBody).errors?.[0]).toMatchObject({
      pointer: "/exceptions/0/expires_at",
      rule: "time",
    });
  });

  it("refuse 101 rules and rules of a context", async () => {
    const registry = open();
    const rules = Array.from({ length: MAX_RULES + 1 }, (_, index) => ({ ...TOLERATE, name: `r${index}` }));

    const tooMany = await registry.call("PUT", "/rules", { body: { rules } });
    const enough = await registry.call("PUT", "/rules", { body: { rules: rules.slice(1) } });

    expect(tooMany.status).toBe(400);
    expect(enough.status).toBe(200);
  });
});

describe.each(WAYS)("/exceptions on the $name platform", ({ open }) => {
  const exception = (name: string, more: object = {}) => ({
    name,
    owner: "ana",
    reason: "migration",
    expires_at: NEXT_YEAR,
    ...more,
  });

  it("lists those of every scope, without expired ones unless requested", async () => {
    const registry = open();
    const soon = new Date(registry.platform.clock.now() + 1_000).toISOString();
    await registry.call("POST", "/exceptions", { body: exception("of the tenant") });
    await registry.call("POST", "/exceptions", { body: { subject: "orders", ...exception("of a subject") } });
    await registry.call("POST", "/exceptions", {
      body: { subject: "a", context: "eu", ...exception("short", { expires_at: soon }) },
    });
    registry.platform.clock.advance(1_000);

    const current = await registry.get("/exceptions");
    const all = await registry.get("/exceptions?expired=true");

    const names = ({ body }: typeof all) => (body as { items: { name: string }[] }).items.map(({ name }) => name);
    expect(names(current).sort()).toEqual(["of a subject", "of the tenant"]);
    expect(names(all).sort()).toEqual(["of a subject", "of the tenant", "short"]);
    expect(all.body).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ name: "short", context: ".eu", expired: true })]),
    });
  });

  it("refuses a name in use until it has expired, and a date in the past", async () => {
    const registry = open();
    const { clock } = registry.platform;
    const soon = new Date(clock.now() + 1_000).toISOString();
    await registry.call("POST", "/exceptions", { body: exception("e", { expires_at: soon }) });

    const taken = await registry.call("POST", "/exceptions", { body: exception("e") });
    const past = await registry.call("POST", "/exceptions", {
      body: exception("p", { expires_at: "2001-01-01T00:00:00Z" }),
    });
    const before = await registry.lastSeq();

    expect(taken).toMatchObject({ status: 409, body: { code: "conflict" } });
    expect(past).toMatchObject({ status: 422, body: { errors: [{ pointer: "/expires_at" }] } });
    expect(before).toBe(1);
  });

  it("keeps every exception of concurrent writers", async () => {
    const registry = open();
    const names = Array.from({ length: 20 }, (_, index) => `e${index}`);

    await Promise.all(names.map((name) => registry.call("POST", "/exceptions", { body: exception(name) })));

    const { body } = await registry.get("/rules");
    expect((body as { exceptions: { name: string }[] }).exceptions.map(({ name }) => name).sort()).toEqual(
      names.sort(),
    );
  });
});

describe.each(WAYS)("POST /rules/dry-run on the $name platform", ({ open }) => {
  async function withHistory(registry: Registry) {
    await registry.register("orders", avroRecord("id"), { compatibility_level: "NONE" });
    await registry.register("orders", avroRecord("id", "a"));
    await registry.register("orders", avroRecord("id", "a", "b?"));
    await registry.register("orders", avroRecord("id", "a", "b?", "c"));
  }

  it("returns the verdict of every consecutive pair by the policy and with the book", async () => {
    const registry = open();
    await withHistory(registry);
    const before = await registry.lastSeq();
    const idle = { name: "idle", expr: "difference.kind == 'NOTHING'", action: "deny" };

    const { status, body } = await registry.call("POST", "/rules/dry-run", {
      body: { subject: "orders", level: "BACKWARD", book: { rules: [TOLERATE, idle] } },
    });

    expect(status).toBe(200);
    expect(body).toMatchObject({
      subject: "orders",
      level: "BACKWARD",
      summary: { pairs: 3, undecided: 0, incompatible_before: 2, incompatible_after: 0, changed: 2 },
      idle: [{ type: "rule", name: "idle" }],
      items: [
        {
          from: { version_number: 1 },
          to: { version_number: 2 },
          before: { compatible: false, breaking: 1 },
          after: { compatible: true, breaking: 0 },
          acted: [{ type: "rule", name: TOLERATE.name, differences: 1 }],
          differences: [{ direction: "backward", decided_by: { name: TOLERATE.name } }],
        },
        { from: { version_number: 2 }, to: { version_number: 3 }, before: { compatible: true }, acted: [] },
        { from: { version_number: 3 }, to: { version_number: 4 }, before: { compatible: false } },
      ],
    });
    expect(await registry.lastSeq()).toBe(before);
  });

  it("uses the stored book if none is given, at the requested time", async () => {
    const registry = open();
    await withHistory(registry);
    await registry.call("PUT", "/rules", {
      body: { exceptions: [{ name: "e", owner: "ana", reason: "r", expires_at: "2900-01-01T00:00:00Z" }] },
    });
    const at = async (time: string) =>
      (
        (await registry.call("POST", "/rules/dry-run", { body: { subject: "orders", level: "BACKWARD", at: time } }))
          .body as { summary: object }
      ).summary;

    expect(await at("2899-12-31T23:59:59Z")).toMatchObject({ incompatible_after: 0 });
    expect(await at("2900-01-01T00:00:00Z")).toMatchObject({ incompatible_after: 2 });
  });

  it("applies a book as the tenant's together with the subject's own", async () => {
    const registry = open();
    await withHistory(registry);
    const deny = { name: "own", expr: "difference.severity == 'breaking'", action: "deny" };
    await registry.call("PUT", "/subjects/orders/rules", { body: { rules: [deny] } });
    const ask = async (as: string) =>
      (
        (
          await registry.call("POST", "/rules/dry-run", {
            body: { subject: "orders", level: "BACKWARD", as, book: { rules: [TOLERATE] } },
          })
        ).body as { summary: object }
      ).summary;

    expect(await ask("subject")).toMatchObject({ incompatible_after: 0 });
    expect(await ask("tenant")).toMatchObject({ incompatible_after: 2 });
  });

  it("compares within a group if the subject groups its versions", async () => {
    const registry = open();
    const major = (value: string) => ({ contract: { metadata: { properties: { major: value } } } });
    await registry.call("PUT", "/subjects/orders/compatibility", { body: { level: "BACKWARD", group: "major" } });
    await registry.register("orders", avroRecord("id"), major("1"));
    await registry.register("orders", avroRecord("other"), major("2"));
    await registry.register("orders", avroRecord("id", "a?"), major("1"));

    const { body } = await registry.call("POST", "/rules/dry-run", { body: { subject: "orders" } });

    expect(body).toMatchObject({ items: [{ from: { version_number: 1 }, to: { version_number: 3 } }] });
  });

  it("refuses a book that could not be stored, and a missing subject", async () => {
    const registry = open();
    await withHistory(registry);
    const ask = (body: object) => registry.call("POST", "/rules/dry-run", { body });

    const broken = await ask({ subject: "orders", book: { rules: [{ name: "r", expr: "(", action: "deny" }] } });
    const absent = await ask({ subject: "nowhere" });
    const timeless = await ask({ subject: "orders", at: "soon" });

    expect(broken).toMatchObject({ status: 422, body: { errors: [{ pointer: "/book/rules/0/expr" }] } });
    expect(absent.status).toBe(404);
    expect(timeless).toMatchObject({ status: 400, body: { errors: [{ pointer: "/at" }] } });
  });
});

it("limits a book well below the size of a response", () => {
  expect(MAX_RULE_BOOK_CHARACTERS).toBeLessThan(1024 * 1024);
});
