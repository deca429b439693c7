/** Values checked against schemas: the words that all formats answer in. Formats only differ in how they read them. */

import type { Result } from "./result.ts";

/**
 * A value as JSON has it: what JSON.parse gives, with integers that no double holds as bigint. Parsed by data-text.ts.
 */
export type DataValue = unknown;

/** One place where a value breaks its schema. */
export type DataError = {
  /** JSON pointer into the value. */
  pointer: string;
  /** The keyword of the schema, or the rule of the format, that is broken. */
  keyword: string;
  /** JSON pointer to the rule in the schema; after `name#` where it stands in a reference. */
  schema_pointer: string;
  message: string;
  expected: string;
  got: string;
};

/** What is no error and still worth knowing. */
export type DataWarning = { rule: string; message: string; pointer: string };

export type DataVerdict = {
  valid: boolean;
  /** At most MAX_DATA_ERRORS. */
  errors: readonly DataError[];
  warnings: readonly DataWarning[];
};

/** Why there is no verdict. */
export type DataRefusal = {
  /** `too_complex`: a bound on depth, size or work; `invalid_schema`: the stored schema cannot be applied; `unsupported`: the format lacks what was asked for. */
  reason: "too_complex" | "invalid_schema" | "unsupported";
  message: string;
  schema_pointer?: string;
};

export type DataOptions = {
  /** Whether `format` is checked (JSON Schema), rather than being a note. */
  formats: boolean;
  /** The full name of the message (Protobuf); by default the first of the schema. */
  message?: string;
  /** How unions are written (Avro): `wrapped` in the name of their branch, as Avro's JSON encoding has it, or as `plain` values. Both are read. */
  unions?: "wrapped" | "plain";
};

/** Errors reported for one value: who repairs it needs the first, and a bad value may have millions. */
export const MAX_DATA_ERRORS = 100;

/** The bytes of a value, or why it has none. */
export type EncodedData = Result<Uint8Array, DataVerdict | DataRefusal>;
/** The value of some bytes, with the verdict about it: bytes that cannot be read have errors and no value. */
export type DecodedData = Result<{ value: DataValue; warnings: readonly DataWarning[] }, DataVerdict | DataRefusal>;

/** What a format does with values. Everything is pure and bounded. */
export interface DataOperations<Model> {
  validate(model: Model, value: DataValue, options: DataOptions): Result<DataVerdict, DataRefusal>;
  encode(model: Model, value: DataValue, options: DataOptions): EncodedData;
  decode(model: Model, bytes: Uint8Array, options: DataOptions): DecodedData;
  /** What the Confluent wire format has between the schema's id and the value; formats without it have nothing there. */
  confluentHead?: {
    read(model: Model, bytes: Uint8Array): Result<{ payload: Uint8Array; message: string }, DataVerdict>;
    write(model: Model, message: string | undefined): Result<Uint8Array, DataRefusal>;
  };
  /** What single-object encoding names the schema by; only Avro has one. */
  fingerprint?(model: Model): Uint8Array;
}

export const VALID: DataVerdict = { valid: true, errors: [], warnings: [] };

export function invalid(errors: readonly DataError[], warnings: readonly DataWarning[] = []): DataVerdict {
  return { valid: false, errors: errors.slice(0, MAX_DATA_ERRORS), warnings };
}

/** One error about the bytes or the text as a whole, before there is a value to point into. */
export function unreadable(
  keyword: string,
  expected: string,
  got: string,
  pointer = "",
  schemaPointer = "",
): DataVerdict {
  const message = `Expected ${expected}, got ${got}.`;
  return invalid([{ pointer, keyword, schema_pointer: schemaPointer, message, expected, got }]);
}

/** The error as one sentence, for a model that is asked to repair its answer. */
export function sentenceOf({ pointer, expected, got }: DataError): string {
  const place = pointer === "" ? "The value as a whole" : `The value at ${pointer}`;
  return `${place} must be ${expected}, but it is ${got}.`;
}
