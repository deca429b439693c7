/** The common types for validating data against schemas. Formats differ only in how they read data. */

import type { Result } from "./result.ts";

/**
 * A JSON value as JSON.parse returns it, with bigint for integers that a double cannot represent. Parsed by
 * data-text.ts.
 */
export type DataValue = unknown;

/** A location at which a value violates its schema. */
export type DataError = {
  /** JSON pointer into the value. */
  pointer: string;
  /** The violated keyword of the schema, or rule of the format. */
  keyword: string;
  /** JSON pointer to the rule in the schema; prefixed with `name#` if it is in a reference. */
  schema_pointer: string;
  message: string;
  expected: string;
  got: string;
};

/** A note that is not an error. */
export type DataWarning = { rule: string; message: string; pointer: string };

export type DataVerdict = {
  valid: boolean;
  /** At most MAX_DATA_ERRORS. */
  errors: readonly DataError[];
  warnings: readonly DataWarning[];
  /** The work done, if it varies: the number of schemas evaluated. */
  steps?: number;
};

/** The reason for the missing verdict. */
export type DataRefusal = {
  /**
   * `too_complex`: a limit on depth, size or work; `invalid_schema`: the stored schema cannot be applied;
   * `unsupported`: the format lacks the requested feature.
   */
  reason: "too_complex" | "invalid_schema" | "unsupported";
  message: string;
  schema_pointer?: string;
};

export type DataOptions = {
  /** Whether `format` is asserted (JSON Schema) rather than an annotation. */
  formats: boolean;
  /** The full name of the message (Protobuf); by default the first of the schema. */
  message?: string;
  /**
   * How unions are written (Avro): `wrapped` in the name of their branch, as in Avro's JSON encoding, or as `plain`
   * values. Both are read.
   */
  unions?: "wrapped" | "plain";
};

/** How a datum is given: as JSON text, or in the format's own encoding. */
export type DataForm = "value" | "bytes";

/** Errors reported per value: repairing it needs only the first, and a bad value may have millions. */
export const MAX_DATA_ERRORS = 100;

/** The bytes of a value, or the reason why it has none. */
type EncodedData = Result<Uint8Array, DataVerdict | DataRefusal>;
/** The decoded value with its verdict: undecodable bytes have errors and no value. */
type DecodedData = Result<{ value: DataValue; warnings: readonly DataWarning[] }, DataVerdict | DataRefusal>;

/** A format's operations on values. Everything is pure and bounded. */
export interface DataOperations<Model> {
  validate(model: Model, value: DataValue, options: DataOptions): Result<DataVerdict, DataRefusal>;
  encode(model: Model, value: DataValue, options: DataOptions): EncodedData;
  decode(model: Model, bytes: Uint8Array, options: DataOptions): DecodedData;
  /**
   * The schema for a compiler that decides exactly like `validate` about JSON texts, or like `decode` about bytes;
   * undefined for schemas that are not compiled.
   */
  compilable?(model: Model, form: DataForm, options: DataOptions): unknown;
  /** The part of the Confluent wire format between the schema's id and the value; absent in formats without one. */
  confluentHead?: {
    read(model: Model, bytes: Uint8Array): Result<{ payload: Uint8Array; message: string }, DataVerdict>;
    write(model: Model, message: string | undefined): Result<Uint8Array, DataRefusal>;
  };
  /** The identifier of the schema in single-object encoding; only Avro has one. */
  fingerprint?(model: Model): Uint8Array;
}

export const VALID: DataVerdict = { valid: true, errors: [], warnings: [] };

export function invalid(errors: readonly DataError[], warnings: readonly DataWarning[] = []): DataVerdict {
  return { valid: false, errors: errors.slice(0, MAX_DATA_ERRORS), warnings };
}

/** An error about the bytes or the text as a whole, for which there is no location in the value. */
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
export function printDataError({ pointer, keyword, expected, got }: DataError): string {
  const place = pointer === "" ? "The value as a whole" : `The value at ${pointer}`;
  if (LACKS.has(keyword)) return `${place} must have ${expected}.`;
  if (expected.startsWith("no ")) return `${place} must be left out: expected ${expected}.`;
  return `${place} must be ${expected}, but it is ${got}.`;
}

/** Rules whose errors expect a part of the value. */
const LACKS: ReadonlySet<string> = new Set(["required", "dependentRequired", "dependencies", "field"]);
