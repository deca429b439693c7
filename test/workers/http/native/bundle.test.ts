import { describe, expect, it } from "vitest";
import { MAX_BUNDLE_SCHEMAS } from "../../../../workers/registry/compatibility/bundle.ts";
import { MAX_REFERRING_STEPS } from "../../../../workers/registry/compatibility/bundle-referrers.ts";
import { avroRecord, type ProblemBody, type Registry, WAYS } from "../native-calls.ts";

type Item = {
  subject: string;
  compatible: boolean | null;
  differences: { severity: string; kind: string; direction: string; version_number: number }[];
  errors: { rule: string; message: string; pointer?: string }[];
  suggested_version: string | null;
  compared_versions: { version_number: number; compatible: boolean }[];
  [field: string]: unknown;
};
type Referencing = Item & { through: { subject: string }[]; version_number: number };
type Verdicts = { compatible: boolean; schemas: Item[]; referencing: Referencing[] };

async function ask(registry: Registry, schemas: object[], more: object = {}): Promise<Verdicts> {
  const { status, body, text } = await registry.call("POST", "/compatibility/bundle", { body: { schemas, ...more } });
  expect(status, text).toBe(200);
  return body as Verdicts;
}

function record(name: string, ...fields: [name: string, type: unknown, defaultValue?: unknown][]): object {
  return {
    type: "record",
    name,
    fields: fields.map(([field, type, ...rest]) => ({
      name: field,
      type,
      ...(rest.length > 0 ? { default: rest[0] } : {}),
    })),
  };
}

const ADDRESS = record("Address", ["street", "string"]);
const CUSTOMER = record("Customer", ["address", "Address"]);
const ORDER = record("Order", ["customer", "Customer"]);

/** orders references customers, which references addresses. */
async function withChain(registry: Registry): Promise<void> {
  await registry.register("addresses", ADDRESS);
  await registry.register("customers", CUSTOMER, {
    references: [{ name: "Address", subject: "addresses", version: 1 }],
  });
  await registry.register("orders", ORDER, { references: [{ name: "Customer", subject: "customers", version: 1 }] });
}

describe.each(WAYS)("POST /compatibility/bundle on the $name platform", ({ open }) => {
  it("treats Protobuf files of one bundle as a module under Buf's categories", async () => {
    const registry = open();
    const proto = (body: string) => `syntax = "proto3";\npackage shop;\n${body}`;
    const [order, item] = ["message Order { string id = 1; }", "message Item { string id = 1; }"];
    await registry.register("orders", proto(`${order}\n${item}`), { format: "protobuf" });
    await registry.register("other", proto("message Other {}"), { format: "protobuf" });
    const policy = { policy: "buf_package" };
    const bundle = (moved: string) => [
      { subject: "orders", content: proto(order) },
      { subject: "other", content: proto(`message Other {}\n${moved}`) },
    ];

    const [alone, moved, changed] = [
      await ask(registry, bundle("").slice(0, 1), policy),
      await ask(registry, bundle(item), policy),
      await ask(registry, bundle(item.replace("string id", "int32 id")), policy),
    ];

    const kinds = ({ schemas }: Verdicts) => schemas.flatMap(({ differences }) => differences.map(({ kind }) => kind));
    expect(kinds(alone)).toEqual(["PACKAGE_MESSAGE_NO_DELETE"]);
    expect(kinds(moved)).toEqual([]);
    expect(kinds(changed)).toEqual(["FIELD_SAME_TYPE"]);
  });

  it("gives each schema the verdict that it would get alone, in the order of the request", async () => {
    const registry = open();
    await registry.register("a", avroRecord("id"));
    await registry.register("b", avroRecord("id"));
    const before = await registry.lastSeq();

    const bundle = [
      { subject: "b", content: avroRecord("id", "required") },
      { subject: "a", content: avroRecord("id", "note?") },
      { subject: "new", format: "avro", content: avroRecord("id") },
    ];
    const { compatible, schemas, referencing } = await ask(registry, bundle, { witnesses: true });
    const unproven = await ask(registry, bundle);

    expect(compatible).toBe(false);
    expect(schemas).toMatchObject([
      {
        subject: "b",
        compatible: false,
        suggested_version: "2.0.0",
        suggested_bump: "major",
        differences: [
          { severity: "breaking", direction: "backward", version_number: 1, witness: { status: "confirmed" } },
        ],
        compared_versions: [{ version_number: 1, compatible: false }],
      },
      { subject: "a", compatible: true, suggested_version: "1.1.0", errors: [] },
      { subject: "new", compatible: true, suggested_version: "1.0.0", suggested_bump: null, compared_versions: [] },
    ]);
    expect(unproven.schemas[0]!.differences[0]).not.toHaveProperty("witness");
    expect(referencing).toEqual([]);
    expect(await registry.lastSeq()).toBe(before);
  });

  it("links schemas of the bundle by subject, by name, by latest and by the number they would get", async () => {
    const registry = open();
    const bundle = (reference: object) =>
      ask(registry, [
        { subject: "customers", format: "avro", content: CUSTOMER, references: [reference] },
        { subject: "addresses", name: "the address", format: "avro", content: ADDRESS },
      ]);
    const named = record("Customer", ["address", "string"]);

    for (const reference of [
      { name: "Address", subject: "addresses" },
      { name: "Address", subject: "addresses", version: "latest" },
      { name: "Address", subject: "addresses", version: 1 },
    ]) {
      const { compatible, schemas } = await bundle(reference);
      expect(schemas.map(({ errors }) => errors)).toEqual([[], []]);
      expect(compatible).toBe(true);
    }
    const byName = await ask(registry, [
      { subject: "customers", format: "avro", content: CUSTOMER, references: [{ name: "Address" }] },
      { subject: "addresses", name: "Address", format: "avro", content: ADDRESS },
    ]);
    const later = await bundle({ name: "Address", subject: "addresses", version: 2 });
    const unnamed = await ask(registry, [
      { subject: "customers", format: "avro", content: named, references: [{ name: "Address" }] },
    ]);

    expect(byName.compatible).toBe(true);
    for (const { compatible, schemas } of [later, unnamed]) {
      expect(compatible).toBe(false);
      expect(schemas[0]).toMatchObject({
        compatible: false,
        errors: [{ rule: "reference_not_found", pointer: "/references/0" }],
      });
    }
  });

  it("resolves registered schemas and those of the bundle", async () => {
    const registry = open();
    await registry.register("addresses", ADDRESS);

    const { schemas } = await ask(registry, [
      {
        subject: "orders",
        format: "avro",
        content: record("Order", ["customer", "Customer"], ["ship_to", "Address"]),
        references: [
          { name: "Address", subject: "addresses", version: 1 },
          { name: "Customer", subject: "customers" },
        ],
      },
      { subject: "customers", format: "avro", content: record("Customer", ["id", "string"]) },
    ]);

    expect(schemas.map(({ errors }) => errors)).toEqual([[], []]);
  });

  it("gives every referencing subject a verdict, direct and indirect", async () => {
    const registry = open();
    await withChain(registry);

    const { compatible, schemas, referencing } = await ask(registry, [
      { subject: "addresses", content: record("Address", ["street", "string"], ["zip", "string"]) },
    ]);

    expect(compatible).toBe(false);
    expect(schemas).toMatchObject([{ subject: "addresses", compatible: false }]);
    expect(referencing.map(({ subject }) => subject).sort()).toEqual(["customers", "orders"]);
    for (const item of referencing) {
      expect(item).toMatchObject({ compatible: false, version_number: 1, through: [{ subject: "addresses" }] });
      expect(item.differences).toContainEqual(expect.objectContaining({ severity: "breaking", direction: "backward" }));
    }
  });

  it("checks a referencing subject at its own level", async () => {
    const registry = open();
    await withChain(registry);
    await registry.call("PUT", "/subjects/orders/compatibility", { body: { level: "FORWARD" } });

    const { referencing } = await ask(registry, [
      { subject: "addresses", content: record("Address", ["street", "string"], ["zip", "string"]) },
    ]);

    expect(Object.fromEntries(referencing.map(({ subject, compatible }) => [subject, compatible]))).toEqual({
      customers: false,
      orders: true,
    });
  });

  it("omits a referencing subject that is in the bundle itself, or no longer references it", async () => {
    const registry = open();
    await withChain(registry);
    await registry.call("PUT", "/subjects/orders/compatibility", { body: { level: "NONE" } });
    await registry.register("orders", record("Order", ["customer", "string"]));

    const { referencing } = await ask(registry, [
      { subject: "addresses", content: record("Address", ["street", "string"], ["zip", "string", ""]) },
      { subject: "customers", content: CUSTOMER, references: [{ name: "Address", subject: "addresses" }] },
    ]);

    expect(referencing).toEqual([]);
  });

  it("reports a referencing subject that becomes invalid", async () => {
    const registry = open();
    await withChain(registry);

    const { schemas, referencing } = await ask(registry, [{ subject: "addresses", content: { type: "record" } }]);

    expect(schemas[0]).toMatchObject({ compatible: false, differences: [] });
    expect(schemas[0]!.errors.length).toBeGreaterThan(0);
    expect(referencing).toHaveLength(2);
    expect(referencing[0]).toMatchObject({ compatible: false, errors: [{ rule: "reference_invalid" }] });
  });

  it("follows circular references to their end", async () => {
    const registry = open();
    const schema = (other: string) => ({ properties: { other: { $ref: other } } });

    const { schemas } = await ask(registry, [
      {
        subject: "a",
        format: "json-schema",
        content: schema("b.json"),
        references: [{ name: "b.json", subject: "b" }],
      },
      {
        subject: "b",
        format: "json-schema",
        content: schema("a.json"),
        references: [{ name: "a.json", subject: "a" }],
      },
    ]);

    expect(schemas.map(({ subject }) => subject)).toEqual(["a", "b"]);
  });

  it("applies each subject's rules and roles, which the request may override", async () => {
    const registry = open();
    await registry.register("a", avroRecord("id"));
    await registry.call("PUT", "/subjects/a/rules", {
      body: { rules: [{ name: "tolerant", expr: "true", action: "allow" }] },
    });
    await registry.call("PUT", "/subjects/a/compatibility", { body: { role: "tool_input" } });
    const schemas = [{ subject: "a", content: avroRecord("id", "required") }];

    const ruled = await ask(registry, schemas);
    const asked = await ask(registry, schemas, { level: "FORWARD", policy: "strict", writers: "any", role: "event" });

    expect(ruled).toMatchObject({
      compatible: true,
      schemas: [{ role: "tool_input", differences: [{ affected: "tool", decided_by: { name: "tolerant" } }] }],
    });
    expect(asked.schemas[0]).toMatchObject({ level: "FORWARD", policy: "strict", writers: "any", role: "event" });
  });

  it("checks Protobuf by import path", async () => {
    const registry = open();
    const common = (fields: string) => `syntax = "proto3"; package t; message Common { ${fields} }`;
    await registry.register("common", common("string id = 1;"), { format: "protobuf" });
    const user = 'syntax = "proto3"; package t; import "common.proto"; message User { Common common = 1; }';
    await registry.register("users", user, {
      format: "protobuf",
      references: [{ name: "common.proto", subject: "common", version: 1 }],
    });

    const { compatible, referencing } = await ask(registry, [{ subject: "common", content: common("int32 id = 1;") }]);

    expect(compatible).toBe(false);
    expect(referencing).toMatchObject([{ subject: "users", compatible: false }]);
  });

  it.each([
    [
      "a subject twice",
      [
        { subject: "a", format: "avro", content: "string" },
        { subject: "a", format: "avro", content: "int" },
      ],
      "/schemas/1/subject",
    ],
    [
      "a name twice",
      [
        { subject: "a", name: "n", format: "avro", content: "string" },
        { subject: "b", name: "n", format: "avro", content: "int" },
      ],
      "/schemas/1/name",
    ],
    [
      "a subject that cannot be",
      [{ subject: ":.__GLOBAL:x", format: "avro", content: "string" }],
      "/schemas/0/subject",
    ],
    ["a format that cannot be determined", [{ subject: "a", content: "string" }], "/schemas/0/format"],
    ["content that is not text", [{ subject: "a", format: "protobuf", content: {} }], "/schemas/0/content"],
    ["no schema at all", [], "/schemas"],
    [
      "a reference without a name",
      [{ subject: "a", format: "avro", content: "string", references: [{}] }],
      "/schemas/0/references/0",
    ],
  ])("refuses %s", async (_, schemas, pointer) => {
    const registry = open();

    const refused = await registry.call("POST", "/compatibility/bundle", { body: { schemas } });

    expect(refused.status, refused.text).toBeGreaterThanOrEqual(400);
    expect(refused.status, refused.text).toBeLessThan(500);
    expect((refused.body as ProblemBody).errors?.[0]?.pointer).toMatch(new RegExp(`^${pointer}`));
    expect(await registry.lastSeq()).toBe(0);
  });
});

describe("POST /compatibility/bundle", () => {
  it(`follows references over ${MAX_REFERRING_STEPS} steps and refuses longer chains`, async () => {
    const registry = WAYS[0]!.open();
    await registry.register("s0", record("R0", ["a", "string"]));
    for (let step = 1; step <= MAX_REFERRING_STEPS; step += 1) {
      const references = [{ name: `R${step - 1}`, subject: `s${step - 1}`, version: 1 }];
      await registry.register(`s${step}`, record(`R${step}`, ["inner", `R${step - 1}`]), { references });
    }
    const bundle = (subject: string, content: object, references: object[] = []) =>
      registry.call("POST", "/compatibility/bundle", { body: { schemas: [{ subject, content, references }] } });

    const near = await bundle("s1", record("R1", ["inner", "R0"]), [{ name: "R0", subject: "s0", version: 1 }]);
    const far = await bundle("s0", record("R0", ["a", "string"]));

    expect((near.body as Verdicts).referencing).toHaveLength(MAX_REFERRING_STEPS - 1);
    expect(far).toMatchObject({ status: 422, body: { code: "too_complex" } });
  });

  it(`accepts ${MAX_BUNDLE_SCHEMAS} schemas and no more`, async () => {
    const registry = WAYS[0]!.open();
    const schemas = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ subject: `s${index}`, format: "avro", content: "string" }));

    const most = await registry.call("POST", "/compatibility/bundle", {
      body: { schemas: schemas(MAX_BUNDLE_SCHEMAS) },
    });
    const more = await registry.call("POST", "/compatibility/bundle", {
      body: { schemas: schemas(MAX_BUNDLE_SCHEMAS + 1) },
    });

    expect(most.status).toBe(200);
    expect((most.body as Verdicts).schemas).toHaveLength(MAX_BUNDLE_SCHEMAS);
    expect(more.status).toBe(400);
  });
});
