/** Short ways to make Avro models in tests. */
import { avro } from "../../../schema/avro/format";
import type { AvroModel } from "../../../schema/avro/model";
import type { ParseResult, SchemaProblem, SchemaSource } from "../../../schema/format";

type Strictness = "new" | "stored";

export function textOf(schema: unknown): string {
  return typeof schema === "string" && /^[\s"[{/]/.test(schema) ? schema : JSON.stringify(schema);
}

/** Parses a text, or a schema given as a JSON value. */
export function parse(schema: unknown, strictness: Strictness = "new", references: SchemaSource["references"] = []) {
  const source = { text: textOf(schema), references };
  return avro.parse(source, { strictness, defaultDialect: "2020-12" });
}

export function modelOf(schema: unknown, strictness: Strictness = "stored"): AvroModel {
  return modelIn(parse(schema, strictness));
}

export function modelIn(result: ParseResult<AvroModel>): AvroModel {
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.model;
}

export function problemsOf(schema: unknown, strictness: Strictness = "new"): readonly SchemaProblem[] {
  const result = parse(schema, strictness);
  return result.ok ? [] : result.problems;
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
  return { name, subject: name, version: 1, source: { text: textOf(schema), references } };
}
