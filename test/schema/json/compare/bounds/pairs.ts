/** Pairs of schemas that are large or hostile like real ones, with the verdict if one is required. */

export type Pair = {
  readonly name: string;
  readonly writer: string;
  readonly reader: string;
  /**
   * Whether the reader reads the writer's data, under the default assumption; undefined if a refusal is acceptable.
   */
  readonly compatible?: boolean;
};

type Schema = Readonly<Record<string, unknown>>;

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

function pair(name: string, writer: Schema, reader: Schema, compatible?: boolean): Pair {
  const texts = { name, writer: JSON.stringify(writer), reader: JSON.stringify(reader) };
  return compatible === undefined ? texts : { ...texts, compatible };
}

/** As texts, because the numbers exceed doubles. */
const HUGE_NUMBERS: readonly Pair[] = [
  {
    name: "a minimum of 1e400 raised to 1e401",
    writer: '{"type":"integer","minimum":1e400}',
    reader: '{"type":"integer","minimum":1e401}',
    compatible: false,
  },
  {
    name: "a minimum of 1e401 lowered to 1e400",
    writer: '{"type":"integer","minimum":1e401}',
    reader: '{"type":"integer","minimum":1e400}',
    compatible: true,
  },
  {
    name: "a minimum of 401 digits raised to 402",
    writer: `{"type":"number","minimum":1${"0".repeat(400)}}`,
    reader: `{"type":"number","minimum":1${"0".repeat(401)}}`,
    compatible: false,
  },
  {
    name: "multiples of 1e-400 and of 2e-400",
    writer: '{"multipleOf":1e-400}',
    reader: '{"multipleOf":2e-400}',
    compatible: false,
  },
  {
    name: "multiples of 3e-1500 and of 1e-1500",
    writer: '{"type":"number","multipleOf":3e-1500}',
    reader: '{"type":"number","multipleOf":1e-1500}',
    compatible: true,
  },
  {
    name: "bounds at exponents of a billion",
    writer: '{"type":"integer","minimum":-1e999999999,"maximum":1e999999999,"multipleOf":7}',
    reader: '{"type":"integer","exclusiveMinimum":-2e999999999,"multipleOf":7}',
    compatible: true,
  },
  {
    name: "numbers of 20,000 digits",
    writer: `{"minimum":1${"2".repeat(20_000)}}`,
    reader: `{"minimum":1${"2".repeat(20_001)}}`,
  },
];

function conjoinedAlternatives(count: number): Pair {
  const allOf = range(count).map((i) => ({ anyOf: range(count).map((j) => ({ required: [`p${i}_${j}`] })) }));
  return pair(`allOf of ${count} anyOfs of ${count}`, { allOf }, { allOf, minProperties: 1 });
}

function manyPatterns(count: number): Pair {
  const patterns = (letter: string, type: string) =>
    Object.fromEntries(range(count).map((index) => [`^a${index}.*${letter}$`, { type }]));
  return pair(
    `${count} patternProperties`,
    { patternProperties: patterns("b", "string") },
    { patternProperties: patterns("c", "integer"), additionalProperties: false },
  );
}

/** The usual form of event payloads: kinds, and actions within each kind. */
function taggedKinds(kinds: number, actions: number, added: Schema, compatible: boolean): Pair {
  const action = (kind: number, index: number, more: Schema) => ({
    type: "object",
    required: ["action", "id"],
    properties: {
      action: { const: `${kind}.${index}` },
      id: { type: "integer" },
      [`field_${kind}`]: { type: "string" },
      ...more,
    },
  });
  const all = (more: Schema) => ({
    oneOf: range(kinds).map((kind) => ({ oneOf: range(actions).map((index) => action(kind, index, more)) })),
  });
  const name = `oneOf of ${kinds} oneOfs of ${actions}, ${compatible ? "wider" : "narrower"}`;
  return pair(name, all({}), all(added), compatible);
}

function taggedObjects(count: number): Pair {
  const all = (more: Schema) => ({
    oneOf: range(count).map((index) => ({
      type: "object",
      required: ["kind"],
      properties: { kind: { const: `k${index}` }, a: { type: "string" }, ...more },
    })),
  });
  return pair(`oneOf of ${count} tagged objects`, all({}), all({ b: { type: "integer" } }), true);
}

/** Alternatives that are distinguished only by their required names. */
function nestedAlternatives(groups: number, width: number): Pair {
  const alternative = (name: string, more: Schema) => ({
    type: "object",
    required: [name],
    properties: { [name]: { type: "string" }, ...more },
  });
  const all = (more: Schema) => ({
    anyOf: range(groups).map((group) => ({
      anyOf: range(width).map((index) => alternative(`g${group}w${index}`, more)),
    })),
  });
  return pair(`anyOf of ${groups} anyOfs of ${width}`, all({}), all({ extra: { type: "integer" } }), true);
}

/** A message as in AsyncAPI's meta-schemas: the schema of one member depends on the value of another. */
function conditionalMembers(formats: number, more: Schema): Schema {
  const condition = (index: number) => ({
    if: { required: ["format"], properties: { format: { enum: [`f${index};1`, `f${index};2`] } } },
    then: { properties: { payload: { $ref: `#/definitions/payload${index}` } } },
  });
  const definitions = range(formats).map((index) => [
    `payload${index}`,
    { type: "object", properties: { [`p${index}`]: { $ref: "#/definitions/message" } } },
  ]);
  const message = {
    oneOf: [
      { type: "object", required: ["$ref"], properties: { $ref: { type: "string" } } },
      {
        type: "object",
        additionalProperties: false,
        properties: { format: { type: "string" }, payload: {}, ...more },
        allOf: [
          { if: { not: { required: ["format"] } }, then: { required: ["payload"] } },
          ...range(formats).map(condition),
        ],
      },
    ],
  };
  return { definitions: { ...Object.fromEntries(definitions), message }, $ref: "#/definitions/message" };
}

function manyChanges(count: number): Pair {
  const all = (type: string) => ({
    type: "object",
    properties: Object.fromEntries(range(count).map((index) => [`p${index}`, { type }])),
  });
  return pair(`${count} properties changed`, all("string"), all("integer"), false);
}

export const MANY_CHANGES = 25_000;

export const PAIRS: readonly Pair[] = [
  ...HUGE_NUMBERS,
  conjoinedAlternatives(30),
  manyPatterns(1_000),
  taggedKinds(60, 10, { note: { type: "string" } }, true),
  taggedKinds(60, 10, { id: { type: "string" } }, false),
  taggedObjects(200),
  nestedAlternatives(60, 8),
  pair(
    "conditions that hang on one member, wider",
    conditionalMembers(7, {}),
    conditionalMembers(7, { title: {} }),
    true,
  ),
  pair(
    "conditions that hang on one member, narrower",
    conditionalMembers(7, { title: {} }),
    conditionalMembers(7, {}),
    false,
  ),
  manyChanges(MANY_CHANGES),
];
