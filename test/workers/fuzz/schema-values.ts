/**
 * Values for the schemas of the OpenAPI documents. Where a name says what is meant, as `subject` or `content` do, values
 * are those that the registry accepts or has answered before; a schema alone would produce requests that are all refused
 * at the first check.
 */
import fc from "fast-check";

export type Schema = Readonly<Record<string, unknown>>;
export type Components = Readonly<Record<string, Schema>>;

/** Stands for a value of an earlier answer, chosen when the request is sent. */
export class Earlier {
  readonly kind: string;
  readonly pick: number;

  constructor(kind: string, pick: number) {
    this.kind = kind;
    this.pick = pick;
  }

  toString(): string {
    return `<${this.kind} ${this.pick}>`;
  }
}

const MAX_DEPTH = 6;

/** Text that parsers, URLs, headers or databases treat in their own way. */
const STRANGE_TEXTS = [
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "..",
  "../a",
  "a/b",
  "%2F",
  "%",
  "a?b#c",
  "ü 🎉",
  "\u202Eabc",
  "\uFEFFa",
  "a\r\nb: c",
  "__proto__",
  "constructor",
  "toString",
  ":.ctx:",
  ":.ctx:a",
  ":*:",
  ":.__GLOBAL:",
  "__EMPTY",
  "-1",
  "1e999",
  "9007199254740993",
  "NaN",
  "true",
  "null",
  "'; DROP TABLE log; --",
  "x".repeat(256),
  "é".repeat(600),
];
export const strangeText = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...STRANGE_TEXTS) },
  { weight: 3, arbitrary: fc.string({ unit: "grapheme", maxLength: 40 }) },
  { weight: 1, arbitrary: fc.nat({ max: 4 }).map((power) => "x".repeat(10 ** power)) },
);

const strangeNumber = fc.constantFrom(-1, 0, 0.5, 1e308, -1e308, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 53 + 2, 1e21);
export const strangeValue: fc.Arbitrary<unknown> = fc.oneof(
  strangeText,
  strangeNumber,
  fc.boolean(),
  fc.constant(null),
  fc.constant([]),
  fc.constant({}),
  fc.array(strangeText, { maxLength: 3 }),
  fc.dictionary(strangeText, strangeText, { maxKeys: 3 }),
);

/** The value in one of so many cases, else undefined. */
export function sometimes<T>(value: fc.Arbitrary<T>, oneIn: number): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: oneIn - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
}

export const earlier = (kind: string) => fc.nat({ max: 1_000 }).map((pick) => new Earlier(kind, pick));

const RECORD = (name: string, ...fields: object[]) => ({ type: "record", name, fields });
const AVRO = [
  "string",
  RECORD("Order", { name: "id", type: "string" }),
  RECORD("Order", { name: "id", type: "string" }, { name: "total", type: "long", default: 0 }),
  RECORD("Order", { name: "id", type: "int" }),
  RECORD("Line", { name: "order", type: ["null", "Order"], default: null }),
  { type: "enum", name: "Kind", symbols: ["A", "B"] },
  { type: "record", name: "Broken" },
];
const JSON_SCHEMAS = [
  true,
  { type: "object", properties: { id: { type: "string" } }, required: ["id"] },
  { type: "object", properties: { id: { type: "string" }, total: { type: "integer" } }, additionalProperties: false },
  { $ref: "#/$defs/a", $defs: { a: { type: "array", items: { $ref: "#" } } } },
  { $ref: "order.json" },
  { type: "nonsense" },
];
const PROTOBUF = [
  'syntax = "proto3"; message Order { string id = 1; }',
  'syntax = "proto3"; package shop; message Order { string id = 1; int64 total = 2; }',
  'syntax = "proto3"; import "order.proto"; message Line { Order order = 1; }',
  "message {",
];
const SCHEMAS: readonly unknown[] = [...AVRO, ...JSON_SCHEMAS, ...PROTOBUF];
/** The format that each is written in, in the words of either API. */
export const FORMATS = new Map<unknown, { format: string; schemaType: string }>(
  [
    ...AVRO.map((schema) => [schema, { format: "avro", schemaType: "AVRO" }] as const),
    ...JSON_SCHEMAS.map((schema) => [schema, { format: "json-schema", schemaType: "JSON" }] as const),
    ...PROTOBUF.map((schema) => [schema, { format: "protobuf", schemaType: "PROTOBUF" }] as const),
  ].map(([schema, format]) => [textOfSchema(schema), format]),
);
const MESSAGES = [{ id: "a" }, { id: 1 }, { id: "a", total: 3 }, "text", 7, null, [[]]];

const aSubject = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("orders", "lines", "kinds", "shop/orders", ":.staging:orders") },
  { weight: 3, arbitrary: earlier("subject") },
);
const aSchema = fc.constantFrom(...SCHEMAS);
const aVersion = fc.oneof(fc.constantFrom<unknown>(1, 2, 3, "latest", "1.0.0", "^1", "-1", -1), earlier("version"));

/** By the name of a parameter or member; null means no hint, for schemas that are not of this kind. */
const HINTS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  subject: aSubject,
  subject_prefix: fc.constantFrom("o", "", "orders"),
  subjectPrefix: fc.constantFrom("o", "", ":*:", ":.staging:"),
  context: fc.constantFrom(".", ".staging", "staging", ".empty"),
  content: aSchema,
  schema: aSchema.map(textOfSchema),
  data: fc.constantFrom<unknown>(...MESSAGES),
  message: fc.constantFrom<unknown>(...MESSAGES),
  version: aVersion,
  from: aVersion,
  to: aVersion,
  id: earlier("id"),
  guid: earlier("guid"),
  confluent_id: fc.oneof(fc.integer({ min: 1, max: 5 }), earlier("confluent_id")),
  cursor: earlier("cursor"),
  url: fc.constantFrom("https://hooks.invalid/a", "http://127.0.0.1/", "https://[::1]/", "https://10.0.0.1:8443/x"),
  resource: earlier("resourceId"),
  resourceId: fc.oneof(fc.constantFrom("r-1", "r-2"), earlier("resourceId")),
  resourceName: fc.constantFrom("topic-a", "topic-b"),
  resourceNamespace: fc.constantFrom("lkc-1", "lkc-2"),
  webhook: earlier("webhooks"),
  delivery: earlier("deliveries"),
  proposal: earlier("proposals"),
  change_set: earlier("change_set_id"),
  key: earlier("keys"),
  profile: fc.constantFrom("openai-strict", "anthropic", "gemini", "nonsense"),
  path: fc.constantFrom("subjects", "config", "mode", "schemas", "nonsense/a"),
  mode: fc.constantFrom("READWRITE", "READONLY", "IMPORT", "WRITE", "READ", "readwrite", null),
  compatibility: fc.constantFrom("NONE", "FULL", "backward_transitive", null, "NONSENSE"),
  condition: fc.constantFrom("true", 'schema.subject == "orders"', "1 +", "request.ip"),
  expression: fc.constantFrom("true", "difference.kind == 'X'", "1 +"),
  tile: fc.constantFrom("0/000", "0/000.p/1", "entries/000.p/2", "x/y"),
};

export function textOfSchema(schema: unknown): string {
  return typeof schema === "string" && schema !== "string" ? schema : JSON.stringify(schema);
}

/** An arbitrary for a schema; `name` is what the value is called. */
export function arbitraryOf(schema: Schema, components: Components, name = "", depth = 0): fc.Arbitrary<unknown> {
  const hint = Object.hasOwn(HINTS, name) ? HINTS[name] : undefined;
  const plain = plainValue(schema, components, name, depth);
  return hint === undefined ? plain : fc.oneof({ weight: 8, arbitrary: hint }, { weight: 1, arbitrary: plain });
}

function plainValue(schema: Schema, components: Components, name: string, depth: number): fc.Arbitrary<unknown> {
  if (typeof schema.$ref === "string") {
    const referenced = schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
    return depth >= MAX_DEPTH ? fc.constant(null) : arbitraryOf(components[referenced]!, components, name, depth + 1);
  }
  const alternatives = (schema.anyOf ?? schema.oneOf) as readonly Schema[] | undefined;
  if (alternatives !== undefined) {
    const { anyOf: _, oneOf: __, ...rest } = schema;
    const whole = alternatives.map((alternative) => ({
      ...rest,
      ...alternative,
      // Alternatives often say only which of the shared members are required.
      ...(rest.properties === undefined
        ? {}
        : { properties: { ...(rest.properties as object), ...(alternative.properties as object | undefined) } }),
    }));
    return fc.oneof(...whole.map((alternative) => plainValue(alternative, components, name, depth)));
  }
  if (Array.isArray(schema.enum)) return fc.constantFrom(...(schema.enum as unknown[]));
  if ("const" in schema) return fc.constant(schema.const);
  const types = [schema.type ?? "any"].flat() as string[];
  return fc.oneof(...types.map((type) => typedValue(type, schema, components, depth)));
}

function typedValue(type: string, schema: Schema, components: Components, depth: number): fc.Arbitrary<unknown> {
  switch (type) {
    case "string":
      return stringOf(schema);
    case "integer":
    case "number":
      return integerOf(schema);
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array": {
      const {
        items = {},
        minItems = 0,
        maxItems = 3,
      } = schema as { items?: Schema; minItems?: number; maxItems?: number };
      const maxLength = Math.max(minItems, Math.min(maxItems, depth >= MAX_DEPTH ? 0 : 3));
      return fc.array(arbitraryOf(items, components, "", depth + 1), { minLength: minItems, maxLength });
    }
    case "object":
      return objectOf(schema, components, depth);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function stringOf({ pattern, format, minLength = 0, maxLength = 30 }: Schema): fc.Arbitrary<unknown> {
  if (typeof pattern === "string") return fc.stringMatching(new RegExp(pattern));
  if (format === "uuid") return fc.uuid();
  if (format === "date-time")
    return fc.constantFrom("2030-01-01T00:00:00Z", "1999-12-31T23:59:60Z", "2030-13-01T00:00:00Z");
  const least = minLength as number;
  return fc.string({ minLength: least, maxLength: Math.max(least, Math.min(maxLength as number, 30)) });
}

function integerOf({ minimum = -10, maximum = 2 ** 31 - 1 }: Schema): fc.Arbitrary<unknown> {
  const [min, max] = [minimum as number, Math.max(minimum as number, maximum as number)];
  return fc.oneof(fc.integer({ min, max: Math.min(max, min + 5) }), fc.constantFrom(min, max), fc.maxSafeInteger());
}

function objectOf(schema: Schema, components: Components, depth: number): fc.Arbitrary<unknown> {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
  const required = (schema.required ?? []) as string[];
  // Most optional members are left out, or no two requests would have anything in common.
  const shown = properties.filter(([name]) => depth < MAX_DEPTH || required.includes(name));
  const members = shown.map(([name, member]): [string, fc.Arbitrary<unknown>] => {
    const value = arbitraryOf(member, components, name, depth + 1);
    return [name, required.includes(name) ? value : sometimes(value, 4)];
  });
  return fc.record(Object.fromEntries(members)).map((value) => {
    const present = Object.entries(value).filter(([, member]) => member !== undefined);
    return Object.fromEntries(present);
  });
}
