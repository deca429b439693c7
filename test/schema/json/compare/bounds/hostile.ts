/** Pairs of schemas designed to take unlimited time, memory or stack. */

type Members = { [keyword: string]: unknown };

const range = (length: number) => Array.from({ length }, (_, index) => index);

/** A chain of definitions: JSON is flat, the schema is as deep as the chain is long. */
function chain(length: number, leaf: Members, link: (next: Members) => Members): Members {
  const definitions = Object.fromEntries(
    range(length).map((index) => [
      `d${index}`,
      index === length - 1 ? leaf : link({ $ref: `#/definitions/d${index + 1}` }),
    ]),
  );
  return { definitions, $ref: "#/definitions/d0" };
}

const inProperty = (next: Members) => ({ type: "object", properties: { next } });
const twice = (next: Members) => ({
  anyOf: [{ properties: { a: next, b: next } }, { properties: { a: next, c: next } }],
});

function nested(depth: number, leaf: Members, wrap: (inner: Members) => Members): Members {
  return range(depth).reduce((inner) => wrap(inner), leaf);
}

const conditional = (inner: Members, minimum: number): Members =>
  JSON.parse(`{"if": ${JSON.stringify(inner)}, "then": {"minimum": ${minimum}}, "else": ${JSON.stringify(inner)}}`);

const alternative = (index: number, type: string) => ({
  type: "object",
  properties: { kind: { const: `k${index}` }, value: { type } },
  required: ["kind"],
});
const untagged = (index: number, type: string) => ({
  type: "object",
  properties: { [`p${index}`]: { type }, shared: {} },
});

function ladder(rungs: number, type: string): Members {
  // Every alternative references all others: pairs of pairs, with cycles.
  const definitions = Object.fromEntries(
    range(rungs).map((index) => [
      `n${index}`,
      {
        oneOf: range(rungs).map((other) => ({
          type: "object",
          properties: { to: { $ref: `#/definitions/n${other}` }, at: { type: other === rungs - 1 ? type : "string" } },
        })),
      },
    ]),
  );
  return { definitions, $ref: "#/definitions/n0" };
}

export const HOSTILE: Record<string, { writer: unknown; reader: unknown }> = {
  "a chain of 3,000 references": {
    writer: chain(3_000, { type: "integer" }, inProperty),
    reader: chain(3_000, { type: "string" }, inProperty),
  },
  "a doubling tree of references": {
    writer: chain(40, { type: "integer" }, twice),
    reader: chain(40, { type: "string" }, twice),
  },
  "alternatives that all refer to one another": { writer: ladder(12, "integer"), reader: ladder(12, "number") },
  "alternatives that all refer to one another, and break": {
    writer: ladder(12, "number"),
    reader: ladder(12, "integer"),
  },
  "250 levels of allOf": {
    writer: nested(250, { type: "integer" }, (inner) => ({ allOf: [inner, { minimum: 0 }] })),
    reader: nested(250, { type: "string" }, (inner) => ({ allOf: [inner, { maximum: 9 }] })),
  },
  "120 levels of not": {
    writer: nested(120, { type: "integer" }, (inner) => ({ not: inner })),
    reader: nested(120, { type: "number" }, (inner) => ({ not: inner })),
  },
  "11 levels of conditions inside conditions": {
    writer: nested(11, { type: "integer" }, (inner) => conditional(inner, 1)),
    reader: nested(11, { type: "number" }, (inner) => conditional(inner, 2)),
  },
  "40 independent choices": {
    writer: {
      allOf: range(40).map((index) => ({ anyOf: [{ required: [`a${index}`] }, { required: [`b${index}`] }] })),
    },
    reader: { required: ["z"], anyOf: [{ required: ["y"] }, { required: ["x"] }] },
  },
  "300 tagged alternatives": {
    writer: { oneOf: range(300).map((index) => alternative(index, "integer")) },
    reader: { oneOf: range(300).map((index) => alternative(299 - index, "number")) },
  },
  "150 untagged alternatives": {
    writer: { oneOf: range(150).map((index) => untagged(index, "integer")) },
    reader: { oneOf: range(150).map((index) => untagged(index, "number")) },
  },
  "enumerations of 20,000 values": {
    writer: { enum: range(20_000) },
    reader: { enum: range(20_000).map((value) => value + 1) },
  },
  "5,000 properties and 200 patterns": {
    writer: { properties: Object.fromEntries(range(5_000).map((index) => [`p${index}`, { type: "integer" }])) },
    reader: {
      patternProperties: Object.fromEntries(range(200).map((index) => [`^p${index}`, { type: "number" }])),
      additionalProperties: false,
    },
  },
  "200 patterns on either side": {
    writer: {
      patternProperties: Object.fromEntries(range(200).map((index) => [`^(a|b)*${index}$`, { type: "integer" }])),
    },
    reader: {
      patternProperties: Object.fromEntries(range(200).map((index) => [`^(a|b)*${index}`, { type: "number" }])),
    },
  },
  "patterns that backtrack without end": {
    writer: { properties: { [`${"a".repeat(50_000)}!`]: { type: "integer" } } },
    reader: {
      patternProperties: { "^(a+)+$": { type: "string" }, "^(a|a)*$": { type: "string" } },
      additionalProperties: false,
    },
  },
  "patterns with large automata": {
    writer: { type: "string", pattern: "^(.*a.{12}|.*b.{11}|[^c]{1,400})$" },
    reader: { type: "string", pattern: "^(.*a.{12}|.*c.{13}|[^d]{1,500})$" },
  },
  "numbers beyond all bounds": {
    writer: { minimum: -1e300, maximum: 1e300, multipleOf: 1e-300 },
    reader: JSON.parse(`{"minimum": -1e-400, "maximum": 1${"0".repeat(350)}, "multipleOf": 7e-320, "enum": [1, 2]}`),
  },
  "lengths beyond all bounds": {
    writer: { type: ["string", "array", "object"], minLength: 1e15, minItems: 1e15, minProperties: 1e15 },
    reader: { type: ["string", "array", "object"], minLength: 1e16, minItems: 1e16, minProperties: 1e16 },
  },
  "tuples of 20,000 items": {
    writer: { type: "array", items: range(20_000).map(() => ({ type: "integer" })) },
    reader: { type: "array", items: range(20_000).map(() => ({ type: "number" })) },
  },
  "20,000 required names": {
    writer: { type: "object" },
    reader: { type: "object", required: range(20_000).map((index) => `r${index}`) },
  },
  "10,000 bounds that all apply": {
    writer: { allOf: range(10_000).map((minimum) => ({ minimum })) },
    reader: { allOf: range(10_000).map((minimum) => ({ minimum: minimum + 1 })) },
  },
  "10,000 properties and 3,000 patterns": {
    writer: { properties: Object.fromEntries(range(10_000).map((index) => [`a${index}`, { type: "string" }])) },
    reader: {
      patternProperties: Object.fromEntries(range(3_000).map((index) => [`^a${index}.*$`, { type: "integer" }])),
    },
  },
  "a long list of dependent schemas": {
    writer: { properties: Object.fromEntries(range(300).map((index) => [`p${index}`, {}])) },
    reader: {
      dependencies: Object.fromEntries(
        range(300).map((index) => [`p${index}`, { required: [`p${(index + 1) % 300}`] }]),
      ),
    },
  },
};
