/**
 * The contents that sequences register: few, so that they meet again, and with known properties: which spellings are
 * one text, which are equivalent, and which are incompatible.
 */

export type Format = "avro" | "json-schema" | "protobuf";
export type Dialect = "draft-04" | "draft-06" | "draft-07" | "2019-09" | "2020-12";

export const SCHEMA_TYPES = { avro: "AVRO", "json-schema": "JSON", protobuf: "PROTOBUF" } as const;

export type Spelling = {
  /** As sent. */
  text: string;
  /** The stored text; for Protobuf a placeholder, because the model does not repeat its printer. */
  canonical: string;
};

export type Content = {
  name: string;
  format: Format;
  /** The first is the normalised one. */
  spellings: readonly Spelling[];
  /** From `$schema`; null if the registration decides. */
  dialect: Dialect | null;
  /** Two schemas of one format can read each other's data if they share this value. */
  meaning: string;
  /**
   * Constrains a string next to `$ref`: drafts up to 7 ignore that, but the Confluent server, whose rules are the
   * strict ones, does not.
   */
  boundsBesideRef: boolean;
  /** The Avro record that it references in another subject. */
  needs: "R" | null;
  /** Equal for schemas that a lookup treats as the same once references are inlined. */
  inlined: string;
};

const record = (name: string, fields: readonly object[]) => ({ type: "record", name, fields });
const field = (name: string, type: unknown, rest: object = {}) => ({ name, type, ...rest });

function avro(
  name: string,
  schema: object,
  meaning: string,
  more: Partial<Content> & { others?: string[] } = {},
): Content {
  const { others = [], ...rest } = more;
  const canonical = JSON.stringify(schema);
  const texts = [canonical, JSON.stringify(schema, null, 2), ...others];
  return {
    name,
    format: "avro",
    spellings: texts.map((text) => ({ text, canonical })),
    dialect: null,
    meaning,
    boundsBesideRef: false,
    needs: null,
    inlined: canonical,
    ...rest,
  };
}

/** `reordered` has the same members in a different order: a different text, but an equivalent schema. */
function json(
  name: string,
  schema: object,
  meaning: string,
  { reordered, ...more }: Partial<Content> & { reordered?: object } = {},
): Content {
  const values = [JSON.stringify(schema), JSON.stringify(schema, null, 1)];
  if (reordered) values.push(JSON.stringify(reordered), JSON.stringify(reordered, null, 2));
  return {
    name,
    format: "json-schema",
    spellings: values.map((text) => ({ text, canonical: JSON.stringify(JSON.parse(text)) })),
    dialect: null,
    meaning,
    boundsBesideRef: false,
    needs: null,
    inlined: JSON.stringify(schema),
    ...more,
  };
}

function protobuf(name: string, spellings: readonly Spelling[], meaning: string): Content {
  return {
    name,
    format: "protobuf",
    spellings,
    dialect: null,
    meaning,
    boundsBesideRef: false,
    needs: null,
    inlined: name,
  };
}

const INT_RECORD = record("R", [field("a", "int")]);
const CODE = { $ref: "#/$defs/S" };
/** A different type than the `a` of the others, so that neither can read the other's data under any policy. */
const FLAG = { type: "boolean" };
const DEFINITIONS = { S: { type: "string" } };
const strings = (first: string) => ({
  properties: { a: { type: first }, b: { type: "string" } },
  type: "object",
});

export const CONTENTS: readonly Content[] = [
  avro("int record", INT_RECORD, "R int", {
    others: ['{"fields":[{"type":{"type":"int"},"name":"a"}],"name":"R","type":"record"}'],
  }),
  avro("int record with a default", record("R", [field("a", "int"), field("b", "int", { default: 0 })]), "R int"),
  avro("string record", record("R", [field("a", "string")]), "R string"),
  avro("outer record", record("Outer", [field("r", "R")]), "Outer", { needs: "R" }),
  avro("inlined outer record", record("Outer", [field("r", INT_RECORD)]), "Outer R int"),
  json("strings", strings("string"), "strings", {
    reordered: { type: "object", properties: { b: { type: "string" }, a: { type: "string" } } },
  }),
  json("described strings", { description: "d", ...strings("string") }, "strings"),
  json("integer and string", strings("integer"), "integer"),
  json("strings of draft-07", { $schema: "http://json-schema.org/draft-07/schema#", ...strings("string") }, "strings", {
    dialect: "draft-07",
  }),
  json(
    "strings of 2020-12",
    { $schema: "https://json-schema.org/draft/2020-12/schema", ...strings("string") },
    "strings",
    {
      dialect: "2020-12",
    },
  ),
  json(
    "bounded code",
    { $defs: DEFINITIONS, properties: { a: FLAG, code: { ...CODE, maxLength: 5 } }, type: "object" },
    "code",
    { boundsBesideRef: true },
  ),
  json("code", { $defs: DEFINITIONS, properties: { a: FLAG, code: CODE }, type: "object" }, "code"),
  protobuf(
    "int message",
    [
      { text: 'syntax = "proto3";\nmessage M {\n  int32 a = 1;\n}\n', canonical: "int message" },
      { text: 'syntax="proto3";\n\n// A comment.\nmessage M { int32 a=1; }', canonical: "int message" },
    ],
    "M int",
  ),
  protobuf(
    "wider message",
    [
      { text: 'syntax = "proto3"; message M { int32 a = 1; string b = 2; }', canonical: "wider message" },
      { text: 'syntax = "proto3"; message M { string b = 2; int32 a = 1; }', canonical: "wider message, reordered" },
    ],
    "M int",
  ),
  protobuf(
    "string message",
    [{ text: 'syntax = "proto3"; message M { string a = 1; }', canonical: "string message" }],
    "M string",
  ),
];

/** The expected text, if it is known in advance. */
export function storedText({ format }: Content, canonical: string): string | undefined {
  return format === "protobuf" ? undefined : canonical;
}

/** The content of a version, as far as compatibility needs it. */
export type Meaning = { content: Content; dialect: Dialect | null; meaning: string };

/** A subject's compatibility settings, initially those of the API that created it. */
export type Policy = "strict" | "semantic";

/** Whether the reader refuses some data of the writer. */
export function breaks(reader: Meaning, writer: Meaning, policy: Policy): boolean {
  if (reader.content.format !== writer.content.format || reader.meaning !== writer.meaning) return true;
  return isBounded(reader, policy) && !isBounded(writer, policy);
}

function isBounded({ content, dialect }: Meaning, policy: Policy): boolean {
  return content.boundsBesideRef && (policy === "strict" || dialect === "2019-09" || dialect === "2020-12");
}
