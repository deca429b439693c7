/** Short ways to make Avro models in tests. */
import { avro } from "../../../schema/avro/format.ts";
import type { AvroModel } from "../../../schema/avro/model.ts";
import type { ParseResult, SchemaProblem, SchemaSource } from "../../../schema/format.ts";

type Strictness = "new" | "stored";

/** Parses a schema text. */
export function parseText(text: string, strictness: Strictness = "new", references: SchemaSource["references"] = []) {
  return avro.parse({ text, references }, { strictness, defaultDialect: "2020-12" });
}

/** Parses a schema given as a JSON value. */
export function parse(schema: unknown, strictness: Strictness = "new", references: SchemaSource["references"] = []) {
  return parseText(JSON.stringify(schema), strictness, references);
}

export function modelOf(schema: unknown, strictness: Strictness = "stored"): AvroModel {
  return modelIn(parse(schema, strictness));
}

export function modelIn(result: ParseResult<AvroModel>): AvroModel {
  if (!result.ok) throw new Error(JSON.stringify(result.refusal.problems));
  return result.value.model;
}

export function problemsOf(schema: unknown, strictness: Strictness = "new"): readonly SchemaProblem[] {
  const result = parse(schema, strictness);
  return result.ok ? [] : result.refusal.problems;
}

export function rulesBrokenBy(schema: unknown, strictness: Strictness = "new"): string[] {
  return problemsOf(schema, strictness).map(({ rule }) => rule);
}

/** A record with the given fields, each `[name, type]` or `[name, type, default]`. */
export function record(name: string, ...fields: ([string, unknown] | [string, unknown, unknown])[]) {
  return {
    type: "record",
    name,
    fields: fields.map(([field, type, ...rest]) =>
      rest.length === 0 ? { name: field, type } : { name: field, type, default: rest[0] },
    ),
  };
}

export function reference(name: string, schema: unknown, references: SchemaSource["references"] = []) {
  return { name, subject: name, version: 1, source: { text: JSON.stringify(schema), references } };
}
