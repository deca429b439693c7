/**
 * Pairs of schemas with a higher cost or larger result than their size suggests. The texts are as a client sends them.
 */
export type HostilePair = { name: string; format: "json-schema" | "avro" | "protobuf"; writer: string; reader: string };

const range = (length: number) => Array.from({ length }, (_, index) => index);

function ofJson(name: string, writer: object, reader: object): HostilePair {
  return { name, format: "json-schema", writer: JSON.stringify(writer), reader: JSON.stringify(reader) };
}

/** As text, because the numbers exceed a double. */
export function hugeExponents(): HostilePair[] {
  const pair = (name: string, writer: string, reader: string): HostilePair => ({
    name,
    format: "json-schema",
    writer,
    reader,
  });
  return [
    pair("minimum 1e400 to 1e401", '{"type":"integer","minimum":1e400}', '{"type":"integer","minimum":1e401}'),
    pair(
      "bounds of 401 and 402 digits",
      `{"type":"number","minimum":1${"0".repeat(400)}}`,
      `{"type":"number","minimum":1${"0".repeat(401)}}`,
    ),
    pair("multipleOf 1e-1500", '{"type":"number","multipleOf":1e-1500}', '{"type":"number","multipleOf":3e-1500}'),
  ];
}

export function conjoinedAlternatives(count: number): HostilePair {
  const writer = {
    allOf: range(count).map((i) => ({ anyOf: range(count).map((j) => ({ required: [`p${i}_${j}`] })) })),
  };
  return ofJson(`allOf of ${count} anyOfs of ${count}`, writer, { ...writer, minProperties: 1 });
}

export function manyPatterns(count: number): HostilePair {
  const of = (letter: string, type: string) =>
    Object.fromEntries(range(count).map((i) => [`^a${i}.*${letter}$`, { type }]));
  return ofJson(
    `${count} patternProperties`,
    { patternProperties: of("b", "string") },
    { patternProperties: of("c", "integer"), additionalProperties: false },
  );
}

export function taggedObjects(count: number): HostilePair {
  const of = (more: object) => ({
    oneOf: range(count).map((i) => ({
      type: "object",
      required: ["kind"],
      properties: { kind: { const: `k${i}` }, a: { type: "string" }, ...more },
    })),
  });
  return ofJson(`oneOf of ${count} tagged objects`, of({}), of({ b: { type: "integer" } }));
}

export function manyChanges(count: number): HostilePair {
  const of = (type: string) => ({
    type: "object",
    properties: Object.fromEntries(range(count).map((i) => [`p${i}`, { type }])),
  });
  return ofJson(`${count} properties changed`, of("string"), of("integer"));
}

/** Field numbers without those that Protobuf reserves. */
export function manyFields(count: number): HostilePair {
  const of = (type: string) =>
    `syntax = "proto3";\nmessage M {\n${range(count)
      .map((i) => `  ${type} f${i} = ${i < 18_999 ? i + 1 : i + 1_001};`)
      .join("\n")}\n}\n`;
  return { name: `${count} Protobuf fields changed`, format: "protobuf", writer: of("int32"), reader: of("string") };
}

/** Every field is a map, for which Protobuf creates a message type. */
export function manyMaps(count: number): HostilePair {
  const of = (type: string) =>
    `syntax = "proto3";\nmessage M {\n${range(count)
      .map((i) => `  map<string, ${type}> f${i} = ${i + 1};`)
      .join("\n")}\n}\n`;
  return { name: `${count} Protobuf maps changed`, format: "protobuf", writer: of("int32"), reader: of("string") };
}

/** Each message contains the next one, and the last one the first. */
export function manyMessages(count: number): HostilePair {
  const of = (type: string) =>
    `syntax = "proto3";\n${range(count)
      .map((i) => `message M${i} { M${(i + 1) % count} next = 1; ${type} value = 2; }`)
      .join("\n")}\n`;
  return { name: `${count} Protobuf messages changed`, format: "protobuf", writer: of("int32"), reader: of("string") };
}

function ofAvro(name: string, fieldsOf: (type: string) => object[]): HostilePair {
  const of = (type: string) => JSON.stringify({ type: "record", name: "R", fields: fieldsOf(type) });
  return { name, format: "avro", writer: of("int"), reader: of("string") };
}

export function manyAvroFields(count: number): HostilePair {
  return ofAvro(`${count} Avro fields changed`, (type) => range(count).map((i) => ({ name: `f${i}`, type })));
}

export function manyAvroRecords(count: number): HostilePair {
  return ofAvro(`${count} Avro records changed`, (type) =>
    range(count).map((i) => ({
      name: `f${i}`,
      type: { type: "record", name: `R${i}`, fields: [{ name: "a", type }] },
    })),
  );
}

export function manyAvroDefaults(count: number): HostilePair {
  return ofAvro(`${count} Avro defaults changed`, (type) =>
    range(count).map((i) => ({ name: `f${i}`, type: { type: "array", items: type }, default: [] })),
  );
}

/** Branches that differ only in their names. */
export function manyAvroBranches(count: number): HostilePair {
  const of = (type: string) =>
    JSON.stringify(range(count).map((i) => ({ type: "record", name: `R${i}`, fields: [{ name: "a", type }] })));
  return { name: `a union of ${count} Avro records`, format: "avro", writer: of("int"), reader: of("string") };
}

/** Enumerated values, one of which is removed. */
export function manyListed(count: number, value: (index: number) => unknown, of: string): HostilePair {
  const list = (from: number) => ({ enum: range(count).map((i) => value(i + from)) });
  return ofJson(`an enum of ${count} ${of}`, list(0), list(1));
}

export function manyConjoined(count: number): HostilePair {
  const of = (more: number) => ({ allOf: range(count).map((i) => ({ minimum: i + more })) });
  return ofJson(`an allOf of ${count} schemas`, of(0), of(1));
}

/** Bounds and a step with as many digits. */
export function hugeDigits(count: number): HostilePair {
  const of = (digit: string) =>
    `{"type":"number","minimum":1${digit.repeat(count)},"multipleOf":0.${digit.repeat(count)}}`;
  return { name: `numbers of ${count} digits`, format: "json-schema", writer: of("3"), reader: of("7") };
}

/** Each property requires another one. */
export function manyDependents(count: number): HostilePair {
  const of = (letter: string) => ({
    dependentRequired: Object.fromEntries(range(count).map((i) => [`p${i}`, [`${letter}${i}`]])),
    dependentSchemas: Object.fromEntries(range(count / 4).map((i) => [`s${i}`, { required: [`${letter}${i}`] }])),
  });
  return ofJson(`${count} dependent properties`, of("a"), of("b"));
}

/** Alternatives that differ in steps of many digits. */
export function manyDivisors(count: number, digits: number): HostilePair {
  const of = (digit: string) =>
    `{"anyOf":[${range(count).map((i) => `{"multipleOf":0.${digit.repeat(digits)}${i}}`)}]}`;
  return { name: `${count} steps of ${digits} digits`, format: "json-schema", writer: of("3"), reader: of("7") };
}

/** Alternatives without a tag. */
export function untaggedObjects(count: number): HostilePair {
  const of = (type: string) => ({
    oneOf: range(count).map((i) => ({ type: "object", properties: { [`p${i}`]: { type } } })),
  });
  return ofJson(`oneOf of ${count} untagged objects`, of("string"), of("integer"));
}

/** Each definition refers to the next one, and the last one to the first. */
export function nestedReferences(count: number): string {
  const definitions = range(count).map((i) => [
    `d${i}`,
    { type: "object", properties: { next: { $ref: `#/$defs/d${(i + 1) % count}` }, value: { type: "string" } } },
  ]);
  return JSON.stringify({ $defs: Object.fromEntries(definitions), $ref: "#/$defs/d0" });
}
