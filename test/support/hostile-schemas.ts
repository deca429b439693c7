/**
 * Pairs of schemas with a higher cost or larger result than their size suggests. The texts are as a client sends them.
 */
export type HostilePair = { name: string; format: "json-schema" | "protobuf"; writer: string; reader: string };

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
